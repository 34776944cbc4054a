package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/sim/scene"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Of the pictures of a simulated printer's camera: small and few, since a fleet has many.
const (
	cameraWidth   = 640
	cameraHeight  = 360
	cameraFPS     = 8
	cameraQuality = 70
)

// camera is the camera of one simulated printer. It works only while the server has it open.
type camera struct {
	url    *url.URL // of the server
	http   *http.Client
	device *url.Userinfo
	part   color.RGBA
	log    *slog.Logger

	progress atomic.Uint64 // of the print, bits of a float64; negative without one
}

func (c *camera) show(progress float64) { c.progress.Store(math.Float64bits(progress)) }

// obey takes camera/{id}/cmd. A link that is opened ends by itself when the server closes it.
func (c *camera) obey(ctx context.Context, payload []byte) {
	var command wire.CameraCommand
	if json.Unmarshal(payload, &command) != nil || command.Action != "open" || command.Link == "" {
		return
	}
	go func() {
		if err := c.publish(ctx, command); err != nil && ctx.Err() == nil {
			c.log.Debug("camera link ended", "error", err)
		}
	}()
}

func (c *camera) publish(ctx context.Context, command wire.CameraCommand) error {
	u := c.url.JoinPath("/api/device/link")
	u.RawQuery = url.Values{"kind": {"camera"}, "camera": {command.Camera}, "link": {command.Link}}.Encode()
	request := http.Header{}
	password, _ := c.device.Password()
	r := http.Request{Header: request}
	r.SetBasicAuth(c.device.Username(), password)
	ws, _, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: c.http, HTTPHeader: request})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	ctx, end := context.WithCancel(ctx)
	defer end()
	want := make(chan wire.MediaOptions, 1)
	go func() {
		defer end()
		for {
			_, m, err := ws.Read(ctx)
			if err != nil {
				return
			}
			var o wire.MediaOptions
			if kind, _, _, body, err := wire.ParseMedia(m); err == nil && kind == wire.MediaWant && json.Unmarshal(body, &o) == nil {
				select {
				case <-want:
				default:
				}
				want <- o
			}
		}
	}()
	info, err := json.Marshal(wire.MediaInfo{Kind: "mjpeg", Codec: "jpeg", Source: "mjpeg", Width: cameraWidth, Height: cameraHeight, FPS: cameraFPS})
	if err != nil {
		return err
	}
	if err := ws.Write(ctx, websocket.MessageBinary, append(wire.AppendMedia(nil, wire.MediaConfig, 0, 0), info...)); err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, cameraWidth, cameraHeight))
	var message bytes.Buffer
	tick := time.NewTicker(pace(command.Options))
	defer tick.Stop()
	for {
		now := time.Now()
		scene.Draw(img, scene.Scene{Progress: math.Float64frombits(c.progress.Load()), At: now, Part: c.part})
		message.Reset()
		message.Write(wire.AppendMedia(nil, wire.MediaJPEG, wire.MediaKeyFrame, uint64(now.UnixMicro())))
		if err := jpeg.Encode(&message, img, &jpeg.Options{Quality: cameraQuality}); err != nil {
			return err
		}
		if err := ws.Write(ctx, websocket.MessageBinary, message.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case o := <-want:
			tick.Reset(pace(o))
		case <-tick.C:
		}
	}
}

// pace gives the time between two pictures.
func pace(o wire.MediaOptions) time.Duration {
	fps := float64(cameraFPS)
	if o.MaxFPS > 0 {
		fps = min(fps, max(o.MaxFPS, 0.1))
	}
	return time.Duration(float64(time.Second) / fps)
}
