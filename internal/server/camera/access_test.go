package camera

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// offer is one of a viewer that never answers, for calls that end before anything is connected.
const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" +
	"a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"

// rightsEnd is five times the 5 s within which what a right opened ends: a test's machine has other work to do.
const rightsEnd = 25 * time.Second

func TestAccess_EndsStreamsWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *site){
		"SessionOverTheBus": func(s *site) { s.bus.AccessEnded.Publish(bus.AccessEnded{SessionID: "owner's session"}) },
		"AccountOverTheBus": func(s *site) { s.bus.AccessEnded.Publish(bus.AccessEnded{UserID: "owner"}) },
		"ByAnotherProcess":  func(s *site) { s.mu.Lock(); s.gone["owner's session"] = true; s.mu.Unlock() },
		"Role": func(s *site) {
			s.mu.Lock()
			s.roles["owner"] = false
			s.mu.Unlock()
			s.bus.AccessEnded.Publish(bus.AccessEnded{UserID: "owner", WorkspaceID: "w"})
		},
		"PrinterRemoved": func(s *site) { s.change(func() { s.roles["owner"], s.roles["viewer"] = false, false }) },
		"CameraRemoved":  func(s *site) { s.change(func() { s.cameras = s.cameras[1:] }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustServe(t)
			s.device.gives(rtspInfo, accessUnits(t))
			video := s.play(t, "owner")
			video.frames(t, 2)
			mjpeg := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil))
			readMJPEG(t, mjpeg, 1)
			playlist := s.hls(t, "owner", camPath+"/hls/index.m3u8")
			end(s)
			begun := time.Now()
			if _, err := io.Copy(io.Discard, mjpeg.Body); err != nil && !strings.Contains(err.Error(), "EOF") {
				t.Logf("the answer broke off: %v", err)
			}
			until(t, "WebRTC ends", func() bool { s.Service.mu.Lock(); defer s.Service.mu.Unlock(); return len(s.viewers) == 0 })
			if took := time.Since(begun); took > rightsEnd {
				t.Errorf("it took %v", took)
			}
			if resp := do(t, s.request(t, "owner", "GET", playlist, nil)); resp.StatusCode < 400 {
				t.Errorf("HLS goes on: %d", resp.StatusCode)
			}
		})
	}
}

func TestAccess_EndsWhatFoundNoRoom(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.silent = true
	p := place{uuid: testUUID, camera: s.Cameras("")[0], actor: workspace.Actor{UserID: "owner", Via: workspace.ViaSession}}
	p.target, _ = s.Place(testUUID)
	v, err := s.join(p, RungMJPEG)
	if err != nil {
		t.Fatal(err)
	}
	defer v.leave()
	busy := make(chan struct{})
	defer close(busy)
	for range cap(s.jobs) + 1 { // one of them is being done
		s.jobs <- func(context.Context) { <-busy }
	}
	s.mu.Lock()
	s.roles["owner"] = false
	s.mu.Unlock()
	s.bus.AccessEnded.Publish(bus.AccessEnded{UserID: "owner", WorkspaceID: "w"})
	select {
	case <-v.ended.Done():
	case <-time.After(patience):
		t.Error("he still looks")
	}
}

var uri = regexp.MustCompile(`(?m)^[^#\s]+\.m3u8\S*$`)

// hls begins HLS and gives the path of its media playlist.
func (s *site) hls(t *testing.T, user, path string) string {
	t.Helper()
	resp := do(t, s.request(t, user, "GET", path, nil))
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", resp.StatusCode, err, b)
	}
	found := uri.FindString(string(b))
	if found == "" {
		t.Fatalf("no playlist in %s", b)
	}
	return camPath + "/hls/" + found
}

