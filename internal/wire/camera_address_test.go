package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var cameraAddresses = map[string]CameraAddressFault{
	"http://192.168.0.10:8080/?action=stream":              "",
	"HTTPS://cam.example.com/stream":                       "",
	"http://user:p%40ss@10.0.0.5/webcam/?action=stream":    "",
	"rtsp://admin:secret@cam:554/h264?x=1":                 "",
	"rtsps://[fe80::1]:322/s":                              "",
	"rtmp://cam/bcs/channel0_main.bcs?user=admin&stream=0": "",
	"webrtc://cam/stream":                                  "",
	"onvif://user:password@192.168.0.21":                   "",
	"v4l2:///dev/video0":                                   "",
	"v4l2:///dev/video0?size=1280x720&fps=15":              "",
	"v4l2:///dev/v4l/by-id/usb-046d_0825-video-index0":     "",
	"/dev/video0":                 "",
	" http://cam/ ":               "",
	"":                            AddressEmpty,
	" ":                           AddressEmpty,
	"cam":                         AddressMalformed,
	"192.168.0.10:8080/stream":    AddressMalformed,
	"//cam/stream":                AddressMalformed,
	"file:///etc/passwd":          AddressScheme,
	"ws://cam:8084/stream":        AddressScheme,
	"wss://cam/ws":                AddressScheme,
	"srt://cam:9000":              AddressScheme,
	"udp://@239.0.0.1:1234":       AddressScheme,
	"javascript:alert(1)":         AddressMalformed,
	"http:cam":                    AddressMalformed,
	"http://":                     AddressHost,
	"http:///path":                AddressHost,
	"http://a b/":                 AddressCharacter,
	"http://cam/\x00":             AddressCharacter,
	"http://cam/\nHost: x":        AddressCharacter,
	"http://cam/\"onload=x":       AddressCharacter,
	"http://cam:port/":            AddressMalformed,
	"v4l2:///dev/../etc/passwd":   AddressDevice,
	"v4l2:///etc/passwd":          AddressDevice,
	"/dev/sda":                    AddressDevice,
	"v4l2://host/dev/video0":      AddressDevice,
	"v4l2:///dev/video0?size=0x0": AddressDevice,
	"v4l2:///dev/video0?size=-i":  AddressDevice,
	"v4l2:///dev/video0?fps=1000": AddressDevice,
	"http://cam/" + strings.Repeat("x", MaxCameraAddress): AddressCharacter,
}

func TestParseCamera(t *testing.T) {
	for address, want := range cameraAddresses {
		u, err := ParseCamera(address)
		var fault CameraAddressFault
		errors.As(err, &fault)
		if fault != want || (u == nil) != (want != "") {
			t.Errorf("%.60q: %v, %v; want %q", address, u, err, want)
		}
	}
}

func FuzzParseCamera(f *testing.F) {
	for address := range cameraAddresses {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseCamera(s)
		if err != nil {
			return
		}
		if !slices.Contains(CameraSchemes, u.Scheme) || (u.Hostname() == "") != (u.Scheme == "v4l2") {
			t.Fatalf("%q became %q", s, u)
		}
		if again, err := ParseCamera(u.String()); err != nil || again.String() != u.String() {
			t.Fatalf("%q is not stable: %q, %v", s, u, err)
		}
	})
}
