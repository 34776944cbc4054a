package printer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	minKbps = 100
	maxKbps = 50_000
)

// checkCameras gives the list as it is to be stored. Cameras of have keep their ids; an unknown id is an error, since
// whoever wrote it means a camera that somebody else has removed meanwhile.
func checkCameras(list, have []Camera) ([]Camera, error) {
	if len(list) > MaxCameras {
		return nil, problem.Field("too_many_cameras", "items", fmt.Sprintf("A printer has at most %d cameras.", MaxCameras))
	}
	kept := make([]Camera, 0, len(list))
	names, ids := map[string]bool{}, map[string]bool{}
	for i, c := range list {
		at := func(field string) string { return fmt.Sprintf("items[%d].%s", i, field) }
		name, err := workspace.TidyName(at("name"), c.Name)
		if err != nil {
			return nil, err
		}
		c.Name = name
		if names[c.Name] {
			return nil, problem.Field("name_taken", at("name"), "Two cameras of a printer cannot have the same name.")
		}
		names[c.Name] = true
		old := slices.IndexFunc(have, func(h Camera) bool { return h.ID == c.ID })
		switch {
		case c.ID == "":
			c.ID = newID()
		case old < 0:
			return nil, problem.Field("camera_unknown", at("id"), "There is no camera with this id. Leave the id away for a new one.")
		case ids[c.ID]:
			return nil, problem.Field("camera_twice", at("id"), "This camera is in the list twice.")
		case c.StreamURL == "":
			c.StreamURL = have[old].StreamURL // whoever may not see the URL leaves it as it is
		}
		ids[c.ID] = true
		if c.StreamURL, err = checkStreamURL(at("stream_url"), c.StreamURL); err != nil {
			return nil, err
		}
		if c.Rotation != 0 && c.Rotation != 90 && c.Rotation != 180 && c.Rotation != 270 {
			return nil, problem.Field("rotation_invalid", at("rotation"), "The rotation is 0, 90, 180 or 270 degrees.")
		}
		if c.MaxKbps != 0 && (c.MaxKbps < minKbps || c.MaxKbps > maxKbps) {
			return nil, problem.Field("max_kbps_invalid", at("max_kbps"), "The limit is 100 to 50,000 kbit/s, or 0 for none.")
		}
		kept = append(kept, c)
	}
	return kept, nil
}

// complaints are what is wrong with an address, and what to do. They never repeat it: it may hold a password.
var complaints = map[wire.CameraAddressFault]string{
	wire.AddressEmpty:     "Enter the address of the camera's stream, such as http://192.168.0.10:8080/?action=stream.",
	wire.AddressCharacter: "The address has a character that no address can have, or is longer than 2,048 bytes.",
	wire.AddressMalformed: "This is no address. It looks like http://192.168.0.10:8080/?action=stream.",
	wire.AddressScheme: "No camera can be read by this scheme. The address begins with http, https, rtsp, rtsps, rtmp, webrtc, whep, hls, onvif or v4l2: " +
		"of a camera that gives its stream another way, too, enter its RTSP, WebRTC or MJPEG address.",
	wire.AddressHost:   "The address names no host. It looks like http://192.168.0.10:8080/?action=stream.",
	wire.AddressDevice: "A camera of the computer itself is v4l2:///dev/video0, or v4l2:///dev/video0?size=1280x720&fps=15.",
}

// checkStreamURL gives a camera's address as it is to be stored. Errors: stream_url_invalid about a field, with a reason.
func checkStreamURL(field, s string) (clean string, err error) {
	u, err := wire.ParseCamera(s)
	if err == nil {
		return u.String(), nil
	}
	var fault wire.CameraAddressFault
	errors.As(err, &fault) // it gives no others
	p := problem.Field("stream_url_invalid", field, complaints[fault])
	p.Reason = string(fault)
	return "", p
}

// shownCameras gives the cameras as somebody with a role sees them: addresses are the owner's alone.
func shownCameras(list []Camera, owner bool) []Camera {
	shown := make([]Camera, len(list))
	for i, c := range list {
		if !owner {
			c.StreamURL = ""
		}
		shown[i] = c
	}
	return shown
}