func TestHLS_LowLatencyPartsThatBeginAtOnce(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	playlist := s.hls(t, "owner", camPath+"/hls/index.m3u8")
	resp := do(t, s.request(t, "owner", "GET", playlist, nil))
	var part, init string
	hold := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		line := lines.Text()
		hold = hold || strings.Contains(line, "CAN-BLOCK-RELOAD=YES")
		if m := regexp.MustCompile(`#EXT-X-PART:.*URI="([^"]+)"`).FindStringSubmatch(line); m != nil {
			part = m[1]
		}
		if m := regexp.MustCompile(`#EXT-X-MAP:URI="([^"]+)"`).FindStringSubmatch(line); m != nil {
			init = m[1]
		}
	}
	if part == "" || init == "" || !hold {
		t.Fatalf("part %q, init %q, blocks %v", part, init, hold)
	}
	for _, file := range []string{init, part} {
		resp := do(t, s.request(t, "owner", "GET", camPath+"/hls/"+file, nil))
		if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || len(b) < 100 {
			t.Errorf("%s: %d, %d bytes", file, resp.StatusCode, len(b))
		}
		if resp := do(t, s.request(t, "viewer", "GET", camPath+"/hls/"+file, nil)); resp.StatusCode != http.StatusNotFound {
			t.Errorf("another one's session: %d", resp.StatusCode)
		}
	}
	for _, file := range []string{"nothing.mp4", "..%2findex.m3u8", "index.html"} {
		if resp := do(t, s.request(t, "owner", "GET", camPath+"/hls/"+file+"?session="+playlist[strings.Index(playlist, "session=")+8:], nil)); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", file, resp.StatusCode)
		}
	}
}

func TestHLS_BFrames(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	frames := accessUnits(t, "-bf", "2", "-preset", "veryfast", "-x264-params", "aud=1:scenecut=0:b-adapt=0")
	s.device.gives(rtspInfo, frames)
	begun := time.Now()
	order := presentation(t, frames)
	s.device.clock = func(i int) uint64 {
		return uint64(begun.Add(time.Duration(i/len(frames)*len(frames)+order[i%len(frames)]) * 40 * time.Millisecond).UnixMicro())
	}
	playlist := s.hls(t, "owner", camPath+"/hls/index.m3u8")
	until(t, "segments come", func() bool {
		resp := do(t, s.request(t, "owner", "GET", playlist, nil))
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", resp.StatusCode, b)
		}
		return strings.Count(string(b), "#EXTINF")-strings.Count(string(b), "#EXT-X-GAP") >= 3
	})
}

// presentation gives the place of each frame in the order of being shown, of a stream I P B B P B B …
func presentation(t *testing.T, frames [][]byte) []int {
	t.Helper()
	order := make([]int, len(frames))
	next := 0 // place of the next reference
	var held []int
	for i, f := range frames {
		units, err := splitAnnexB(f)
		if err != nil {
			t.Fatal(err)
		}
		b := false
		for _, u := range units {
			b = b || (unitType(u) == unitSlice && isB(u))
		}
		if b {
			held = append(held, i)
			continue
		}
		setPlace(order, held, &next, i)
		held = nil
	}
	setPlace(order, held, &next, -1)
	return order
}

// setPlace: the B-frames that came after a reference are shown before it.
func setPlace(order []int, held []int, next *int, reference int) {
	if len(held) > 0 { // they belong in front of the reference before them
		last := held[0] - 1
		at := order[last]
		for n, i := range held {
			order[i] = at + n
		}
		order[last] = at + len(held)
		*next = order[last] + 1
	}
	if reference >= 0 {
		order[reference] = *next
		*next++
	}
}

