package camera

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	patience    = 60 * time.Second
	deviceToken = "the device's token"
	testUUID    = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"
	otherUUID   = "2b4e28ba-2fa1-4d2e-883f-0016d3cca427"
)

// needFFmpeg leaves a test out where ffmpeg is missing; FACTOR_TEST_REQUIRE makes that a failure.
func needFFmpeg(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("FACTOR_TEST_REQUIRE") != "" {
			t.Fatal("ffmpeg is not installed")
		}
		t.Skip("ffmpeg is not installed")
	}
}

// made keeps what ffmpeg made: each kind once for all tests.
var made sync.Map

// ffmpegOutput gives the output of ffmpeg with a moving test picture as its input.
func ffmpegOutput(t testing.TB, arguments ...string) []byte {
	t.Helper()
	needFFmpeg(t)
	name := strings.Join(arguments, " ")
	if b, ok := made.Load(name); ok {
		return b.([]byte)
	}
	all := append([]string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"}, arguments...)
	out, err := exec.Command("ffmpeg", append(all, "pipe:1")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	made.Store(name, out)
	return out
}

// h264 gives access units in Annex B form: four seconds, a key frame each second.
func accessUnits(t testing.TB, options ...string) [][]byte {
	t.Helper()
	if len(options) == 0 {
		options = []string{"-bf", "0"}
	}
	arguments := append([]string{"-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-x264-params", "aud=1:scenecut=0", "-pix_fmt", "yuv420p"}, options...)
	b := ffmpegOutput(t, append(arguments, "-f", "h264")...)
	var list [][]byte
	for part := range bytes.SplitSeq(b, []byte{0, 0, 0, 1, unitDelimiter}) {
		if len(part) > 0 {
			list = append(list, append([]byte{0, 0, 0, 1, unitDelimiter}, part...))
		}
	}
	if len(list) != 100 {
		t.Fatalf("%d access units", len(list))
	}
	return list
}

// jpegs gives a second of JPEGs.
func jpegs(t testing.TB) [][]byte {
	t.Helper()
	b := ffmpegOutput(t, "-t", "1", "-c:v", "mjpeg", "-q:v", "6", "-f", "image2pipe")
	var list [][]byte
	for _, part := range bytes.SplitAfter(b, []byte{0xff, 0xd9}) {
		if len(part) > 100 {
			list = append(list, part)
		}
	}
	return list
}

// site is a hub behind HTTP, with a printer and its device.
type site struct {
	*Service
	url    string
	bus    *bus.Bus
	device *device

	mu      sync.Mutex
	cameras []Camera
	roles   map[string]bool // who may see the printer
	gone    map[string]bool // sessions that have ended
	online  bool
	uplink  int
	agent   bool
	token   string
}

func (s *site) Place(uuid string) (workspace.Target, bool) {
	if uuid != testUUID && uuid != otherUUID {
		return workspace.Target{}, false
	}
	return workspace.Target{WorkspaceID: "w", PrinterID: "printer of " + uuid}, true
}

func (s *site) Find(printerID string) (string, bool) {
	uuid, ok := strings.CutPrefix(printerID, "printer of ")
	return uuid, ok
}

func (s *site) Cameras(string) []Camera {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.cameras)
}

func (s *site) Uplink(string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uplink
}

func (s *site) Device(string) Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Device{Online: s.online, Agent: s.agent, Published: !s.agent}
}

func (s *site) Login(_ context.Context, uuid, token string, _ netip.Addr) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token != s.token {
		return "", errors.New("wrong token")
	}
	return "printer of " + uuid, nil
}

func (s *site) Can(_ context.Context, a workspace.Actor, _ workspace.Action, _ workspace.Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.SignedIn() {
		return problem.ErrNotSignedIn
	}
	if !s.roles[a.UserID] {
		return problem.NotFound("printer")
	}
	return nil
}

// Publish is Devices': what the hub says to the device.
func (s *site) Publish(_ string, kind wire.Kind, payload []byte, _ byte) error {
	if !s.Device("").Online {
		return errors.New("offline")
	}
	s.device.told(kind, slices.Clone(payload))
	return nil
}

func (s *site) change(fn func()) {
	s.mu.Lock()
	fn()
	s.mu.Unlock()
	s.bus.PrinterChanged.Publish(bus.PrinterChanged{PrinterID: "printer of " + testUUID, UUID: testUUID, WorkspaceID: "w"})
}

func mustServe(t testing.TB, change ...func(*Service)) *site {
	t.Helper()
	s := &site{bus: &bus.Bus{}, cameras: []Camera{{ID: "cam1", Name: "노즐 캠", URL: "http://user:secret@192.0.2.1/stream"}, {ID: "cam2", Name: "Bed", URL: "http://192.0.2.2/"}},
		roles: map[string]bool{"owner": true, "viewer": true}, gone: map[string]bool{}, online: true, agent: true, token: deviceToken}
	s.device = &device{site: s, t: t, wants: make(chan wire.MediaOptions, 100)}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.Service = &Service{Printers: s, Devices: s, Access: s, Bus: s.bus, TCP: tcp, UDP: udp}
	for _, c := range change {
		c(s.Service)
	}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	mux := http.NewServeMux()
	s.Register(humago.New(mux, huma.DefaultConfig("test", "1")))
	mux.HandleFunc("GET /api/device/link", s.ServeLink)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if user, session, ok := r.BasicAuth(); ok && user != testUUID && user != otherUUID {
			ctx = workspace.WithActor(ctx, workspace.Actor{UserID: user, SessionID: session, Via: workspace.ViaSession, Language: "ko"})
			ctx = workspace.WithCheck(ctx, func(context.Context) bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return !s.gone[session]
			})
		}
		mux.ServeHTTP(w, r.WithContext(ctx))
	}))
	s.url = server.URL
	t.Cleanup(func() {
		cancel()
		<-done
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		s.device.wait()
		server.Close()
	})
	return s
}

