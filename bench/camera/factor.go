package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/coder/websocket"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/bench/rig"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// factor is bin/factor with a printer that has two cameras of the source: H.264, and MJPEG.
type factor struct {
	server *rig.Server
	dir    string
	base   string // of the cameras' addresses
	ids    map[string]string
	uuid   string
	token  string
	source *source
	mqtt   mqtt.Client
	ctx    context.Context
	cancel context.CancelFunc
}

func startFactor(ctx context.Context, program string, s *source) (*factor, error) {
	dir, err := os.MkdirTemp("", "factor-bench-camera-")
	if err != nil {
		return nil, err
	}
	f := &factor{dir: dir, source: s, uuid: wire.NewUUID(), ids: map[string]string{}}
	f.ctx, f.cancel = context.WithCancel(ctx)
	if f.server, err = rig.Start(ctx, program, dir); err != nil {
		return nil, err
	}
	if err := f.server.Account(ctx); err != nil {
		return nil, err
	}
	if f.token, err = f.server.Printer(ctx, f.uuid, "Bench"); err != nil {
		return nil, err
	}
	f.base = "/api/v1/printers/" + f.uuid + "/cameras"
	var list struct{ Items []struct{ ID, Name string } }
	if err := f.server.Call(ctx, http.MethodPut, f.base, map[string]any{"items": []any{
		map[string]string{"name": "h264", "stream_url": "rtsp://127.0.0.1/h264"}, map[string]string{"name": "mjpeg", "stream_url": "http://127.0.0.1/mjpeg"},
	}}, &list); err != nil {
		return nil, err
	}
	for _, c := range list.Items {
		f.ids[c.ID] = c.Name
	}
	return f, f.connect()
}

// connect is the device: it opens links as it is told.
func (f *factor) connect() error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.server.CA)
	o := mqtt.NewClientOptions().AddBroker("tls://" + f.server.MQTTS).SetUsername(f.uuid).SetPassword(f.token).SetProtocolVersion(4).
		SetTLSConfig(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	f.mqtt = mqtt.NewClient(o)
	if t := f.mqtt.Connect(); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	presence, _ := json.Marshal(map[string]any{"online": true, "agent": "bench", "proto": 1, "caps": []string{"camera"}, "epoch": "bench", "since": 1})
	if t := f.mqtt.Publish("device/"+f.uuid+"/presence", 1, false, presence); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	t := f.mqtt.Subscribe("camera/"+f.uuid+"/cmd", 1, func(_ mqtt.Client, m mqtt.Message) {
		var c wire.CameraCommand
		if json.Unmarshal(m.Payload(), &c) == nil && c.Action == "open" {
			go f.open(c)
		}
	})
	t.Wait()
	return t.Error()
}