func TestToken_ForOneStreamAndOneRung(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	get := func(rung Rung) string {
		resp := do(t, s.request(t, "viewer", "POST", camPath+"/tokens", []byte(`{"rung":"`+string(rung)+`"}`), "Content-Type", "application/json"))
		var out struct{ Token string }
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusCreated {
			t.Fatalf("%d %v", resp.StatusCode, err)
		}
		return out.Token
	}
	mjpeg := get(RungMJPEG)
	readMJPEG(t, do(t, s.request(t, "", "GET", camPath+"/mjpeg?view="+mjpeg, nil)), 2)
	for name, path := range map[string]string{
		"another rung":    camPath + "/snapshot.jpg?view=" + mjpeg,
		"another printer": strings.Replace(camPath, testUUID, otherUUID, 1) + "/mjpeg?view=" + mjpeg,
		"changed":         camPath + "/mjpeg?view=" + mjpeg[:len(mjpeg)-2] + "AA",
		"none":            camPath + "/mjpeg?view=x",
		"no token":        camPath + "/mjpeg",
	} {
		if resp := do(t, s.request(t, "", "GET", path, nil)); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	playlist := s.hls(t, "", camPath+"/hls/index.m3u8?view="+get(RungHLS))
	if strings.Contains(playlist, "view=") {
		t.Errorf("the token goes on in %s", playlist)
	}
	if resp := do(t, s.request(t, "", "GET", playlist, nil)); resp.StatusCode != http.StatusOK {
		t.Errorf("%d", resp.StatusCode)
	}
	// What it began hangs on the rights of who made it.
	mine := do(t, s.request(t, "", "GET", camPath+"/mjpeg?view="+mjpeg, nil))
	s.mu.Lock()
	s.roles["viewer"] = false
	s.mu.Unlock()
	s.bus.AccessEnded.Publish(bus.AccessEnded{UserID: "viewer", WorkspaceID: "w"})
	_, _ = io.Copy(io.Discard, mine.Body)
	if resp := do(t, s.request(t, "", "GET", camPath+"/mjpeg?view="+mjpeg, nil)); resp.StatusCode < 400 {
		t.Errorf("%d", resp.StatusCode)
	}
	s.tokens.mu.Lock()
	for id, one := range s.tokens.made {
		one.expires = time.Now().Add(-time.Second)
		s.tokens.made[id] = one
	}
	s.tokens.mu.Unlock()
	s.sweepTokens(time.Now())
	if len(s.tokens.made) != 0 {
		t.Error("expired tokens are kept")
	}
}

func TestLink_OpensOnceForItsOwnDevice(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.silent = true
	go func() { _, _ = http.DefaultClient.Do(s.request(t, "owner", "GET", camPath+"/mjpeg", nil)) }()
	var c wire.CameraCommand
	until(t, "the device is told", func() bool {
		s.device.mu.Lock()
		defer s.device.mu.Unlock()
		if len(s.device.commands) == 0 {
			return false
		}
		c = s.device.commands[0]
		return true
	})
	for name, l := range map[string]struct {
		uuid, token, camera, link string
		status                    int
	}{
		"another device": {otherUUID, deviceToken, "cam1", c.Link, http.StatusNotFound},
		"a wrong token":  {testUUID, "wrong", "cam1", c.Link, http.StatusUnauthorized},
		"another camera": {testUUID, deviceToken, "cam2", c.Link, http.StatusNotFound},
		"another name":   {testUUID, deviceToken, "cam1", newSecret(), http.StatusNotFound},
		"no name":        {testUUID, deviceToken, "cam1", "", http.StatusNotFound},
		"no UUID":        {"me", deviceToken, "cam1", c.Link, http.StatusUnauthorized},
	} {
		_, resp, err := s.device.dial(t.Context(), l.uuid, l.token, l.camera, l.link)
		if err == nil || resp == nil || resp.StatusCode != l.status {
			t.Errorf("%s: %v %v", name, err, resp)
		}
	}
	ws, _, err := s.device.dial(t.Context(), testUUID, deviceToken, "cam1", c.Link)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, resp, err := s.device.dial(t.Context(), testUUID, deviceToken, "cam1", c.Link); err == nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("it opens twice: %v", err)
	}
	if _, resp, err := s.device.dial(t.Context(), testUUID, deviceToken, "cam1", claimed); err == nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("what stands in for a spent name opens: %v", err)
	}
	// A new token ends what the old one opened.
	s.mu.Lock()
	s.token = "another"
	s.mu.Unlock()
	begun := time.Now()
	for err == nil {
		_, _, err = ws.Read(t.Context())
	}
	if took := time.Since(begun); took > rightsEnd {
		t.Errorf("it took %v", took)
	}
}

