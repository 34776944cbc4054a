package camera

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"time"
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
