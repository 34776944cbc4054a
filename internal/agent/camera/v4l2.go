package camera

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// ways are how to read a device: as the JPEGs that nearly every USB camera makes itself, or as raw pictures that ffmpeg
// makes JPEGs of.
var ways = []struct{ input, output []string }{
	{[]string{"-input_format", "mjpeg"}, []string{"-c:v", "copy"}},
	{nil, []string{"-c:v", "mjpeg", "-threads", "1", "-pix_fmt", "yuvj420p", "-q:v", "5", "-huffman", "default"}}, // each thread would keep a picture back
}

// v4l2 follows a camera of this machine through ffmpeg. The address may say size and rate, as in
// v4l2:///dev/video0?size=1280x720&fps=15; otherwise they are the device's own.
func (f *follow) v4l2(ctx context.Context) error {
	f.is(Stream{V4L2, CodecJPEG})
	if err := openable(f.url.Path); err != nil {
		return err
	}
	var err error
	for _, way := range ways {
		arguments := append(append([]string{"-f", "v4l2"}, way.input...), f.asked()...)
		arguments = append(append(arguments, "-i", f.url.Path), way.output...)
		if err = f.device(ctx, append(arguments, "-f", "mpjpeg", "-flush_packets", "1", "pipe:1")); !f.last.IsZero() || ctx.Err() != nil {
			return err
		}
	}
	var died *Died
	if errors.As(err, &died) {
		switch {
		case strings.Contains(died.Lines, "busy"):
			return failure(DeviceBusy)
		case strings.Contains(died.Lines, "Permission denied"):
			return failure(DeviceDenied)
		}
	}
	return err
}

// openable tells why a device cannot be opened. Tests have none of their own.
var openable = func(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failure(NotFound)
	case errors.Is(err, fs.ErrPermission):
		return failure(DeviceDenied)
	case err == nil:
		file.Close()
	}
	return nil // what else there may be, ffmpeg says
}

// asked gives what the address says of size and rate.
func (f *follow) asked() (arguments []string) {
	q := f.url.Query()
	if size := q.Get("size"); size != "" {
		arguments = append(arguments, "-video_size", size)
	}
	if fps := q.Get("fps"); fps != "" {
		arguments = append(arguments, "-framerate", fps)
	}
	return arguments
}

func (f *follow) device(ctx context.Context, arguments []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := StartFFmpeg(ctx, false, arguments...)
	if err != nil {
		return err
	}
	in := &frames{in: bufio.NewReaderSize(p.Out, 64<<10)}
	for {
		frame, err := in.next()
		if err == nil {
			err = f.jpeg(frame, in.began, 0)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, failure(NotAStream)) { // else it is ffmpeg that ended
			cancel()
			p.Wait(ctx)
			return err
		}
		return p.Wait(ctx)
	}
}