func TestLink_WhatNoDeviceSendsEndsIt(t *testing.T) {
	t.Parallel()
	for name, m := range map[string][]byte{
		"Short":      {1, 0},
		"Kind":       append(wire.AppendMedia(nil, 99, 0, 0), 'x'),
		"NoPayload":  wire.AppendMedia(nil, wire.MediaH264, 0, 0),
		"BadConfig":  append(wire.AppendMedia(nil, wire.MediaConfig, 0, 0), `{"kind":"x","codec":"h264"}`...),
		"HugeSize":   append(wire.AppendMedia(nil, wire.MediaConfig, 0, 0), `{"kind":"rtsp","codec":"h264","width":99999999}`...),
		"TooMuch":    append(wire.AppendMedia(nil, wire.MediaState, 0, 0), `{"state":"running"}`...),
		"LongReport": append(wire.AppendMedia(nil, wire.MediaState, 0, 0), strings.Repeat("x", wire.MaxMediaJSON+1)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustServe(t)
			s.device.gives(mjpegInfo, jpegs(t))
			readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 1)
			s.device.mu.Lock()
			ws := s.device.link
			s.device.mu.Unlock()
			for i := range 1000 { // the first one is enough, but for TooMuch
				if err := ws.Write(t.Context(), websocket.MessageBinary, m); err != nil && i == 0 {
					t.Fatal(err)
				} else if err != nil || name != "TooMuch" {
					break
				}
			}
			until(t, "another link is opened", func() bool { s.device.mu.Lock(); defer s.device.mu.Unlock(); return s.device.opened > 1 })
		})
	}
}

func TestWHEP_SessionsAreTheirOwnersAlone(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	p := s.play(t, "owner")
	p.frames(t, 1)
	for _, method := range []string{"PATCH", "DELETE"} {
		for who, status := range map[string]int{"viewer": http.StatusNotFound, "other": http.StatusNotFound, "": http.StatusUnauthorized} {
			if resp := do(t, s.request(t, who, method, p.location, []byte("a=mid:0\r\n"), "Content-Type", "application/trickle-ice-sdpfrag")); resp.StatusCode != status {
				t.Errorf("%s by %q: %d", method, who, resp.StatusCode)
			}
		}
	}
	p.more(t)
	many := strings.Repeat("a=candidate:1 1 udp 2130706431 127.0.0.9 50000 typ host\r\n", maxCandidates+1)
	if err := checkOffer(offer + many); err != errOffer {
		t.Errorf("an offer with %d candidates: %v", maxCandidates+1, err)
	}
	if resp := do(t, s.request(t, "owner", "PATCH", p.location, []byte("a=ice-ufrag:x\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.9 50000 typ host\r\n"), "Content-Type", "application/trickle-ice-sdpfrag")); resp.StatusCode != http.StatusNoContent {
		t.Errorf("%d", resp.StatusCode)
	}
	if resp := do(t, s.request(t, "owner", "PATCH", p.location, []byte("a=mid:0\r\n"+many), "Content-Type", "application/trickle-ice-sdpfrag")); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d candidates: %d", maxCandidates+2, resp.StatusCode)
	}
	for _, bad := range []string{"v=0", "", strings.Replace(offer, "m=video", "m=audio", 1), strings.Replace(offer, "H264", "VP8", 1), strings.Repeat(offer, 20)} {
		if resp := do(t, s.request(t, "owner", "POST", camPath+"/whep", []byte(bad), "Content-Type", "application/sdp")); resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("%.30q: %d", bad, resp.StatusCode)
		}
	}
}