func (f *factor) open(c wire.CameraCommand) {
	header := http.Header{}
	r := &http.Request{Header: header}
	r.SetBasicAuth(f.uuid, f.token)
	q := url.Values{"kind": {"camera"}, "camera": {c.Camera}, "link": {c.Link}}
	ws, _, err := websocket.Dial(f.ctx, "ws"+strings.TrimPrefix(f.server.URL, "http")+"/api/device/link?"+q.Encode(), &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	jpeg := f.ids[c.Camera] == "mjpeg"
	info := wire.MediaInfo{Kind: "rtsp", Codec: "h264", Source: "h264", Width: 1280, Height: 720, FPS: 25}
	if jpeg {
		info.Kind, info.Codec, info.Source = "mjpeg", "jpeg", "mjpeg"
	}
	b, _ := json.Marshal(info)
	frames := make(chan []byte, 50)
	frames <- append(wire.AppendMedia(nil, wire.MediaConfig, 0, 0), b...)
	n := 0
	end := f.source.take(func(at time.Time, units [][]byte, _ bool) {
		var m []byte
		if jpeg {
			m = append(wire.AppendMedia(nil, wire.MediaJPEG, wire.MediaKeyFrame, uint64(at.UnixMicro())), f.source.jpegs[n%len(f.source.jpegs)]...)
			n++
		} else {
			m = append(wire.AppendMedia(nil, wire.MediaH264, 0, uint64(at.UnixMicro())), annexB(units)...)
		}
		select {
		case frames <- m:
		default:
		}
	})
	defer end()
	ctx, cancel := context.WithCancel(f.ctx)
	go func() {
		defer cancel()
		for { // what the server wants of the camera: it takes it as it is
			if _, _, err := ws.Read(ctx); err != nil {
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-frames:
			if ws.Write(ctx, websocket.MessageBinary, m) != nil {
				return
			}
		}
	}
}

func (f *factor) name() string { return "FACTOR" }

func (f *factor) auth() map[string]string {
	return map[string]string{"Authorization": "Bearer " + f.server.Token}
}

func (f *factor) whep() (string, map[string]string) {
	return f.server.URL + f.base + "/h264/whep", f.auth()
}

func (f *factor) cost() (time.Duration, int64, error) {
	cpu, err := f.server.CPU()
	if err != nil {
		return 0, 0, err
	}
	rss, err := f.server.RSS()
	return cpu, rss, err
}

func (f *factor) close() {
	f.cancel()
	f.mqtt.Disconnect(100)
	_ = f.server.Stop()
	_ = os.RemoveAll(f.dir)
}

// rungs measures from the camera to one viewer on each rung.
func (f *factor) rungs(ctx context.Context, span time.Duration) error {
	for _, r := range []struct {
		name, goal string
		watch      func(context.Context, time.Duration) (first time.Duration, delays []time.Duration, err error)
	}{{"WebRTC", "92 ms", f.watchWHEP}, {"LL-HLS", "1000 ms", f.watchHLS}, {"MJPEG", "50 ms", f.watchMJPEG}} {
		first, delays, err := r.watch(ctx, span)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Printf("%-7s camera to viewer p50 %s, p99 %s (goal to the screen: %s); first frame %s\n", r.name, quantile(delays, 0.5), quantile(delays, 0.99), r.goal, first.Round(time.Millisecond))
	}
	return nil
}

func (f *factor) watchWHEP(ctx context.Context, span time.Duration) (time.Duration, []time.Duration, error) {
	begun := time.Now()
	address, header := f.whep()
	p, err := play(ctx, address, header)
	if err != nil {
		return 0, nil, err
	}
	defer p.close()
	<-p.begun
	first := time.Since(begun)
	time.Sleep(time.Second) // what was kept comes first, and is as old as it is
	p.reset()
	time.Sleep(span)
	return first, p.taken(), nil
}

// watchMJPEG reads the time of each picture from its part's header.
func (f *factor) watchMJPEG(ctx context.Context, span time.Duration) (first time.Duration, delays []time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.server.URL+f.base+"/mjpeg/mjpeg", nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+f.server.Token)
	begun := time.Now()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, nil, errors.New(resp.Status)
	}
	parts := multipart.NewReader(bufio.NewReaderSize(resp.Body, 1<<20), "factor-frame")
	for time.Since(begun) < span {
		part, err := parts.NextRawPart()
		if err != nil {
			return 0, nil, err
		}
		size, err := strconv.Atoi(part.Header.Get("Content-Length"))
		if err != nil {
			return 0, nil, err
		}
		b := make([]byte, size)
		for n := 0; n < size; {
			m, err := part.Read(b[n:])
			if n += m; err != nil && n < size {
				return 0, nil, err
			}
		}
		if first == 0 {
			first = time.Since(begun)
		}
		if at, err := strconv.ParseFloat(part.Header.Get("X-Timestamp"), 64); err == nil {
			delays = append(delays, time.Since(time.UnixMicro(int64(at*1e6))))
		}
	}
	return first, delays, nil
}

// watchHLS measures when a frame comes to a player that keeps as far behind as the playlist asks for: a low-latency
// player begins PART-HOLD-BACK before the end and stays there.
func (f *factor) watchHLS(ctx context.Context, span time.Duration) (first time.Duration, delays []time.Duration, err error) {
	begun := time.Now()
	var mu sync.Mutex
	got := make(chan struct{}, 1)
	c := &gohlslib.Client{URI: f.server.URL + f.base + "/h264/hls/index.m3u8", HTTPClient: &http.Client{Transport: bearer(f.server.Token)},
		OnDownloadPrimaryPlaylist: func(string) {}, OnDownloadStreamPlaylist: func(string) {}, OnDownloadSegment: func(string) {}, OnDownloadPart: func(string) {}, OnDecodeError: func(error) {}}
	c.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, track := range tracks {
			if _, ok := track.Codec.(*codecs.H264); ok {
				c.OnDataH26x(track, func(_ int64, _ int64, au [][]byte) {
					at, ok := stamped(au)
					mu.Lock()
					defer mu.Unlock()
					if first == 0 {
						first = time.Since(begun)
					}
					if ok {
						delays = append(delays, time.Since(at))
					}
					select {
					case got <- struct{}{}:
					default:
					}
				})
			}
		}
		return nil
	}
	if err := c.Start(); err != nil {
		return 0, nil, err
	}
	defer c.Close()
	ended := make(chan error, 1)
	go func() { ended <- c.Wait2() }()
	select {
	case <-got:
	case err := <-ended:
		return 0, nil, err
	case <-time.After(30 * time.Second):
		return 0, nil, errors.New("nothing comes")
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	time.Sleep(span)
	mu.Lock()
	defer mu.Unlock()
	return first, append([]time.Duration(nil), delays...), nil
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
