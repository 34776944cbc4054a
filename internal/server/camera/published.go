package camera

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// The published plugin (2.8.5) runs ffmpeg, which publishes its one camera by RTSP. It answers a command with its
// state, and says nothing by itself: whether ffmpeg lives is asked.
const (
	publishFPS    = 15
	publishKbps   = 2000
	publishAsk    = 4 * time.Second  // after a start, and again and again until the stream is there
	publishSettle = 15 * time.Second // ffmpeg is given so long before it is started anew
	publishTries  = 6
)

// encoders are tried in this order: a Raspberry Pi's own, then the one that every ffmpeg has.
var encoders = []string{"v4l2m2m", "libx264"}

// publication is the published plugin's stream, from the command to begin until the one to stop. Its stream's mu
// guards it.
type publication struct {
	name    string // of the RTSP path, and the key to it
	encoder int    // of encoders
	started time.Time
	asked   time.Time
	tries   int
	session *gortsplib.ServerSession // nil: it does not publish yet
}

// refusedByPlugin are characters that the published plugin takes in no address.
const refusedByPlugin = ";&|`$()<>\n\r"

// drivePublished has the published plugin do what is needed now. mu must be held.
func (st *stream) drivePublished(now time.Time) {
	u, err := url.Parse(st.camera.URL)
	switch {
	case st.s.RTSP == nil:
		st.fail(TroubleNoRTSP)
		return
	case err != nil || (u.Scheme != "http" && u.Scheme != "https"):
		st.fail(TroubleHTTPOnly)
		return
	case strings.ContainsAny(st.camera.URL, refusedByPlugin):
		st.fail(TroublePluginAddress)
		return
	}
	p := st.publishing
	switch {
	case p == nil:
		p = &publication{name: newSecret()}
		if !st.s.expect(st, p.name) {
			st.fail(Trouble(wire.CameraBusy))
			return
		}
		st.publishing = p
		st.startPublished(now)
	case p.session != nil:
	case now.Sub(p.started) > publishSettle:
		if p.tries++; p.tries >= publishTries {
			p.tries = publishTries // it goes on, at the same pace, with the trouble said
			st.fail(TroublePublish)
		}
		st.startPublished(now)
	case now.Sub(p.asked) > publishAsk:
		p.asked = now
		st.tellPlugin(wire.PluginCamera{Action: "state"})
	}
}

// startPublished begins or begins anew. A running ffmpeg would keep its options at a start. mu must be held.
func (st *stream) startPublished(now time.Time) {
	p := st.publishing
	p.started, p.asked = now, now
	kbps := st.kbps()
	if kbps == 0 {
		kbps = publishKbps
	}
	st.tellPlugin(wire.PluginCamera{Action: "restart", Options: &wire.PluginCameraOptions{
		Input: st.camera.URL, Name: p.name, RTSPBase: st.s.rtspBase(st.uuid), WebRTCBase: st.s.webBase(), FPS: publishFPS,
		BitrateKbps: min(max(kbps, 100), 20000), Encoder: encoders[p.encoder], LowLatency: true}})
}

func (st *stream) tellPlugin(c wire.PluginCamera) {
	b, err := json.Marshal(c)
	if err == nil {
		err = st.s.Devices.Publish(st.uuid, wire.KindCamera, b, 1)
	}
	if err != nil {
		st.fail(TroubleOffline)
	}
}

// stopPublished ends the publication: its key is good for nothing any more. mu must be held.
func (st *stream) stopPublished() {
	p := st.publishing
	if p == nil {
		return
	}
	st.publishing = nil
	st.s.expectNoMore(p.name)
	if p.session != nil {
		go p.session.Close() // it calls back, which takes mu
	}
	b, err := json.Marshal(wire.PluginCamera{Action: "stop"})
	if err == nil {
		_ = st.s.Devices.Publish(st.uuid, wire.KindCamera, b, 1) // away: its ffmpeg finds the door closed
	}
}

// State takes camera/{id}/state of the published plugin.
func (s *Service) State(printerID string, payload []byte) error {
	var state wire.PluginCameraState
	if len(payload) > wire.MaxMediaJSON || json.Unmarshal(payload, &state) != nil {
		return ErrInvalid
	}
	for _, st := range s.all() {
		if st.key.printerID == printerID {
			st.pluginSaid(state, time.Now())
		}
	}
	return nil
}

func (st *stream) pluginSaid(state wire.PluginCameraState, now time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	p := st.publishing
	// Right after the start ffmpeg lives in any case; what it says then is nothing.
	if p == nil || p.session != nil || state.Running || now.Sub(p.started) < publishAsk/4 {
		return
	}
	st.s.log.Debug("the published plugin's ffmpeg does not run", slog.String("printer", st.key.printerID), slog.String("encoder", encoders[p.encoder]))
	p.encoder = (p.encoder + 1) % len(encoders)
	if p.tries++; p.tries >= publishTries {
		st.fail(TroublePublish)
	}
	if p.tries < publishTries {
		st.startPublished(now)
	}
}

// rtspBase gives the address that a device publishes to.
func (s *Service) rtspBase(uuid string) string {
	host := "127.0.0.1"
	if s.Host != nil {
		host = s.Host(uuid)
	}
	port := 0
	if a, ok := s.RTSP.Addr().(*net.TCPAddr); ok {
		port = a.Port
	}
	return "rtsp://" + net.JoinHostPort(host, strconv.Itoa(port))
}

func (s *Service) webBase() string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	return "https://localhost"
}
