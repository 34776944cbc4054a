package camera

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	maxSDP = 64 << 10 // bytes
	maxID  = 200      // bytes of what a camera calls a session
)

// call is one attempt to have a camera play by WebRTC.
type call struct {
	client  *http.Client
	peer    *webrtc.PeerConnection
	url     *url.URL
	session *url.URL // of WHEP, which is told when we leave; nil for none
}

// dialects are the ways to agree on a stream over HTTP, by what is posted first:
//
//   - whep: an SDP offer, answered by an SDP answer: mediamtx, go2rtc, the standard;
//   - request: JSON that asks the camera for its offer, which has an id; our answer goes to the same address with that id:
//     camera-streamer (output/webrtc/webrtc.cc, html/webrtc.html);
//   - offer: an SDP offer in JSON, answered alike: what OctoPrint's own page does with a webrtc:// address, and aiortc's examples.
var dialects = map[string]func(*call, context.Context) error{"whep": (*call).whep, "request": (*call).request, "offer": (*call).offer}

// order is which of them to try one after the other. Only the first one can ask for the other side's offer: it is no
// longer ours to answer once we have made one.
func (c *call) order() []string {
	if speaksWHEP(c.url.Path) {
		return []string{"whep", "offer"}
	}
	return []string{"request", "whep", "offer"}
}

// speaksWHEP tells by an address that it is WHEP's, or go2rtc's own for the same.
func speaksWHEP(path string) bool {
	path = strings.TrimRight(path, "/")
	return strings.HasSuffix(path, "/whep") || strings.HasSuffix(path, "/api/webrtc")
}

// signalling gives the address at which a page that plays by WebRTC agrees on it; nil for a page that does not. camera-streamer's
// page posts to itself, mediamtx's to whep below itself.
func signalling(at *url.URL, page []byte) *url.URL {
	switch {
	case bytes.Contains(page, []byte("MediaMTXWebRTCReader")):
		return at.JoinPath("whep")
	case bytes.Contains(page, []byte("RTCPeerConnection")):
		return at
	}
	return nil
}

// errDialect says that the other side did not understand: another dialect may do.
const errDialect = failure("dialect")

// agree exchanges offer and answer. Errors: RefusedLogin, NotFound, NotAStream, UnsupportedCodec, TooLarge, and those of
// connecting.
func (c *call) agree(ctx context.Context) error {
	for _, name := range c.order() {
		if err := dialects[name](c, ctx); err != errDialect {
			return err
		}
	}
	return failure(NotAStream)
}

// post sends a body and gives what is answered with success.
func (c *call) post(ctx context.Context, kind, body string) (answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), strings.NewReader(body))
	if err != nil {
		return nil, failure(BadURL)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "factor-agent")
	res, err := c.client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer res.Body.Close()
	if err := refusal(res.StatusCode); err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 {
		return nil, errDialect
	}
	if at, err := res.Location(); err == nil && kind == typeSDP && at.Host == c.url.Host {
		at.User = c.url.User
		c.session = at
	}
	return io.ReadAll(&allowance{Reader: res.Body, left: 2 * maxSDP}) // JSON writes the end of a line as four bytes
}

const (
	typeSDP  = "application/sdp"
	typeJSON = "application/json"
)

// leave ends the session at a camera that wants to be told. The others see the connection end.
func (c *call) leave(ctx context.Context) {
	if c.session == nil {
		return
	}
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if req, err := http.NewRequestWithContext(short, http.MethodDelete, c.session.String(), nil); err == nil {
		if res, err := c.client.Do(req); err == nil {
			res.Body.Close()
		}
	}
}

// whep offers what we can take.
func (c *call) whep(ctx context.Context) error {
	sdp, err := c.describe(ctx, false)
	if err != nil {
		return err
	}
	answer, err := c.post(ctx, typeSDP, sdp)
	if err != nil {
		return err
	}
	return c.answered(string(answer))
}

// offer does the same in JSON.
func (c *call) offer(ctx context.Context) error {
	sdp, err := c.describe(ctx, false)
	if err != nil {
		return err
	}
	answer, err := c.post(ctx, typeJSON, mustJSON(signal{Type: "offer", SDP: sdp}))
	if err != nil {
		return err
	}
	got, ok := parseSignal(answer, "answer")
	if !ok {
		return failure(NotAStream)
	}
	return c.answered(got.SDP)
}

// answered takes the other side's answer to our offer.
func (c *call) answered(sdp string) error {
	if !strings.HasPrefix(sdp, "v=0") {
		return errDialect
	}
	if c.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: allowed(sdp)}) == nil {
		return nil
	}
	if strings.Contains(sdp, "m=video 0 ") {
		return failure(UnsupportedCodec)
	}
	return failure(NotAStream)
}

// request asks for the camera's offer and answers it.
func (c *call) request(ctx context.Context) error {
	body, err := c.post(ctx, typeJSON, `{"type":"request"}`)
	if err != nil {
		return err
	}
	got, ok := parseSignal(body, "offer")
	if !ok {
		return errDialect
	}
	err = c.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: allowed(got.SDP)})
	switch {
	case errors.Is(err, webrtc.ErrCodecNotFound), err != nil && strings.Contains(got.SDP, "m=video") && !strings.Contains(strings.ToUpper(got.SDP), " H264/"):
		return failure(UnsupportedCodec)
	case err != nil:
		return failure(NotAStream)
	}
	sdp, err := c.describe(ctx, true)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil, !strings.Contains(sdp, "a=rtpmap:"): // nothing of what is offered can be taken
		return failure(UnsupportedCodec)
	}
	if _, err = c.post(ctx, typeJSON, mustJSON(signal{Type: "answer", ID: got.ID, SDP: sdp})); err == errDialect {
		return failure(NotAStream)
	}
	return err
}

// describe makes our side's description, with all its addresses: none is sent later.
func (c *call) describe(ctx context.Context, answer bool) (sdp string, err error) {
	if d := c.peer.LocalDescription(); d != nil { // for a dialect that was not understood
		return d.SDP, nil
	}
	var d webrtc.SessionDescription
	if answer {
		d, err = c.peer.CreateAnswer(nil)
	} else {
		d, err = c.peer.CreateOffer(nil)
	}
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(c.peer)
	if err := c.peer.SetLocalDescription(d); err != nil {
		return "", err
	}
	select {
	case <-gathered:
		return c.peer.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// signal is a message of the dialects in JSON.
type signal struct {
	Type string `json:"type"`
	ID   string `json:"id,omitzero"`
	SDP  string `json:"sdp"`
}

// parseSignal reads one of a type. Of its other fields, such as relays that a camera names, nothing is used. An offer has
// an id to answer to.
func parseSignal(body []byte, kind string) (s signal, ok bool) {
	if json.Unmarshal(bytes.TrimSpace(body), &s) != nil || s.Type != kind || len(s.SDP) > maxSDP || !strings.HasPrefix(s.SDP, "v=0") ||
		len(s.ID) > maxID || (kind == "offer") != (s.ID != "") {
		return signal{}, false
	}
	return s, true
}

func mustJSON(s signal) string {
	b, err := json.Marshal(s)
	if err != nil { // strings can always be written
		panic(err)
	}
	return string(b)
}
