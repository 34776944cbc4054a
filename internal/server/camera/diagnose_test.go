package camera

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func (s *site) diagnosis(t *testing.T, user string, query ...string) Diagnosis {
	t.Helper()
	resp := do(t, s.request(t, user, "GET", camPath+strings.Join(query, ""), nil))
	var d Diagnosis
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	return d
}

func TestWords_EveryTroubleInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range wire.CameraCodes {
		if _, ok := words[Trouble(c)]; !ok {
			t.Errorf("no words for %s", c)
		}
	}
	for code, by := range words {
		for _, language := range []string{"ko", "en"} {
			if w := by[language]; w.message == "" || w.cure == "" {
				t.Errorf("%s has no words in %s", code, language)
			}
		}
	}
}

func TestDocs_NameEveryTrouble(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "ko"} {
		text, err := os.ReadFile("../../../docs/" + language + "/cameras.md")
		if err != nil {
			t.Fatal(err)
		}
		for code := range words {
			if !strings.Contains(string(text), "| `"+string(code)+"` |") {
				t.Errorf("docs/%s/cameras.md: no row for %s", language, code)
			}
		}
	}
}

func TestDiagnose_WhatTheAgentReports(t *testing.T) {
	t.Parallel()
	for _, code := range wire.CameraCodes {
		if code == wire.CameraUplinkSlow { // it runs all the same: below
			continue
		}
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			s := mustServe(t)
			s.device.report = &wire.CameraReport{State: "failed", Code: string(code), Lines: "last words\x00"}
			d := s.diagnosis(t, "owner")
			if d.State != "failed" || d.Error == nil || d.Error.Code != string(code) || d.Error.Message != words[Trouble(code)]["ko"].message {
				t.Fatalf("%+v %+v", d, d.Error)
			}
			if lines := d.Error.Lines; (code == wire.CameraFFmpegDied) != (strings.HasPrefix(lines, "last words")) || strings.Contains(lines, "\x00") {
				t.Errorf("lines %q", lines)
			}
			mustProblem(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), http.StatusConflict, Trouble(code))
			mustProblem(t, do(t, s.request(t, "owner", "GET", camPath+"/snapshot.jpg", nil)), http.StatusConflict, Trouble(code))
		})
	}
}

func TestDiagnose_Running(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	if d := s.diagnosis(t, "owner", "?wait=false"); d.State != "idle" || !d.Rungs[0].Possible {
		t.Errorf("before anybody looks: %+v", d)
	}
	resp := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil))
	readMJPEG(t, resp, 3)
	var d Diagnosis
	until(t, "the rate is measured", func() bool { d = s.diagnosis(t, "viewer"); return d.Kbps > 0 })
	if d.State != "running" || d.Kind != "rtsp" || d.Codec != "h264" || d.Width != 320 || d.Height != 240 || d.FPS <= 0 || d.Viewers != 1 || d.Error != nil {
		t.Errorf("%+v", d)
	}
	for _, r := range d.Rungs {
		if !r.Possible {
			t.Errorf("%+v", r)
		}
	}
	b, _ := json.Marshal(d)
	if strings.Contains(string(b), "secret") || strings.Contains(string(b), "192.0.2.1") {
		t.Errorf("the address is told: %s", b)
	}
}

func TestDiagnose_OfflineInTheAskersLanguage(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.change(func() { s.online = false })
	if d := s.diagnosis(t, "owner"); d.State != "offline" || d.Error.Code != string(TroubleOffline) || d.Error.Message != words[TroubleOffline]["ko"].message {
		t.Errorf("%+v", d)
	}
	mustProblem(t, do(t, s.request(t, "owner", "POST", camPath+"/whep", []byte(offer), "Content-Type", "application/sdp")), http.StatusConflict, TroubleOffline)
	// It comes back by itself.
	s.device.gives(mjpegInfo, jpegs(t))
	s.change(func() { s.online = true })
	readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 2)
}

func TestDiagnose_AgentThatOpensNoLink(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.silent = true
	if d := s.diagnosis(t, "owner"); d.Error == nil || d.Error.Code != string(TroubleSilent) {
		t.Errorf("%+v", d.Error)
	}
}

func TestDiagnose_NoKeyFrame(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	var deltas [][]byte
	for _, au := range accessUnits(t) {
		units, err := splitAnnexB(au)
		if err != nil {
			t.Fatal(err)
		}
		if key, _ := new(parameters).learn(units); !key {
			deltas = append(deltas, au)
		}
	}
	s.device.gives(rtspInfo, deltas)
	if d := s.diagnosis(t, "owner"); d.Error == nil || d.Error.Code != string(TroubleNoKeyFrame) {
		t.Errorf("%+v", d)
	}
}

func TestDiagnose_NothingComes(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, nil)
	s.device.every = 1
	if d := s.diagnosis(t, "owner"); d.Error == nil || d.Error.Code != string(TroubleNoKeyFrame) && d.Error.Code != string(TroubleNoFrames) {
		t.Errorf("%+v", d)
	}
}

func TestDiagnose_BFramesPlayByHLSAlone(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t, "-bf", "2", "-preset", "veryfast"))
	resp := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil))
	readMJPEG(t, resp, 2)
	until(t, "they are seen", func() bool { d := s.diagnosis(t, "owner"); return !d.Rungs[0].Possible })
	d := s.diagnosis(t, "owner")
	if e := d.Rungs[0].Error; e == nil || e.Code != string(TroubleBFrames) || !d.Rungs[1].Possible || d.Error != nil {
		t.Errorf("%+v", d.Rungs)
	}
	_, status, body := s.tryPlay(t, "owner")
	if status != http.StatusConflict || !strings.Contains(body, string(TroubleBFrames)) {
		t.Errorf("%d %s", status, body)
	}
}

