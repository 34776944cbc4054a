package camera

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Service is the hub of this server. Fill in the exported fields, then Initialize; Run works until its context ends,
// Close ends every stream. mu guards streams and users; a stream guards itself.
type Service struct {
	Printers Printers
	Devices  Devices
	Access   Access
	Bus      *bus.Bus
	Log      *slog.Logger          // nil: silent
	Metrics  prometheus.Registerer // nil: counted, shown nowhere
	Limits   Limits

	// WebRTC's ports, both of the same number; nil is off. The hub closes them.
	UDP net.PacketConn
	TCP net.Listener
	// PublicAddresses are what viewers are told in place of this machine's own addresses, behind NAT.
	PublicAddresses []netip.Addr
	// TURN is the relays that viewers are told of.
	TURN TURN

	// RTSP is where the published plugin publishes to; nil is off. Host gives the name by which a device reaches this
	// server; nil: this machine. PublicURL is "" where there is none.
	RTSP      net.Listener
	Host      func(uuid string) string
	PublicURL string

	// FFmpeg is the program that makes JPEGs of H.264; "" looks for it on the PATH, "off" does without.
	FFmpeg string

	log      *slog.Logger
	limits   Limits
	count    *counters
	key      [32]byte // of viewing tokens: they end with the process
	ends     []func() // of subscriptions to the bus
	jobs     chan func(context.Context)
	missed   atomic.Bool // a job found no room
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
	webrtc   rtcDoor
	ffmpeg   decoderProgram
	rtsp     *rtspDoor
	tokens   tokens
	reported reports

	mu       sync.Mutex
	stopping bool
	streams  map[streamKey]*stream
	sessions map[string]*session // of WebRTC and HLS, by id
	users    map[string]int      // viewers by account
	printers map[string]int      // viewers by printer
	viewers  map[*viewer]struct{}
	links    map[*link]struct{}
}

// Initialize readies the hub. It opens nothing that costs before the first viewer comes.
func (s *Service) Initialize() error {
	if s.Printers == nil || s.Devices == nil || s.Access == nil || s.Bus == nil {
		return errors.New("camera: Printers, Devices, Access and Bus are needed")
	}
	if s.log = s.Log; s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.limits = s.Limits.orDefault()
	rand.Read(s.key[:])
	s.streams, s.sessions = map[streamKey]*stream{}, map[string]*session{}
	s.users, s.printers, s.viewers, s.links = map[string]int{}, map[string]int{}, map[*viewer]struct{}{}, map[*link]struct{}{}
	s.jobs = make(chan func(context.Context), 256)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.count = newCounters(s.Metrics, s)
	s.running.Go(s.work)
	s.listen()
	return s.startRTSP()
}

// Run looks after the streams until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s.sweep(now)
		case <-recheck.C:
			s.recheck(ctx)
		}
	}
}

// Close ends every stream, link and viewer, and the ports.
func (s *Service) Close(context.Context) error {
	for _, end := range s.ends {
		end()
	}
	s.mu.Lock()
	s.stopping = true
	streams := make([]*stream, 0, len(s.streams))
	for _, st := range s.streams {
		streams = append(streams, st)
	}
	s.mu.Unlock()
	for _, st := range streams {
		st.shut(errServerStops)
	}
	s.closeSessions()
	s.cancel()
	s.closeRTSP()
	s.webrtc.close(s)
	s.running.Wait()
	return nil
}

func (s *Service) sweep(now time.Time) {
	list := s.all()
	s.share(list)
	for _, st := range list {
		if st.sweep(now) {
			s.forget(st)
		}
	}
	s.sweepSessions(now)
}

func (s *Service) all() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*stream, 0, len(s.streams))
	for _, st := range s.streams {
		list = append(list, st)
	}
	return list
}

func (s *Service) forget(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[st.key] == st {
		delete(s.streams, st.key)
	}
}

// find gives the stream of a camera if it runs.
func (s *Service) find(key streamKey) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[key]
}

// stream gives the stream of a camera, a new one where none runs. Errors: errTooMany, errStopping.
func (s *Service) stream(at place) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, errStopping
	}
	key := at.key()
	if st := s.streams[key]; st != nil && !st.isOver() {
		return st, nil
	}
	if len(s.streams) >= s.limits.Streams {
		return nil, errTooMany
	}
	st := newStream(s, key, at.uuid, at.camera)
	others := 0
	for other := range s.streams {
		if other.printerID == key.printerID {
			others++
		}
	}
	st.share.Store(int64(s.shareOf(st, 1, others+1))) // until the next sweep knows who watches what
	s.streams[key] = st
	return st, nil
}

func (st *stream) isOver() bool {
	select {
	case <-st.done:
		return true
	default:
		return false
	}
}

// join has somebody look at a camera. Leave the viewer when he is done. Errors: errTooMany, errStopping.
func (s *Service) join(at place, rung Rung) (*viewer, error) {
	v := newViewer(rung, at.actor, at.check)
	s.mu.Lock()
	full := len(s.viewers) >= s.limits.Viewers || s.users[at.actor.UserID] >= s.limits.ViewersPerUser ||
		s.printers[at.target.PrinterID] >= s.limits.ViewersPerPrinter
	if !full {
		s.viewers[v] = struct{}{}
		s.users[at.actor.UserID]++
		s.printers[at.target.PrinterID]++
	}
	s.mu.Unlock()
	if full {
		return nil, errTooMany
	}
	v.leaving = func() { s.left(v, at.target.PrinterID) }
	for range 3 { // a stream may end between the two lines
		st, err := s.stream(at)
		if err != nil {
			v.leave()
			return nil, err
		}
		if st.crowded(s.limits.ViewersPerCamera) {
			v.leave()
			return nil, errTooMany
		}
		if st.join(v) == nil {
			s.mu.Lock()
			v.stream = st
			s.mu.Unlock()
			s.count.viewers.WithLabelValues(string(rung)).Inc()
			// A right that ended between the request and this line found no viewer to end.
			s.later(func(ctx context.Context) { s.checkViewers(ctx, []*viewer{v}) })
			return v, nil
		}
		s.forget(st)
	}
	v.leave()
	return nil, errStopping
}

func (st *stream) crowded(limit int) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.viewers) >= limit
}

func (s *Service) left(v *viewer, printerID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.viewers, v)
	for _, c := range []struct {
		of map[string]int
		by string
	}{{s.users, v.actor.UserID}, {s.printers, printerID}} {
		if c.of[c.by]--; c.of[c.by] <= 0 {
			delete(c.of, c.by)
		}
	}
}

func (s *Service) publish(uuid string, c wire.CameraCommand) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.Devices.Publish(uuid, wire.KindCamera, b, 1)
}

// place is a camera that somebody may look at.
type place struct {
	target workspace.Target
	uuid   string
	camera Camera
	actor  workspace.Actor
	check  workspace.Check
	token  bool // asked for with a viewing token
}

func (p place) key() streamKey { return streamKey{p.target.PrinterID, p.camera.ID} }

// ErrInvalid says that a device's message is none.
var ErrInvalid = errors.New("invalid message")

// newSecret gives a name that cannot be guessed: 128 bits.
func newSecret() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func readRandom(b []byte) { _, _ = rand.Read(b) } // never fails
