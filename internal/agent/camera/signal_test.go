package camera

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// streamerPage is what camera-streamer answers a GET of its signalling address with, in short: a page that plays.
const streamerPage = `<!doctype html><html><body><video id="stream"></video><script>
fetch(window.location.href, {body: JSON.stringify({type: 'request', iceServers: []}), method: 'POST'}).then(r => r.json()).then(request => {
  const pc = new RTCPeerConnection({iceServers: request.iceServers}); pc.remote_pc_id = request.id; /* … */ });
</script></body></html>`

// streamer speaks as camera-streamer does (output/webrtc/webrtc.cc, util/http): one address; each request in a connection
// of its own, at most 10 KB of JSON with a Content-Length; the offer is the camera's and has all its addresses; plain words
// with an error.
type streamer struct {
	t     *testing.T
	codec string
	units [][]byte

	mu      sync.Mutex
	clients map[string]*webrtc.PeerConnection
	answers int
	gone    chan struct{}
}

func newStreamer(t *testing.T, codec string, units [][]byte) *streamer {
	return &streamer{t: t, codec: codec, units: units, clients: map[string]*webrtc.PeerConnection{}, gone: make(chan struct{}, 10)}
}

func (s *streamer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	refuse := func(status int, why string) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		fmt.Fprintf(w, "%s\r\n", why)
	}
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, streamerPage)
		return
	}
	if r.Method != http.MethodPost || r.ContentLength < 0 || r.ContentLength > 10<<10 {
		refuse(404, "Not found.")
		return
	}
	body, _ := io.ReadAll(r.Body)
	var in map[string]any
	if json.Unmarshal(body, &in) != nil || in["type"] == nil {
		refuse(400, "missing 'type'")
		return
	}
	switch in["type"] {
	case "request":
		peer, err := player(s.t, s.codec, s.units)
		if err != nil {
			refuse(500, err.Error())
			return
		}
		peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
			if state == webrtc.PeerConnectionStateClosed || state == webrtc.PeerConnectionStateDisconnected {
				s.gone <- struct{}{}
			}
		})
		offer, err := peer.CreateOffer(nil)
		if err != nil {
			refuse(500, err.Error())
			return
		}
		sdp, err := described(peer, offer)
		if err != nil {
			refuse(500, err.Error())
			return
		}
		s.mu.Lock()
		id := fmt.Sprintf("rtc-%020d", len(s.clients))
		s.clients[id] = peer
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"id": id, "type": "offer", "sdp": sdp, "iceServers": []any{map[string]string{"urls": "stun:169.254.169.254:80"}}})
	case "answer":
		id, _ := in["id"].(string)
		sdp, _ := in["sdp"].(string)
		s.mu.Lock()
		peer := s.clients[id]
		s.answers++
		s.mu.Unlock()
		if peer == nil {
			refuse(404, "No client found")
			return
		}
		if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
			refuse(500, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	default:
		refuse(400, "Not expected")
	}
}

// TestReal_CameraStreamer plays from a camera that speaks as camera-streamer does, by each address that an owner may enter.
func TestReal_CameraStreamer(t *testing.T) {
	s := newStreamer(t, webrtc.MimeTypeH264, filmed(t))
	mux := http.NewServeMux()
	mux.Handle("/webrtc", s)
	mux.Handle("/cam/play", http.RedirectHandler("/webrtc", http.StatusFound))
	url := site(t, mux.ServeHTTP)
	for _, address := range []string{url + "/webrtc", "webrtc" + strings.TrimPrefix(url, "http") + "/webrtc", url + "/cam/play"} {
		seen(t, Look(context.Background(), address), WHEP, "H264")
		select {
		case <-s.gone:
		case <-time.After(patience):
			t.Fatal("the camera is not told that we are gone")
		}
	}
}

// TestReal_OfferInJSON plays from a server that takes offers as OctoPrint's own page sends them to a webrtc:// address.
func TestReal_OfferInJSON(t *testing.T) {
	units := filmed(t)
	url := site(t, func(w http.ResponseWriter, r *http.Request) {
		var in signal
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
		} else if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Type != "offer" {
			w.WriteHeader(http.StatusInternalServerError) // as aiortc's examples do
		} else if answer, err := play(t, in.SDP, units); err != nil {
			t.Error(err)
		} else {
			json.NewEncoder(w).Encode(signal{Type: "answer", SDP: answer})
		}
	})
	seen(t, Look(context.Background(), url+"/offer"), WHEP, "H264")
}