// as gives a client of somebody with a session; nobody's is "".
func (s *site) request(t testing.TB, user, method, path string, body []byte, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, user+"'s session")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func do(t testing.TB, r *http.Request) *http.Response {
	t.Helper()
	resp, err := (&http.Client{Timeout: 0}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

const camPath = "/api/v1/printers/" + testUUID + "/cameras/cam1"

// device is the computer beside the printer: it opens links as it is told, and sends what the test gives it.
type device struct {
	site  *site
	t     testing.TB
	wants chan wire.MediaOptions

	mu       sync.Mutex
	info     wire.MediaInfo
	frames   [][]byte
	wanted   []wanted           // of each camera, as it was told
	report   *wire.CameraReport // sent in place of frames
	every    time.Duration
	quiet    bool // it has come to send nothing more, on a link that stays open
	silent   bool
	opened   int
	changes  int // of what is sent
	commands []wire.CameraCommand
	running  sync.WaitGroup
	clock    func(i int) uint64 // of frame i; nil: now
	link     *websocket.Conn
	plugin   func(wire.PluginCamera) // in place of our agent
}

// wanted is what a camera's link was told.
type wanted struct {
	camera string
	wire.MediaOptions
}

func (d *device) hears(camera string, o wire.MediaOptions) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = append(d.wanted, wanted{camera, o})
}

func (d *device) gives(info wire.MediaInfo, frames [][]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info, d.frames, d.every = info, frames, 40*time.Millisecond
}

func (d *device) told(kind wire.Kind, payload []byte) {
	if d.plugin != nil {
		var c wire.PluginCamera
		if err := json.Unmarshal(payload, &c); err != nil || kind != wire.KindCamera {
			d.t.Errorf("told %s of kind %d", payload, kind)
		}
		d.plugin(c)
		return
	}
	var c wire.CameraCommand
	if err := json.Unmarshal(payload, &c); err != nil || kind != wire.KindCamera {
		d.t.Errorf("told %s of kind %d", payload, kind)
		return
	}
	d.mu.Lock()
	d.commands = append(d.commands, c)
	silent := d.silent
	d.mu.Unlock()
	if c.Action == "open" && !silent {
		d.hears(c.Camera, c.Options)
		d.running.Go(func() { d.open(c) })
	}
}

// becomes has the open link go on with other frames.
func (d *device) becomes(t *testing.T, info wire.MediaInfo, frames [][]byte) {
	t.Helper()
	d.gives(info, frames)
	d.mu.Lock()
	d.changes++
	d.mu.Unlock()
}

func (d *device) wait() { d.running.Wait() }

// dial opens a link.
func (d *device) dial(ctx context.Context, uuid, token, camera, link string) (*websocket.Conn, *http.Response, error) {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(uuid, token)
	return websocket.Dial(ctx, "ws"+strings.TrimPrefix(d.site.url, "http")+"/api/device/link?kind=camera&camera="+camera+"&link="+link,
		&websocket.DialOptions{HTTPHeader: r.Header})
}

func (d *device) open(c wire.CameraCommand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ws, _, err := d.dial(ctx, testUUID, d.site.token, c.Camera, c.Link)
	if err != nil {
		return // the stream has ended meanwhile
	}
	defer ws.CloseNow()
	d.mu.Lock()
	d.opened++
	d.link = ws
	info, frames, every, report, clock := d.info, d.frames, d.every, d.report, d.clock
	d.mu.Unlock()
	go func() { // reads until the hub closes the link
		defer cancel()
		for {
			_, m, err := ws.Read(ctx)
			if err != nil {
				return
			}
			kind, _, _, payload, err := wire.ParseMedia(m)
			var o wire.MediaOptions
			if err != nil || kind != wire.MediaWant || json.Unmarshal(payload, &o) != nil {
				d.t.Errorf("the device was sent %q", m)
				return
			}
			d.hears(c.Camera, o)
			d.wants <- o
		}
	}()
	send := func(kind wire.MediaKind, flags byte, at uint64, payload []byte) bool {
		return ws.Write(ctx, websocket.MessageBinary, append(wire.AppendMedia(nil, kind, flags, at), payload...)) == nil
	}
	if report != nil {
		b, _ := json.Marshal(report)
		send(wire.MediaState, 0, 0, b)
		<-ctx.Done()
		return
	}
	var kind wire.MediaKind
	configure := func() {
		b, _ := json.Marshal(info)
		send(wire.MediaConfig, 0, 0, b)
		if kind = wire.MediaH264; info.Codec == "jpeg" {
			kind = wire.MediaJPEG
		}
	}
	configure()
	changes := 0
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; len(frames) > 0; i++ {
		d.mu.Lock()
		if now := d.changes; now != changes {
			changes, i, info, frames = now, 0, d.info, d.frames
			d.quiet = len(frames) == 0
			d.mu.Unlock()
			if len(frames) == 0 {
				break
			}
			configure()
		} else {
			d.mu.Unlock()
		}
		at := uint64(time.Now().UnixMicro())
		if clock != nil {
			at = clock(i)
		}
		if !send(kind, 0, at, frames[i%len(frames)]) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	<-ctx.Done()
}

// until asks again and again whether something is so.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.After(patience)
	for !ok() {
		select {
		case <-end:
			t.Fatalf("never happened: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
