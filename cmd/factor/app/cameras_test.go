package app

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// film has the device of a printer send pictures of each camera that it is told to open.
func (s *site) film(t *testing.T, uuid, token string) {
	t.Helper()
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 48)), nil); err != nil {
		t.Fatal(err)
	}
	device := s.device(t, uuid, token)
	publish(t, device, wire.KindPresence.Topic(uuid), 1, map[string]any{"online": true, "agent": "test", "proto": 1, "caps": []string{}, "epoch": "e", "since": 1})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	done := device.Subscribe(wire.KindCamera.Topic(uuid), 1, func(_ mqtt.Client, m mqtt.Message) {
		var c wire.CameraCommand
		if json.Unmarshal(m.Payload(), &c) != nil || c.Action != "open" {
			return
		}
		go func() {
			r := &http.Request{Header: http.Header{}}
			r.SetBasicAuth(uuid, token)
			ws, _, err := websocket.Dial(ctx, "ws"+s.url[len("http"):]+"/api/device/link?kind=camera&camera="+c.Camera+"&link="+c.Link, &websocket.DialOptions{HTTPHeader: r.Header})
			if err != nil {
				return
			}
			defer ws.CloseNow()
			gone, end := context.WithCancel(ctx)
			defer end()
			go func() { // what the server wants now and then is taken, and changes nothing here
				defer end()
				for {
					if _, _, err := ws.Read(gone); err != nil {
						return
					}
				}
			}()
			messages := [][]byte{append(wire.AppendMedia(nil, wire.MediaConfig, 0, 0), `{"kind":"mjpeg","codec":"jpeg","width":64,"height":48}`...),
				append(wire.AppendMedia(nil, wire.MediaJPEG, wire.MediaKeyFrame, 0), picture.Bytes()...)}
			for i := 0; ws.Write(gone, websocket.MessageBinary, messages[min(i, 1)]) == nil; i++ {
				select {
				case <-gone.Done():
				case <-time.After(40 * time.Millisecond):
				}
			}
		}()
	})
	if !done.WaitTimeout(patience) || done.Error() != nil {
		t.Fatal(done.Error())
	}
}

// stream opens the MJPEG of a printer's camera, and gives its body after the first picture.
func (v *visitor) stream(t *testing.T, path string) io.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	resp, err := (&http.Client{Jar: v.http.Jar}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	b := make([]byte, 400)
	if _, err := io.ReadFull(resp.Body, b); err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(b, []byte("image/jpeg")) {
		t.Fatalf("%d %v %s", resp.StatusCode, err, b)
	}
	return resp.Body
}

// A picture comes from the device through the whole server to people with a cookie, with an API token, and with a
// viewing token, and stops for each when what they came with ends.
func TestCamera_FromTheDeviceToPeopleUntilTheirRightsEnd(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "owner", false)
	uuid, token := owner.enrol(t, "P")
	s.film(t, uuid, token)
	camera := "/api/v1/printers/" + uuid + "/camera"
	owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+uuid+"/cameras", map[string]any{"items": []any{
		map[string]any{"name": "Cam", "stream_url": "http://user:secret@192.0.2.1/", "encode": "always", "max_kbps": 900}}}, nil)

	var made struct{ ID, Token string }
	owner.must(t, http.StatusCreated, "POST", "/api/v1/tokens", map[string]string{"name": "t"}, &made)
	program := s.visitor(t)
	program.token = made.Token
	var view struct{ Token string }
	program.must(t, http.StatusCreated, "POST", camera+"/tokens", map[string]string{"rung": "mjpeg"}, &view)

	var d struct{ State, Kind string }
	status, text := owner.call(t, "GET", camera, nil)
	if json.Unmarshal(text, &d) != nil || status != http.StatusOK || d.State != "running" || d.Kind != "mjpeg" || strings.Contains(string(text), "secret") {
		t.Errorf("%d %s", status, text)
	}
	mine, tokens, viewed := owner.stream(t, camera+"/mjpeg"), program.stream(t, camera+"/mjpeg"), s.visitor(t).stream(t, camera+"/mjpeg?view="+view.Token)
	ends := func(what string, bodies ...io.Reader) {
		begun := time.Now()
		for _, b := range bodies {
			_, _ = io.Copy(io.Discard, b)
		}
		if took := time.Since(begun); took > 25*time.Second { // five times what is promised: this machine has other work
			t.Errorf("%s: it took %v", what, took)
		}
	}
	owner.must(t, http.StatusNoContent, "DELETE", "/api/v1/tokens/"+made.ID, nil, nil)
	ends("the API token", tokens, viewed)
	other := s.visitor(t)
	other.must(t, http.StatusOK, "POST", "/api/v1/session", map[string]string{"email": "owner@example.com", "password": password}, nil)
	theirs := other.stream(t, camera+"/mjpeg")
	owner.must(t, http.StatusNoContent, "DELETE", "/api/v1/session", nil, nil)
	ends("the session", mine)
	other.must(t, http.StatusNoContent, "DELETE", "/api/v1/printers/"+uuid, nil, nil)
	ends("the printer", theirs)
}

// A server that stops waits for nobody who looks.
func TestCamera_StopEndsTheStreams(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "owner", false)
	uuid, token := owner.enrol(t, "P")
	s.film(t, uuid, token)
	owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+uuid+"/cameras", map[string]any{"items": []any{map[string]any{"name": "Cam", "stream_url": "http://192.0.2.1/"}}}, nil)
	body := owner.stream(t, "/api/v1/printers/"+uuid+"/cameras/Cam/mjpeg")
	begun := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 25*time.Second {
		t.Errorf("the stop took %v", took)
	}
	_, _ = io.Copy(io.Discard, body)
}

// Administrators see how live pictures leave the server, and no secret of it.
func TestAdmin_CameraSettings(t *testing.T) {
	t.Parallel()
	s := mustServe(t, t.TempDir(), func(c *config.Settings) {
		c.TURN, c.TURNSecret, c.WebRTCAddress = []string{"turns:turn.example.com:443?transport=tcp"}, "hidden-secret", []string{"203.0.113.7"}
		c.FFmpeg = "off"
	})
	admin := s.account(t, "admin", true)
	status, text := admin.call(t, "GET", "/api/v1/admin/server", nil)
	var d struct {
		WebRTC, RTSP, FFmpeg string
		TURN                 []string
		WebRTCAddresses      []string `json:"webrtc_addresses"`
	}
	if err := json.Unmarshal(text, &d); err != nil || status != http.StatusOK || strings.Contains(string(text), "hidden-secret") {
		t.Fatalf("%d %v %s", status, err, text)
	}
	at := s.Addresses()
	if d.WebRTC != orOff(at.WebRTC) || d.RTSP != orOff(at.RTSP) || d.FFmpeg != "off" || len(d.TURN) != 1 || len(d.WebRTCAddresses) != 1 || d.WebRTCAddresses[0] != "203.0.113.7" {
		t.Errorf("%+v", d)
	}
}
