// Package camera looks at a camera: what kind of stream an address gives, how large, how fast, and its first picture.
package camera

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// The kinds of stream.
const (
	MJPEG = "mjpeg" // JPEG after JPEG in one HTTP answer
	JPEG  = "jpeg"  // one JPEG an HTTP answer
	RTSP  = "rtsp"
	RTMP  = "rtmp"
	HLS   = "hls"
	WHEP  = "whep" // WebRTC
	V4L2  = "v4l2" // a device of this machine
)

const (
	limit      = 10 * time.Second // of a whole look
	measure    = time.Second      // of pictures, to tell how many a second come
	enough     = 40               // frames to measure a rate by
	maxFrame   = 8 << 20          // bytes of a picture
	maxTotal   = 48 << 20         // bytes of pictures in a whole look
	maxPicture = 150_000          // bytes of the picture in a result, 200 KB as base64
	maxPixels  = 40 << 20         // of a picture; 40 MP are more than any camera beside a printer has
)

// Result is what a look found. Nothing of the address is in it but the picture.
type Result struct {
	OK      bool    `json:"ok"`
	Kind    string  `json:"kind,omitzero"`
	Width   int     `json:"width,omitzero"` // pixels, as the camera sends it
	Height  int     `json:"height,omitzero"`
	FPS     float64 `json:"fps,omitzero"` // 0 when it cannot be told
	Codec   string  `json:"codec,omitzero"`
	Picture string  `json:"picture,omitzero"` // data:image/jpeg;base64,…

	Code    string `json:"code,omitzero"`
	Message string `json:"message,omitzero"`
	Cure    string `json:"cure,omitzero"`
}

// The codes of a failed look.
const (
	Unreachable      = "unreachable"
	NameNotFound     = "name_not_found"
	RefusedLogin     = "refused_login"
	NotFound         = "not_found"
	NotAStream       = "not_a_stream"
	Timeout          = "timeout"
	TooLarge         = "too_large"
	UnsupportedCodec = "unsupported_codec"
	FFmpegMissing    = "ffmpeg_missing"
	AddressRefused   = "address_refused"
	BadURL           = "bad_url"
	DeviceBusy       = "device_busy"
	DeviceDenied     = "device_denied"
	FFmpegDied       = "ffmpeg_died"
)

// words are what happened and what to do. A page has its own, by code.
var words = map[string][2]string{
	Unreachable:      {"Nothing answers at this address.", "Check host and port, and that the camera is on and reachable from this computer."},
	NameNotFound:     {"The camera's name is not known on this network.", "Check the spelling, or use the camera's IP address."},
	RefusedLogin:     {"The camera wants a login, or refuses this one.", "Put user name and password into the URL: http://user:password@host/…"},
	NotFound:         {"There is no camera at this path.", "Check the part behind the host; the camera's manual or web page has it. One that begins with v4l2:// has to be plugged in."},
	NotAStream:       {"There is an answer, but no picture in it.", "This is often the camera's web page: enter the address of the stream itself."},
	Timeout:          {"No whole picture came in time.", "Check that the stream plays elsewhere, and that nobody else uses up the camera's connections."},
	TooLarge:         {"The picture is larger than can be used.", "Set the camera to a smaller picture."},
	UnsupportedCodec: {"The stream's video format cannot be used.", "Set the camera to H.264 or MJPEG."},
	FFmpegMissing:    {"The stream is there, but its picture needs ffmpeg, which is not installed here.", "Install it: sudo apt install ffmpeg"},
	AddressRefused:   {"This address is not allowed for a camera.", "Enter the address of the camera itself."},
	BadURL:           {"This is no address of a camera.", "It begins with http, https, rtsp, rtmp, webrtc, onvif or v4l2, such as http://192.168.0.10:8080/?action=stream or rtsp://192.168.0.10/live."},
	DeviceBusy:       {"Another program uses this camera.", "Enter that program's stream instead, such as http://127.0.0.1:8080/?action=stream, or stop it."},
	DeviceDenied:     {"This agent may not open the camera.", "Add its user to the group video: sudo usermod -aG video $USER, then restart."},
	FFmpegDied:       {"ffmpeg could not read this camera.", "Try another camera, or the address of a program that streams this one."},
}

// failure is an error with one of the codes.
type failure string

func (f failure) Error() string { return string(f) }

// Check tells what is wrong with an address without connecting; "" for nothing.
func Check(address string) (code string) {
	if _, err := parse(address); err != nil {
		return BadURL
	}
	return ""
}

// kinds gives how to follow by scheme, for each of wire.CameraSchemes.
var kinds map[string]func(*follow, context.Context) error

func init() { // they refer to each other
	kinds = map[string]func(*follow, context.Context) error{
		"http": (*follow).http, "https": (*follow).http,
		"rtsp": (*follow).rtsp, "rtsps": (*follow).rtsp,
		"rtmp": (*follow).rtmp, "rtmps": (*follow).rtmp,
		"hls":  (*follow).hls,
		"whep": (*follow).whep, "wheps": (*follow).whep, "webrtc": (*follow).whep, "webrtcs": (*follow).whep,
		"v4l2": (*follow).v4l2, "onvif": (*follow).onvif,
	}
}

func parse(address string) (*url.URL, error) {
	u, err := wire.ParseCamera(address)
	if err != nil {
		return nil, failure(BadURL)
	}
	u.Fragment = ""
	return u, nil
}

func codeOf(ctx context.Context, err error) string {
	var f failure
	var name *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &f):
		return string(f)
	case errors.As(err, new(*Died)):
		return FFmpegDied
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case errors.As(err, &name):
		return NameNotFound
	case errors.As(err, &network) && network.Timeout():
		return Timeout
	}
	return Unreachable
}
