package camera

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// What is off on the server, and what the published plugin does not do, each with its own code.

func TestDiagnose_WebRTCOff(t *testing.T) {
	t.Parallel()
	s := mustServe(t, func(s *Service) {
		_, _ = s.UDP.Close(), s.TCP.Close()
		s.UDP, s.TCP, s.TURN = nil, nil, TURN{URLs: []string{"turn:h"}, Secret: "x"}
	})
	s.device.gives(rtspInfo, accessUnits(t))
	mustProblem(t, do(t, s.request(t, "owner", "POST", camPath+"/whep", []byte(offer), "Content-Type", "application/sdp")), http.StatusConflict, troubleWebRTCOff)
	mustProblem(t, do(t, s.request(t, "owner", "OPTIONS", camPath+"/whep", nil)), http.StatusConflict, troubleWebRTCOff)
	d := s.diagnosis(t, "owner", "?wait=false")
	if r := d.Rungs[0]; r.Rung != RungWHEP || r.Possible || r.Error == nil || r.Error.Code != string(troubleWebRTCOff) || len(d.ICE) != 0 {
		t.Errorf("%+v", d)
	}
	s.hls(t, "owner", camPath+"/hls/index.m3u8") // the next rung works
}

func TestDiagnose_RTSPOff(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.device.plugin = func(c wire.PluginCamera) {
		if c.Action != "stop" {
			t.Errorf("told %+v, with nowhere to publish to", c)
		}
	}
	s.change(func() { s.agent = false })
	mustProblem(t, do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil)), http.StatusConflict, TroubleNoRTSP)
	if d := s.diagnosis(t, "owner", "?wait=false"); d.Error == nil || d.Error.Code != string(TroubleNoRTSP) || d.Error.Cure == "" {
		t.Errorf("%+v", d)
	}
}

func TestDiagnose_PluginNotStarted(t *testing.T) {
	t.Parallel()
	starts := 0
	s := mustServe(t, func(s *Service) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.RTSP = l
	})
	s.device.plugin = func(c wire.PluginCamera) { // it obeys no start
		if c.Action == "restart" {
			starts++
		}
	}
	s.mu.Lock()
	s.agent, s.cameras[0].URL = false, "http://192.0.2.1/"
	s.mu.Unlock()
	target, _ := s.Place(testUUID)
	st, err := s.stream(place{uuid: testUUID, target: target, camera: s.cameras[0]})
	if err != nil {
		t.Fatal(err)
	}
	st.mu.Lock()
	st.emptyAt = time.Now().Add(time.Hour) // somebody looks all the time
	for i := range publishTries + 1 {
		st.drivePublished(time.Now().Add(time.Duration(i) * (publishSettle + time.Second)))
		if early := st.trouble; i < publishTries && early != "" {
			t.Errorf("after %d tries: %s", i, early)
		}
	}
	n := starts
	st.mu.Unlock()
	if d := s.diagnosis(t, "owner", "?wait=false"); d.Error == nil || d.Error.Code != string(TroublePublish) || n < publishTries {
		t.Errorf("%+v after %d starts", d.Error, n)
	}
}
