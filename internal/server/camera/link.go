package camera

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// What one link may send. 4K at 60 pictures a second stays below both.
const (
	linkMessages     = 240     // a second
	linkWords        = 20      // a second, of what is said about the stream
	linkBytes        = 8 << 20 // a second
	linkBurst        = 24 << 20
	linkWriteTimeout = 5 * time.Second
	maxMessage       = wire.MediaHeader + wire.MaxJPEG
)

var (
	errLink     = problem.New(http.StatusNotFound, "link_unknown", "There is no such link to open: it was opened already, is too old, or nobody asked for it.")
	errLinkKind = problem.Field("kind_unknown", "kind", "The kinds of link of this version: camera.")
	errDevice   = problem.New(http.StatusUnauthorized, "not_signed_in", "A device logs in with its UUID and its token (Basic).")
)

// link is the connection on which a device sends one camera. One goroutine reads, one writes.
type link struct {
	s      *Service
	st     *stream
	opened time.Time
	uuid   string
	token  string
	from   netip.Addr
	ws     *websocket.Conn
	out    chan []byte  // for the device
	heard  atomic.Int64 // when a message last came, Unix ms
	ended  context.Context
	end    context.CancelCauseFunc
}

// send hands the device a message and never waits: of what is wanted only the last counts.
func (l *link) send(kind wire.MediaKind, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		return
	}
	m := append(wire.AppendMedia(nil, kind, 0, 0), b...)
	for {
		select {
		case l.out <- m:
			return
		default:
		}
		select {
		case <-l.out:
		default:
		}
	}
}

func (l *link) close(why error) { l.end(why) }