func TestDiagnose_MJPEGHasNoVideoUnlessEncoded(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(mjpegInfo, jpegs(t))
	_, status, body := s.tryPlay(t, "owner")
	if status != http.StatusConflict || !strings.Contains(body, string(TroubleNoVideo)) {
		t.Fatalf("%d %s", status, body)
	}
	mustProblem(t, do(t, s.request(t, "owner", "GET", camPath+"/hls/index.m3u8", nil)), http.StatusConflict, TroubleNoVideo)
	if d := s.diagnosis(t, "owner"); d.Rungs[0].Possible || d.Rungs[1].Possible || !d.Rungs[2].Possible || !d.Rungs[3].Possible {
		t.Errorf("%+v", d.Rungs)
	}
	// The owner allows encoding: the agent is asked for it as soon as a viewer needs it.
	s.change(func() { s.cameras[0].Encode, s.cameras[0].MaxKbps = EncodeAlways, 800 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for o := range s.device.wants {
			if o.Encode && o.MaxKbps == 800 {
				return
			}
		}
	}()
	call := s.request(t, "owner", "POST", camPath+"/whep", []byte(offer), "Content-Type", "application/sdp")
	go func() {
		if resp, err := http.DefaultClient.Do(call); err == nil {
			resp.Body.Close()
		}
	}()
	<-done
}

func TestDiagnose_UplinkSlowRuns(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(mjpegInfo, jpegs(t))
	readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 1)
	s.find(streamKey{"printer of " + testUUID, "cam1"}).reported(wire.CameraReport{State: "running", Code: string(wire.CameraUplinkSlow), Drops: 7})
	if d := s.diagnosis(t, "owner"); d.State != "running" || d.Error == nil || d.Error.Code != string(wire.CameraUplinkSlow) || d.Drops != 7 {
		t.Errorf("%+v", d)
	}
}

func TestDiagnose_NoViewerPathIsWhatThePageSays(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(mjpegInfo, jpegs(t))
	for _, code := range []string{"no_viewer_path", "udp_blocked", "tcp_blocked"} {
		if resp := do(t, s.request(t, "owner", "POST", camPath+"/report", []byte(`{"code":"`+code+`"}`), "Content-Type", "application/json")); resp.StatusCode != http.StatusNoContent {
			t.Fatal(resp.StatusCode)
		}
		want := Trouble(code)
		if d := s.diagnosis(t, "owner"); d.State != "running" || d.Error == nil || d.Error.Code != string(want) {
			t.Errorf("%+v", d.Error)
		}
	}
	if d := s.diagnosis(t, "viewer"); d.Error != nil {
		t.Errorf("another one is told %+v", d.Error)
	}
	do(t, s.request(t, "owner", "POST", camPath+"/report", []byte(`{"rung":"mjpeg","delay_ms":80}`), "Content-Type", "application/json"))
	if d := s.diagnosis(t, "owner"); d.Error != nil {
		t.Errorf("it plays, and still %+v", d.Error)
	}
}

// The device turns pictures into video by itself while its uplink needs it: those who look at JPEGs go on seeing some, the
// diagnosis says why, and once pictures come again those who look at video are told so at once.
func TestDiagnose_EncodedByItself(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	s := mustServe(t)
	s.change(func() { s.cameras[0].MaxKbps = 800 })
	s.device.gives(mjpegInfo, jpegs(t))
	pictures := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil))
	readMJPEG(t, pictures, 1)
	s.device.mu.Lock()
	if w := s.device.wanted[len(s.device.wanted)-1]; !w.Auto || w.Encode {
		t.Errorf("%+v", w)
	}
	s.device.mu.Unlock()

	st := s.find(streamKey{"printer of " + testUUID, "cam1"})
	video := rtspInfo
	video.Kind, video.Encoder, video.Why, video.Needs = "mjpeg", "libx264", wire.EncodeBudget, 2400
	s.device.becomes(t, video, accessUnits(t))
	until(t, "video", func() bool { d := s.diagnosis(t, "owner"); return d.Codec == "h264" && d.Rungs[0].Possible })
	if d := s.diagnosis(t, "owner"); d.Encoded != wire.EncodeBudget || d.Needs != 2400 || d.MaxKbps != 800 || d.Encoder != "libx264" {
		t.Errorf("%+v", d)
	}
	readMJPEG(t, pictures, 5)

	v := newViewer(RungWHEP, workspace.Actor{UserID: "owner"}, nil)
	v.stream = st
	if err := st.join(v); err != nil {
		t.Fatal(err)
	}
	s.device.becomes(t, mjpegInfo, jpegs(t))
	select {
	case <-v.ended.Done():
	case <-time.After(patience):
		t.Error("who looks at video waits for it")
	}
	v.once.Do(func() { st.leave(v) })
	if d := s.diagnosis(t, "owner"); d.Encoded != "" || d.Needs != 0 {
		t.Errorf("%+v", d)
	}

	for encode, want := range map[Encode]bool{EncodeNever: false, EncodeAlways: false, "": true} {
		s.change(func() { s.cameras[0].Encode = encode })
		until(t, "what the owner wants", func() bool {
			s.device.mu.Lock()
			defer s.device.mu.Unlock()
			w := s.device.wanted[len(s.device.wanted)-1]
			return w.Auto == want && !w.Encode
		})
	}
}
