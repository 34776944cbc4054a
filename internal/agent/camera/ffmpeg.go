package camera

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Program is ffmpeg as it was found on this machine.
type Program struct {
	Path    string // "" for none
	Version string
}

// FindFFmpeg looks for ffmpeg. It asks it for its version, which takes some 0.3 s on a Pi.
func FindFFmpeg() Program {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return Program{}
	}
	p := Program{Path: path}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, path, "-version").Output(); err == nil {
		if fields := strings.Fields(string(out)); len(fields) > 2 { // ffmpeg version 5.1.6 …
			p.Version = fields[2]
		}
	}
	return p
}

// decode makes a JPEG of a keyframe in Annex B form. The stream goes through a pipe: ffmpeg is given no address.
func decode(ctx context.Context, format string, stream []byte) ([]byte, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, failure(FFmpegMissing)
	}
	cmd := exec.CommandContext(ctx, path, "-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe",
		"-threads", "1", "-f", format, "-i", "pipe:0", "-frames:v", "1", "-vf", "scale=w='min(1280,iw)':h=-2", "-q:v", "5",
		"-f", "mjpeg", "pipe:1")
	cmd.Stdin = bytes.NewReader(stream)
	out := &capped{left: maxFrame}
	cmd.Stdout = out
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil || out.Len() == 0:
		return nil, failure(UnsupportedCodec)
	}
	return out.Bytes(), nil
}

// Died says that ffmpeg ended by itself.
type Died struct {
	Lines string // its last words, without addresses; for people
}

func (d *Died) Error() string { return "ffmpeg died" }

// Process is ffmpeg at work between two pipes. It is given no address and no secret: pictures come in by one pipe and go
// out by the other.
type Process struct {
	In  io.WriteCloser // nil where it reads a device
	Out io.ReadCloser

	cmd  *exec.Cmd
	said lastWords
}

// StartFFmpeg starts ffmpeg with arguments that read pipe:0 (where piped) and write pipe:1. It ends with ctx. Call Wait.
func StartFFmpeg(ctx context.Context, piped bool, arguments ...string) (*Process, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, failure(FFmpegMissing)
	}
	p := &Process{}
	p.cmd = exec.CommandContext(ctx, path, append([]string{"-nostdin", "-hide_banner", "-loglevel", "error"}, arguments...)...)
	p.cmd.Env = Environment()
	p.cmd.Stderr = &p.said
	p.cmd.WaitDelay = time.Second
	if piped {
		if p.In, err = p.cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	if p.Out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, &Died{Lines: "it cannot be started"}
	}
	if pipe, ok := p.In.(*os.File); ok {
		shorten(pipe)
	}
	return p, nil
}

// PID is the process's.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Wait waits for the end, after Out has been read to its end or ctx has ended, and tells how ffmpeg died.
func (p *Process) Wait(ctx context.Context) error {
	if p.In != nil {
		p.In.Close()
	}
	p.cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Died{Lines: p.said.String()}
}

// lastWords keeps the end of what a program says.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

const maxWords = 500 // bytes

func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if over := len(w.text) - 4*maxWords; over > 0 {
		w.text = append(w.text[:0], w.text[over:]...)
	}
	return len(p), nil
}

// addresses are URLs, IP addresses and what ffmpeg calls its own objects in memory.
var addresses = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://\S+|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\[?[0-9a-fA-F]*(:[0-9a-fA-F]*){3,7}\]?| @ 0x[0-9a-f]+`)

// String gives them without addresses, for somebody who asks why.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, _ := wire.CleanText(addresses.ReplaceAllString(strings.TrimSpace(string(w.text)), "…"), 4*maxWords)
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[len(text)-maxWords:], "")
	}
	return text
}

// capped takes only so many bytes.
type capped struct {
	bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		return 0, failure(TooLarge)
	}
	return c.Buffer.Write(p)
}