func TestLimits_ViewersOfOneAccount(t *testing.T) {
	t.Parallel()
	s := mustServe(t, func(s *Service) { s.Limits.ViewersPerUser = 2 })
	s.device.gives(mjpegInfo, jpegs(t))
	for range 2 {
		readMJPEG(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), 1)
	}
	if resp := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("%d", resp.StatusCode)
	}
	readMJPEG(t, do(t, s.request(t, "viewer", "GET", camPath+"/mjpeg", nil)), 1)
}

// The first playlist of a camera with few key frames takes long: who waits for it is not gone.
func TestHLS_WhoWaitsForAnAnswerIsNotIdle(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	playlist := s.hls(t, "owner", camPath+"/hls/index.m3u8")
	s.Service.mu.Lock()
	var x *session
	for _, one := range s.sessions {
		x = one
	}
	s.Service.mu.Unlock()
	answered, _ := s.asks(x)
	s.sweepSessions(time.Now().Add(time.Minute))
	if resp := do(t, s.request(t, "owner", "GET", playlist, nil)); resp.StatusCode != http.StatusOK {
		t.Errorf("while it waits: %d", resp.StatusCode)
	}
	answered()
	s.sweepSessions(time.Now().Add(time.Minute))
	if resp := do(t, s.request(t, "owner", "GET", playlist, nil)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a minute after its last answer: %d", resp.StatusCode)
	}
}

// Players ask for the part that comes next. While nothing comes, nobody is left to wait for it, and nobody can ask for
// thousands of answers at a time.
func TestHLS_WaitsNeitherForEverNorForThousands(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	playlist := s.hls(t, "owner", camPath+"/hls/index.m3u8")
	s.device.becomes(t, rtspInfo, nil)
	until(t, "the camera falls silent", func() bool {
		s.device.mu.Lock()
		defer s.device.mu.Unlock()
		return s.device.quiet
	})
	b, _ := io.ReadAll(do(t, s.request(t, "owner", "GET", playlist, nil)).Body)
	first, _ := strconv.Atoi(regexp.MustCompile(`MEDIA-SEQUENCE:(\d+)`).FindStringSubmatch(string(b))[1])
	next := fmt.Sprintf("%s&_HLS_msn=%d&_HLS_part=0", playlist, first+strings.Count(string(b), "#EXTINF")+1)
	statuses := make(chan int)
	for range maxAnswers + 1 {
		go func() {
			resp, err := http.DefaultClient.Do(s.request(t, "owner", "GET", next, nil))
			if err != nil {
				statuses <- 0
				return
			}
			resp.Body.Close()
			statuses <- resp.StatusCode
		}()
	}
	if status := <-statuses; status != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", status)
	}
	for _, st := range s.all() {
		st.sweep(time.Now().Add(silence + time.Second))
	}
	for range maxAnswers {
		if status := <-statuses; status == http.StatusOK || status == 0 {
			t.Errorf("the others: %d", status)
		}
	}
}

// Whoever finds a session's name in a log can do nothing with it: only its owner, or a program that began it with a viewing
// token, is asked for no more.
func TestAccess_NameOfASessionIsNoKey(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.gives(rtspInfo, accessUnits(t))
	p, status, body := s.tryPlay(t, "owner")
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	for _, user := range []string{"", "viewer"} {
		for _, query := range []string{"", "?view=x"} {
			if resp := do(t, s.request(t, user, "DELETE", p.location+query, nil)); resp.StatusCode < 400 {
				t.Errorf("%q hangs up with %q: %d", user, query, resp.StatusCode)
			}
		}
	}
	if resp := do(t, s.request(t, "owner", "DELETE", p.location, nil)); resp.StatusCode >= 300 {
		t.Errorf("the owner: %d", resp.StatusCode)
	}
}
