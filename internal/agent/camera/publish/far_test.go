package publish

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	patience = 60 * time.Second
	childEnv = "FACTOR_TEST_CHILD"
	uuid     = "0b0cd4a2-6f4b-4a53-9b43-3c9d0a0d7c11"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "publish" && len(os.Args) > 1 && os.Args[1] == Command {
		if err := Child(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// message is what came over a link.
type message struct {
	kind    wire.MediaKind
	key     bool
	at      uint64
	payload []byte
	info    wire.MediaInfo // the last one before it
}

// far is the server's end of media links.
type far struct {
	t      *testing.T
	url    string
	pause  sync.Mutex // held: nothing is read
	small  bool       // what the network holds
	change chan struct{}

	mu      sync.Mutex // holds what follows
	got     []message
	reports []wire.CameraReport
	links   []string
	live    int
	ws      *websocket.Conn
	refuse  int // status
}

func newFar(t *testing.T, small bool) *far {
	f := &far{t: t, change: make(chan struct{}), small: small}
	s := httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	if small {
		s.Listener.Close()
		config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 64<<10) })
		}}
		var err error
		if s.Listener, err = config.Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func (f *far) serve(w http.ResponseWriter, r *http.Request) {
	name, token, _ := r.BasicAuth()
	q := r.URL.Query()
	f.mu.Lock()
	refuse := f.refuse
	f.mu.Unlock()
	if r.URL.Path != "/api/device/link" || name != uuid || token != "token" || q.Get("kind") != "camera" || q.Get("camera") == "" || refuse != 0 {
		w.WriteHeader(max(refuse, http.StatusUnauthorized))
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ws.SetReadLimit(wire.MediaHeader + wire.MaxJPEG)
	f.update(func() { f.links, f.ws, f.live = append(f.links, q.Get("link")), ws, f.live+1 })
	defer f.update(func() { f.live-- })
	var info wire.MediaInfo
	for {
		f.unpaused()
		_, m, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		kind, flags, at, payload, err := wire.ParseMedia(m)
		if err != nil {
			f.t.Errorf("%v of %d bytes", err, len(m))
			return
		}
		f.update(func() {
			switch kind {
			case wire.MediaConfig:
				info = wire.MediaInfo{}
				if err := json.Unmarshal(payload, &info); err != nil {
					f.t.Error(err)
				}
			case wire.MediaState:
				var r wire.CameraReport
				if err := json.Unmarshal(payload, &r); err != nil {
					f.t.Error(err)
				}
				f.reports = append(f.reports, r)
			default:
				f.got = append(f.got, message{kind, flags&wire.MediaKeyFrame != 0, at, payload, info})
			}
		})
	}
}

func (f *far) update(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	close(f.change)
	f.change = make(chan struct{})
}

// await waits until the condition holds; it is called with the lock held.
func (f *far) await(what string, ok func() bool) {
	f.t.Helper()
	late := time.After(patience)
	for {
		f.mu.Lock()
		done, change := ok(), f.change
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-change:
		case <-late:
			f.mu.Lock()
			defer f.mu.Unlock()
			f.t.Fatalf("%s did not come: %d frames, %+v", what, len(f.got), f.reports)
		}
	}
}

func (f *far) want(o wire.MediaOptions) {
	f.t.Helper()
	f.mu.Lock()
	ws := f.ws
	f.mu.Unlock()
	b, _ := json.Marshal(o)
	if err := ws.Write(context.Background(), websocket.MessageBinary, append(wire.AppendMedia(nil, wire.MediaWant, 0, 0), b...)); err != nil {
		f.t.Error(err)
	}
}

// said tells whether a report with a code has come.
func (f *far) said(state, code string) func() bool {
	return func() bool {
		for _, r := range f.reports {
			if r.State == state && r.Code == code {
				return true
			}
		}
		return false
	}
}

// rig is the agent's side: a publisher whose processes are this test program.
type rig struct {
	*Publisher
	far *far
	log *bytes.Buffer
}

func newRig(t *testing.T, f *far) *rig {
	t.Helper()
	t.Setenv(childEnv, "publish")
	r := &rig{far: f, log: new(bytes.Buffer)}
	var writing sync.Mutex
	r.Publisher = &Publisher{Program: os.Args[0], Server: f.url, UUID: uuid, Token: "token",
		Now: func() (time.Time, bool) { return time.Now().Add(time.Hour), true },
		Log: slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
			writing.Lock()
			defer writing.Unlock()
			return r.log.Write(b)
		}), nil))}
	t.Cleanup(r.Close)
	return r
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }

func (r *rig) open(url string, o wire.MediaOptions) {
	r.Command(wire.CameraCommand{Action: "open", Camera: "cam", Link: fmt.Sprint("link-", time.Now().UnixNano()), Options: o,
		Source: &wire.CameraInput{URL: url, Rotation: 90, FlipH: true}})
}

// still makes a JPEG that carries a number.
func still(t testing.TB, width, height, number int, noise bool) []byte {
	t.Helper()
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	seed := uint32(number + 1)
	for i := range img.Y {
		seed = seed*1664525 + 1013904223
		if img.Y[i] = uint8(i + number); noise {
			img.Y[i] = uint8(seed >> 24)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return numbered(out.Bytes(), number)
}

// numbered puts a number into a JPEG, as a comment.
func numbered(frame []byte, number int) []byte {
	comment := binary.BigEndian.AppendUint32([]byte{0xff, 0xfe, 0, 6}, uint32(number))
	return append(append(append([]byte{}, frame[:2]...), comment...), frame[2:]...)
}

func numberOf(frame []byte) int {
	if !bytes.HasPrefix(frame[2:], []byte{0xff, 0xfe, 0, 6}) {
		return -1
	}
	return int(binary.BigEndian.Uint32(frame[6:]))
}

// mjpeg is a camera that sends numbered pictures, so many a second.
type mjpeg struct {
	frame []byte
	every time.Duration

	mu     sync.Mutex
	last   int
	open   int
	opened int  // times
	gone   bool // the camera is switched off
}

func newMJPEG(t *testing.T, width, height int, noise bool, every time.Duration) (*mjpeg, string) {
	m := &mjpeg{frame: still(t, width, height, 0, noise)[10:], every: every}
	m.frame = append([]byte{0xff, 0xd8}, m.frame...)
	s := httptest.NewServer(m)
	t.Cleanup(func() {
		m.mu.Lock()
		m.gone = true
		m.mu.Unlock()
		s.Close()
	})
	return m, s.URL
}

func (m *mjpeg) newest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

func (m *mjpeg) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.open++
	m.opened++
	gone := m.gone
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.open--
		m.mu.Unlock()
	}()
	if gone {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary=b")
	tick := time.NewTicker(m.every)
	defer tick.Stop()
	for {
		m.mu.Lock()
		m.last++
		n, gone := m.last, m.gone
		m.mu.Unlock()
		if gone {
			return
		}
		if _, err := fmt.Fprintf(w, "--b\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n", numbered(m.frame, n)); err != nil {
			return
		}
		http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// sizeOf decodes a picture.
func sizeOf(t *testing.T, frame []byte) (width, height int) {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := img.At(0, 0).(color.YCbCr); !ok {
		t.Fatalf("%T", img)
	}
	return img.Bounds().Dx(), img.Bounds().Dy()
}

// unpaused returns once no test holds the reading up.
func (f *far) unpaused() {
	f.pause.Lock()
	defer f.pause.Unlock()
}
