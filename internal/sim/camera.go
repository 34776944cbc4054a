package sim

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/sim/scene"
)

// Camera is a simulated camera that speaks MJPEG over HTTP as mjpg-streamer does: /?action=stream and
// /?action=snapshot. What it shows has a clock in it.
type Camera struct {
	Size    image.Point
	FPS     int
	Quality int // of JPEG, 1…100

	mu    sync.Mutex // holds what follows
	frame []byte
	drawn time.Time
	img   *image.RGBA
}

// boundary is mjpg-streamer's own.
const boundary = "boundarydonotcross"

// loop is how long the simulated print takes, so that one who looks sees it grow.
const loop = 3 * time.Minute

func (c *Camera) interval() time.Duration { return time.Second / time.Duration(c.FPS) }

// picture gives the frame of now; those who look at the same time share it.
func (c *Camera) picture() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.frame != nil && now.Sub(c.drawn) < c.interval()/2 {
		return c.frame, nil
	}
	if c.img == nil {
		c.img = image.NewRGBA(image.Rectangle{Max: c.Size})
	}
	scene.Draw(c.img, scene.Scene{Progress: float64(now.UnixMilli()%loop.Milliseconds()) / float64(loop.Milliseconds()), At: now, Part: scene.Parts[0]})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, c.img, &jpeg.Options{Quality: c.Quality}); err != nil {
		return nil, err
	}
	c.frame, c.drawn = b.Bytes(), now
	return c.frame, nil
}

// ServeHTTP gives the stream, or with ?action=snapshot one picture.
func (c *Camera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/":
		http.NotFound(w, r)
	case r.URL.Query().Get("action") == "snapshot":
		frame, err := c.picture()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(frame)
	default:
		c.stream(w, r)
	}
}

func (c *Camera) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary="+boundary)
	tick := time.NewTicker(c.interval())
	defer tick.Stop()
	out := http.NewResponseController(w)
	for {
		frame, err := c.picture()
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", boundary, len(frame)); err != nil {
			return
		}
		w.Write(frame)
		if _, err := io.WriteString(w, "\r\n"); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
