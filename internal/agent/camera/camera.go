// Package camera looks at a camera: what kind of stream an address gives, how large, how fast, and its first picture.
package camera

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// The kinds of stream.
const (
	MJPEG = "mjpeg" // JPEG after JPEG in one HTTP answer
	JPEG  = "jpeg"  // one JPEG an HTTP answer
	RTSP  = "rtsp"
	HLS   = "hls"
	WHEP  = "whep" // WebRTC
)

const (
	limit      = 10 * time.Second // of a whole look
	measure    = 1500 * time.Millisecond
	enough     = 40       // frames to measure a rate by
	maxFrame   = 8 << 20  // bytes of a picture
	maxTotal   = 48 << 20 // bytes of a whole look
	maxPicture = 150_000  // bytes of the picture in a result, 200 KB as base64
	maxPixels  = 40 << 20 // of a picture; 40 MP are more than any camera beside a printer has
	maxURL     = 2048     // bytes
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
)

// words are what happened and what to do. A page has its own, by code.
var words = map[string][2]string{
	Unreachable:      {"Nothing answers at this address.", "Check host and port, and that the camera is on and reachable from this computer."},
	NameNotFound:     {"The camera's name is not known on this network.", "Check the spelling, or use the camera's IP address."},
	RefusedLogin:     {"The camera wants a login, or refuses this one.", "Put user name and password into the URL: http://user:password@host/…"},
	NotFound:         {"The camera does not know this path.", "Check the part behind the host; the camera's manual or web page has it."},
	NotAStream:       {"There is an answer, but no picture in it.", "This is often the camera's web page: enter the address of the stream itself."},
	Timeout:          {"No whole picture came in time.", "Check that the stream plays elsewhere, and that nobody else uses up the camera's connections."},
	TooLarge:         {"The picture is larger than can be used.", "Set the camera to a smaller picture."},
	UnsupportedCodec: {"The stream's video format cannot be used.", "Set the camera to H.264 or MJPEG."},
	FFmpegMissing:    {"The stream is there, but its picture needs ffmpeg, which is not installed here.", "Install it: sudo apt install ffmpeg"},
	AddressRefused:   {"This address is not allowed for a camera.", "Enter the address of the camera itself."},
	BadURL:           {"This is no address of a camera.", "It looks like http://192.168.0.10:8080/?action=stream or rtsp://192.168.0.10/live."},
}

// failure is an error with one of the codes.
type failure string

func (f failure) Error() string { return string(f) }

// look is one look under way.
type look struct {
	url    *url.URL
	result Result
	jpeg   []byte // the first picture, as JPEG

	unsupported bool // the kind is known, but this program cannot look at it
}

// Check tells what is wrong with an address without connecting; "" for nothing.
func Check(address string) (code string) {
	if _, err := parse(address); err != nil {
		return BadURL
	}
	return ""
}

// kinds gives how to look by scheme. Two of them are other programs' names for HTTP.
var kinds = map[string]func(*look, context.Context) error{
	"http": (*look).http, "https": (*look).http,
	"rtsp": (*look).rtsp, "rtsps": (*look).rtsp,
	"hls":  (*look).hls,
	"whep": (*look).whep, "wheps": (*look).whep, "webrtc": (*look).whep, "webrtcs": (*look).whep,
}

func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || u.Hostname() == "" || u.Opaque != "" || strings.ContainsAny(address, " \"<>\\^`{|}\x00\r\n\t") {
		return nil, failure(BadURL)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if kinds[u.Scheme] == nil {
		return nil, failure(BadURL)
	}
	u.Fragment = ""
	return u, nil
}

// Look looks at an address for at most ten seconds. What is found reaches the caller only as a picture and numbers, and
// what goes wrong only as a code: an address cannot be used to read something else.
func Look(ctx context.Context, address string) Result {
	u, err := parse(address)
	if err != nil {
		return failed(BadURL)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	l := &look{url: u}
	if err := kinds[u.Scheme](l, ctx); err != nil {
		return l.failed(codeOf(ctx, err))
	}
	picture, err := fit(l.jpeg)
	if err != nil {
		return l.failed(codeOf(ctx, err))
	}
	l.result.OK = true
	l.result.FPS = math.Round(l.result.FPS*100) / 100
	l.result.Picture = "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(picture)
	return l.result
}

func failed(code string) Result { return (&look{}).failed(code) }

// failed keeps what was found out before it failed.
func (l *look) failed(code string) Result {
	l.result.OK = false
	said := words[code]
	if l.unsupported {
		said = [2]string{"WebRTC (WHEP) is not supported yet.", "Enter the same camera's RTSP, HLS or MJPEG address."}
	}
	l.result.Code, l.result.Message, l.result.Cure = code, said[0], said[1]
	return l.result
}

func codeOf(ctx context.Context, err error) string {
	var f failure
	var name *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &f):
		return string(f)
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case errors.As(err, &name):
		return NameNotFound
	case errors.As(err, &network) && network.Timeout():
		return Timeout
	}
	return Unreachable
}