// ServeLink is GET /api/device/link: a device opens the link that it was told of over MQTT.
func (s *Service) ServeLink(w http.ResponseWriter, r *http.Request) {
	uuid, token, ok := r.BasicAuth()
	if !ok || !wire.ValidUUID(uuid) || token == "" || len(token) > 256 {
		errDevice.Write(w)
		return
	}
	from := addressOf(r.RemoteAddr)
	printerID, err := s.Printers.Login(r.Context(), uuid, token, from)
	if err != nil {
		errDevice.Write(w)
		return
	}
	q := r.URL.Query()
	if q.Get("kind") != "camera" {
		errLinkKind.Write(w)
		return
	}
	st := s.find(streamKey{printerID, q.Get("camera")}) // of its own printer: of no other one's
	if st == nil || !st.claim(q.Get("link")) {
		errLink.Write(w)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // no browser has a device's token
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow()
	ws.SetReadLimit(maxMessage)
	l := &link{s: s, st: st, opened: time.Now(), uuid: uuid, token: token, from: from, ws: ws, out: make(chan []byte, 1)}
	l.heard.Store(l.opened.UnixMilli())
	l.ended, l.end = context.WithCancelCause(s.ctx)
	defer l.end(nil)
	if err := st.accept(l); err != nil {
		_ = ws.Close(websocket.StatusPolicyViolation, "nobody looks any more")
		return
	}
	s.running.Add(1)
	defer s.running.Done()
	s.track(l, true)
	defer s.track(l, false)
	defer st.unlink(l)
	writing := make(chan struct{})
	go func() { defer close(writing); l.write() }()
	err = l.read()
	l.end(err)
	<-writing
	s.log.Debug("camera link ended", slog.String("printer", printerID), slog.String("camera", st.key.cameraID), slog.Any("why", context.Cause(l.ended)))
}

// claim spends the name that the device was told: it is good for one link.
func (st *stream) claim(name string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if name == "" || name == claimed || st.name != name || st.over || time.Since(st.asked) > linkAge {
		return false
	}
	st.name, st.asked = claimed, time.Now() // should nothing come of it, the device is asked again
	return true
}

func (s *Service) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

func (s *Service) track(l *link, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in {
		s.links[l] = struct{}{}
	} else {
		delete(s.links, l)
	}
}

// checkLinks ends the links of devices that may not log in any more.
func (s *Service) checkLinks(ctx context.Context) {
	s.mu.Lock()
	list := make([]*link, 0, len(s.links))
	for l := range s.links {
		list = append(list, l)
	}
	s.mu.Unlock()
	for _, l := range list {
		if id, err := s.Printers.Login(ctx, l.uuid, l.token, l.from); ctx.Err() == nil && (err != nil || id != l.st.key.printerID) {
			l.close(errRightEnded)
		}
	}
}

// write sends what the server wants, and closes the connection when the link ends.
func (l *link) write() {
	for {
		select {
		case <-l.ended.Done():
			said := make(chan struct{})
			go func() { defer close(said); _ = l.ws.Close(websocket.StatusNormalClosure, "") }()
			select { // the device is given a moment to answer; one that is gone would take 5 s
			case <-said:
			case <-time.After(time.Second):
			}
			_ = l.ws.CloseNow()
			return
		case m := <-l.out:
			ctx, cancel := context.WithTimeout(l.ended, linkWriteTimeout)
			err := l.ws.Write(ctx, websocket.MessageBinary, m)
			cancel()
			if err != nil {
				l.end(err)
			}
		}
	}
}

var errBadMedia = errors.New("the device sent what no media link carries")

// read takes what the device sends until the link ends.
func (l *link) read() error {
	messages := rate.NewLimiter(linkMessages, 2*linkMessages)
	words := rate.NewLimiter(linkWords, 10*linkWords)
	bytes := rate.NewLimiter(linkBytes, linkBurst)
	for {
		kind, m, err := l.ws.Read(context.Background()) // ends when write closes the connection
		if err != nil {
			return err
		}
		now := time.Now()
		l.heard.Store(now.UnixMilli())
		if kind != websocket.MessageBinary || len(m) < wire.MediaHeader {
			return errBadMedia
		}
		if !messages.AllowN(now, 1) || !bytes.AllowN(now, len(m)) {
			l.s.count.dropped.WithLabelValues("rate").Inc()
			if m[0] != byte(wire.MediaConfig) && m[0] != byte(wire.MediaState) {
				continue
			}
		}
		// These are never left out, so a device that says too much of them loses its link: each has all viewers looked at.
		if (m[0] == byte(wire.MediaConfig) || m[0] == byte(wire.MediaState)) && !words.AllowN(now, 1) {
			return errBadMedia
		}
		if err := l.take(m, now); err != nil {
			return err
		}
	}
}

func (l *link) take(m []byte, now time.Time) error {
	kind, _, at, payload, err := wire.ParseMedia(m)
	if err != nil {
		return err
	}
	l.s.count.bytesIn.Add(float64(len(m)))
	switch kind {
	case wire.MediaConfig:
		var info wire.MediaInfo
		if json.Unmarshal(payload, &info) != nil || !validInfo(&info) {
			return errBadMedia
		}
		l.st.fromLink(l, func() { l.st.configure(info) })
	case wire.MediaState:
		var r wire.CameraReport
		if json.Unmarshal(payload, &r) != nil {
			return errBadMedia
		}
		l.st.fromLink(l, func() { l.st.reported(r) })
	case wire.MediaJPEG:
		if !isJPEG(payload) {
			l.s.count.dropped.WithLabelValues("malformed").Inc()
			return nil
		}
		l.st.fromLink(l, func() {
			l.st.take(&frame{kind: frameJPEG, key: true, at: when(at, now), received: now, data: payload})
		})
	case wire.MediaH264:
		units, err := splitAnnexB(payload)
		if err != nil {
			l.s.count.dropped.WithLabelValues("malformed").Inc()
			return nil
		}
		l.st.fromLink(l, func() {
			l.st.take(&frame{kind: frameH264, at: when(at, now), received: now, data: payload, units: units})
		})
	case wire.MediaWant: // is for the other direction
	}
	return nil
}

// fromLink does something unless the link is not the stream's any more.
func (st *stream) fromLink(l *link, fn func()) {
	st.mu.Lock()
	current := st.link == l
	st.mu.Unlock()
	if current {
		fn()
	}
}

// kinds and codecs of a stream, as an agent may name them.
var (
	linkKinds  = []string{"mjpeg", "jpeg", "rtsp", "rtmp", "hls", "whep", "v4l2"}
	linkCodecs = []string{"h264", "jpeg"}
)

func validInfo(i *wire.MediaInfo) bool {
	ok := false
	for _, k := range linkKinds {
		ok = ok || i.Kind == k
	}
	known := false
	for _, c := range linkCodecs {
		known = known || i.Codec == c
	}
	if !ok || !known || i.Width < 0 || i.Width > 16384 || i.Height < 0 || i.Height > 16384 || i.FPS < 0 || i.FPS > 1000 {
		return false
	}
	i.Source, _ = wire.CleanText(i.Source, 16)
	i.Encoder, _ = wire.CleanText(i.Encoder, 40)
	if !slices.Contains(wire.EncodeReasons, i.Why) {
		i.Why = ""
	}
	i.Needs = min(max(i.Needs, 0), 1_000_000)
	if i.Rotation != 90 && i.Rotation != 180 && i.Rotation != 270 {
		i.Rotation = 0
	}
	return true
}

func addressOf(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}