func TestLook_CameraStreamer_Faults(t *testing.T) {
	answer := func(status int, kind, body string) string {
		return site(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				io.WriteString(w, streamerPage)
				return
			}
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}) + "/cam"
	}
	noH264 := newStreamer(t, webrtc.MimeTypeVP8, nil)
	elsewhere := newStreamer(t, webrtc.MimeTypeH264, nil)
	mux := http.NewServeMux()
	mux.Handle("/vp8", noH264)
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) { // it forgets whom it offered to
		elsewhere.mu.Lock()
		clear(elsewhere.clients)
		elsewhere.mu.Unlock()
		elsewhere.ServeHTTP(w, r)
	})
	mux.HandleFunc("/metadata", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/webrtc", http.StatusTemporaryRedirect)
	})
	peers := site(t, mux.ServeHTTP)
	for name, c := range map[string]struct{ url, code string }{
		"NotThere":       {answer(404, "text/plain", "Not found."), NotFound},
		"Login":          {answer(401, "text/plain", ""), RefusedLogin},
		"NoJSON":         {answer(200, "application/json", "{"), NotAStream},
		"NoOffer":        {answer(200, "application/json", `{"type":"answer","sdp":"v=0"}`), NotAStream},
		"NoID":           {answer(200, "application/json", `{"type":"offer","sdp":"v=0\r\n"}`), NotAStream},
		"NoSDP":          {answer(200, "application/json", `{"type":"offer","id":"x","sdp":"v=0\r\n"}`), NotAStream},
		"Endless":        {answer(200, "application/json", `{"type":"offer","id":"x","sdp":"`+strings.Repeat("v", 2*maxSDP)), TooLarge},
		"Broken":         {answer(500, "text/plain", "Not complete"), NotAStream},
		"NoH264":         {peers + "/vp8", UnsupportedCodec},
		"NoClient":       {peers + "/once", NotFound},
		"Metadata":       {"webrtc" + strings.TrimPrefix(peers, "http") + "/metadata", AddressRefused},
		"MetadataItself": {"webrtc://169.254.169.254/webrtc", AddressRefused},
	} {
		t.Run(name, func(t *testing.T) {
			if r := Look(context.Background(), c.url); r.Code != c.code || r.Picture != "" {
				t.Errorf("%+v, want %s", r, c.code)
			}
		})
	}
	elsewhere.mu.Lock()
	defer elsewhere.mu.Unlock()
	if elsewhere.answers != 1 {
		t.Errorf("%d answers to the offer", elsewhere.answers)
	}
}

// A page that plays nothing is never posted to: only its own words say that it is for playing.
func TestLook_PostsToNoOtherPage(t *testing.T) {
	posted := make(chan string, 1)
	url := site(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			posted <- r.Method
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<form method=post action=/reboot><button>Reboot</button></form>")
	})
	if r := Look(context.Background(), url+"/index.html"); r.Code != NotAStream {
		t.Errorf("%+v", r)
	}
	select {
	case method := <-posted:
		t.Error(method)
	default:
	}
}

// FuzzSignal: what a camera answers is an offer or answer of the kind expected, within limits, or nothing; and what is left
// of its SDP is described or refused.
func FuzzSignal(f *testing.F) {
	const sdp = `v=0\r\no=rtc 1 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE video\r\na=setup:actpass\r\na=ice-ufrag:8aHd\r\na=ice-pwd:aVpSd3G3Ro0vcaFzgsVJNg\r\na=fingerprint:sha-256 00:11\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:video\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1\r\na=candidate:1 1 UDP 2122317823 192.168.0.2 40000 typ host\r\n`
	f.Add([]byte(`{"id":"rtc-abc","type":"offer","sdp":"`+sdp+`","iceServers":[]}`), true)
	f.Add([]byte(`{"type":"answer","sdp":"`+sdp+`"}`), false)
	f.Add([]byte(`{"type":"offer","id":"`+strings.Repeat("x", maxID+1)+`","sdp":"v=0"}`), true)
	f.Add([]byte(`{"type":["offer"],"id":1,"sdp":null}`), true)
	f.Fuzz(func(t *testing.T, body []byte, offered bool) {
		kind := "answer"
		if offered {
			kind = "offer"
		}
		s, ok := parseSignal(body, kind)
		if !ok {
			if s != (signal{}) {
				t.Fatalf("%+v", s)
			}
			return
		}
		if s.Type != kind || len(s.SDP) > maxSDP || len(s.ID) > maxID || offered != (s.ID != "") {
			t.Fatalf("%+v", s)
		}
		_, _ = (&webrtc.SessionDescription{SDP: allowed(s.SDP)}).Unmarshal()
	})
}
