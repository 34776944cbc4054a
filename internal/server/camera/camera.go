// Package camera is the media hub: one stream of a camera comes in from the device beside the printer, and goes out to
// any number of viewers, by whichever way each of them manages: WebRTC over UDP or TCP, low-latency HLS, MJPEG, or a
// picture every two seconds.
//
// A stream runs while somebody looks: the device is told over MQTT, and opens one media link (wire/media.go) a camera.
package camera

import (
	"context"
	"net/netip"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Camera is one camera of a printer, as its owner set it up.
type Camera struct {
	ID       string
	Name     string
	URL      string // may hold a password
	Rotation int    // degrees clockwise
	FlipH    bool
	FlipV    bool
	Encode   Encode
	MaxKbps  int // of the printer's uplink; 0: no limit
}

// Encode is whether the device turns MJPEG into H.264, as the owner wants it. What is none of these counts as EncodeAuto.
type Encode string

// The owner's choices.
const (
	EncodeAuto   Encode = "auto" // while the uplink needs it
	EncodeAlways Encode = "always"
	EncodeNever  Encode = "never"
)

// Device is the computer beside a printer, as far as a stream needs to know it.
type Device struct {
	Online    bool
	Agent     bool // it said that it is our agent
	Published bool // it reports as the published plugin does, which publishes its camera by RTSP
}

// Printers is what the hub needs to know of printers. The printer service is behind it.
type Printers interface {
	// Place tells whose a printer is; false: there is no such printer.
	Place(uuid string) (workspace.Target, bool)
	// Find gives the UUID of the device that a printer has now; false: there is no such printer.
	Find(printerID string) (uuid string, ok bool)
	// Cameras gives a printer's cameras in their order, with their addresses.
	Cameras(uuid string) []Camera
	Device(uuid string) Device
	// Uplink tells what the cameras of a printer may take together, kbit/s; 0: as much as they like.
	Uplink(uuid string) int
	// Login tells which printer's device has this UUID and token.
	Login(ctx context.Context, uuid, token string, from netip.Addr) (printerID string, err error)
}

// Devices reaches the devices that are connected. The gateway is one.
type Devices interface {
	// Publish sends a message to a device. It never waits; any error means that the device did not get it.
	Publish(uuid string, kind wire.Kind, payload []byte, qos byte) error
}

// Access answers who may see what. The workspace service is one.
type Access interface {
	Can(ctx context.Context, a workspace.Actor, action workspace.Action, t workspace.Target) error
}

// Rung is a way of a stream to a viewer, best first.
type Rung string

// The rungs of the ladder that the page walks down.
const (
	RungWHEP    Rung = "whep" // WebRTC, over UDP or TCP
	RungHLS     Rung = "hls"  // low-latency HLS
	RungMJPEG   Rung = "mjpeg"
	RungPicture Rung = "picture" // snapshot.jpg every two seconds
)

var rungs = []Rung{RungWHEP, RungHLS, RungMJPEG, RungPicture}

// live tells whether a viewer on this rung looks all the time.
func (r Rung) live() bool { return r != RungPicture }

// video tells whether a rung carries H.264; else it carries JPEG.
func (r Rung) video() bool { return r == RungWHEP || r == RungHLS }

// Limits bound what viewers and devices may ask for. Zero fields take defaultLimits.
type Limits struct {
	ViewersPerCamera  int // of one camera
	ViewersPerPrinter int
	ViewersPerUser    int
	Viewers           int // of this server
	Streams           int // cameras open at a time
}

var defaultLimits = Limits{ViewersPerCamera: 200, ViewersPerPrinter: 400, ViewersPerUser: 120, Viewers: 5000, Streams: 2000}

func (l Limits) orDefault() Limits {
	for _, f := range []struct{ to, of *int }{
		{&l.ViewersPerCamera, &defaultLimits.ViewersPerCamera}, {&l.ViewersPerPrinter, &defaultLimits.ViewersPerPrinter},
		{&l.ViewersPerUser, &defaultLimits.ViewersPerUser}, {&l.Viewers, &defaultLimits.Viewers}, {&l.Streams, &defaultLimits.Streams},
	} {
		if *f.to == 0 {
			*f.to = *f.of
		}
	}
	return l
}

// Times of a stream.
const (
	linger       = 15 * time.Second // a stream goes on after its last viewer
	linkAge      = 20 * time.Second // a link's name is good for
	askAgain     = 8 * time.Second  // a device that did not open its link is asked again
	firstFrame   = 12 * time.Second // a viewer waits for the first picture
	pictureEvery = 2 * time.Second
	silence      = 12 * time.Second // without a frame something is wrong
	deaf         = time.Minute      // a link on which nothing at all comes is closed, and another one asked for
)

// The problems a caller may want to tell apart. What is wrong with a camera itself is a Trouble.
var (
	errNoPrinter = problem.NotFound("printer")
	errNoCamera  = problem.New(404, "camera_unknown", "This printer has no such camera. GET …/cameras lists them.")
	errTooMany   = problem.New(429, "too_many_viewers", "As many people look at this camera, this printer or this server as is allowed. Close another window, or wait.")
	errStopping  = problem.New(503, "stopping", "The server stops. Try again in a moment.")
)
