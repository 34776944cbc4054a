package printer

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	maxStreamURL = 2048 // bytes
	minKbps      = 100
	maxKbps      = 50_000
)

// streamSchemes are what an agent can look at. webrtc and whep are signalling addresses over HTTP(S).
var streamSchemes = []string{"http", "https", "rtsp", "rtsps", "webrtc", "webrtcs", "whep", "wheps", "hls", "rtmp", "rtmps", "ws", "wss", "v4l2", "onvif"}

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
		clean, complaint := checkStreamURL(c.StreamURL)
		if complaint != "" {
			return nil, problem.Field("stream_url_invalid", at("stream_url"), complaint)
		}
		c.StreamURL = clean
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

// checkStreamURL gives a camera's address as it is to be stored, or what is wrong with it. That never repeats the
// address: it may hold a password.
func checkStreamURL(s string) (clean, complaint string) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", "Enter the address of the camera's stream, such as http://192.168.0.10:8080/?action=stream."
	}
	if _, changed := wire.CleanText(s, maxStreamURL); changed || strings.ContainsAny(s, " \"<>\\^`{|}") {
		return "", "The address has a character that no address can have, or is longer than 2,048 bytes."
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", "This is no address. It looks like http://192.168.0.10:8080/?action=stream."
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if !slices.Contains(streamSchemes, u.Scheme) {
		return "", "The address begins with http://, https://, rtsp://, rtsps:// or webrtc://."
	}
	if u.Scheme == "v4l2" {
		if !strings.HasPrefix(u.Path, "/dev/") || strings.Contains(u.Path, "..") || u.Host != "" {
			return "", "A local camera is v4l2:///dev/video0."
		}
		return u.String(), ""
	}
	if u.Opaque != "" || u.Hostname() == "" {
		return "", "The address names no host. It looks like http://192.168.0.10:8080/?action=stream."
	}
	return u.String(), ""
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
