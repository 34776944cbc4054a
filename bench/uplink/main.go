// Uplink measures what a camera costs beside the printer: the real agent's publishing process takes 720p MJPEG at 15
// pictures a second and sends it over TLS, without encoding. CPU and memory of that process.
//
//	go run ./bench/uplink [-agent bin/factor-agent] [-seconds 20]
//
// Camera and server are this bench's own process. The pictures are ffmpeg's, of some noise, as a camera's are.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/kangbyounggwan/factor/internal/agent/camera/publish"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	fps  = 15
	uuid = "0b0cd4a2-6f4b-4a53-9b43-3c9d0a0d7c11"
)

func main() {
	log.SetFlags(0)
	agent := flag.String("agent", "bin/factor-agent", "the program")
	seconds := flag.Int("seconds", 20, "to measure for")
	flag.Parse()
	if err := run(*agent, time.Duration(*seconds)*time.Second); err != nil {
		log.Fatal(err)
	}
}

func run(agent string, span time.Duration) error {
	pictures, err := film()
	if err != nil {
		return err
	}
	camera := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary=b")
		tick := time.NewTicker(time.Second / fps)
		defer tick.Stop()
		for i := 0; r.Context().Err() == nil; i++ {
			p := pictures[i%len(pictures)]
			fmt.Fprintf(w, "--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(p))
			w.Write(p)
			http.NewResponseController(w).Flush()
			<-tick.C
		}
	}))
	defer camera.CloseClientConnections()
	var frames, bytes atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		ws.SetReadLimit(wire.MediaHeader + wire.MaxJPEG)
		for {
			_, m, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			if wire.MediaKind(m[0]) == wire.MediaJPEG {
				frames.Add(1)
				bytes.Add(int64(len(m)))
			}
		}
	}))
	defer server.CloseClientConnections()
	c := exec.Command(agent, publish.Command)
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Wait()
	defer in.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	order := publish.Order{Server: server.URL, CA: string(ca), UUID: uuid, Token: "token", Camera: "camera", Link: "link",
		Source: wire.CameraInput{URL: camera.URL}}
	if err := json.NewEncoder(in).Encode(order); err != nil {
		return err
	}
	for began := time.Now(); frames.Load() < 2*fps; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			return fmt.Errorf("only %d pictures came in a minute", frames.Load())
		}
	}
	cpu, _, err := cost(c.Process.Pid)
	if err != nil {
		return err
	}
	began, n, b := time.Now(), frames.Load(), bytes.Load()
	time.Sleep(span)
	after, rss, err := cost(c.Process.Pid)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("1280x720 MJPEG over TLS: %.1f pictures/s, %.1f Mbit/s: %.1f %% of a core, %.0f MB RSS\n",
		float64(frames.Load()-n)/took.Seconds(), float64(bytes.Load()-b)*8/1e6/took.Seconds(),
		100*(after-cpu).Seconds()/took.Seconds(), float64(rss)/(1<<20))
	return nil
}

// film has ffmpeg make two seconds of pictures.
func film() ([][]byte, error) {
	out, err := exec.Command("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=15:duration=2",
		"-vf", "noise=alls=8:allf=t", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "6", "-f", "mjpeg", "pipe:1").Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	start := []byte{0xff, 0xd8, 0xff}
	var pictures [][]byte
	for _, p := range bytes.Split(out, start)[1:] {
		pictures = append(pictures, append(append([]byte{}, start...), p...))
	}
	return pictures, nil
}

// cost gives what a process has used: proc(5).
func cost(pid int) (cpu time.Duration, rss int64, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	ticks := 0
	for _, f := range fields[11:13] { // utime, stime, in hundredths of a second
		n, _ := strconv.Atoi(f)
		ticks += n
	}
	pages, _ := strconv.ParseInt(fields[21], 10, 64)
	return time.Duration(ticks) * 10 * time.Millisecond, pages * int64(os.Getpagesize()), nil
}
