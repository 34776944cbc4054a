package printer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestCheckStreamURL(t *testing.T) {
	for url, reason := range map[string]wire.CameraAddressFault{
		" http://cam/ ": "", "rtmp://cam/live": "", "wss://user:secret@cam/": wire.AddressScheme, "": wire.AddressEmpty,
		"http://user:secret@": wire.AddressHost, "v4l2:///dev/sda": wire.AddressDevice,
	} {
		clean, err := checkStreamURL("at", url)
		var p *problem.Problem
		if reason == "" {
			if err != nil || clean != strings.TrimSpace(url) {
				t.Errorf("%q: %q, %v", url, clean, err)
			}
		} else if !errors.As(err, &p) || p.Code != "stream_url_invalid" || p.Field != "at" || p.Reason != string(reason) || p.Detail == "" || strings.Contains(p.Detail, "secret") {
			t.Errorf("%q: %+v", url, p)
		}
	}
}

func TestSetCameras(t *testing.T) {
	w := open(t)
	ctx := as("mina")
	w.enrol(uuidA)
	cam := func(c Camera) []Camera {
		if c.Name == "" {
			c.Name = "앞"
		}
		if c.StreamURL == "" && c.ID == "" {
			c.StreamURL = "http://cam/"
		}
		return []Camera{c}
	}
	if err := w.SetCameras(ctx, uuidA, []Camera{{Name: "앞", StreamURL: "http://u:secret@cam/", Rotation: 90}, {Name: "위", StreamURL: "rtsp://top/"}}, nil); err != nil {
		t.Fatal(err)
	}
	first := w.view(uuidA).Cameras
	if len(first) != 2 || first[0].ID == "" || first[0].ID == first[1].ID {
		t.Fatalf("%+v", first)
	}
	// Renamed and turned round in order: ids stay, and an address that is not given too.
	if err := w.SetCameras(ctx, uuidA, []Camera{{ID: first[1].ID, Name: "위쪽", StreamURL: "rtsp://top2/"}, {ID: first[0].ID, Name: "정면"}}, nil); err != nil {
		t.Fatal(err)
	}
	got := w.view(uuidA).Cameras
	if got[0].ID != first[1].ID || got[0].StreamURL != "rtsp://top2/" || got[1].Name != "정면" || got[1].StreamURL != "http://u:secret@cam/" {
		t.Errorf("%+v", got)
	}
	many := make([]Camera, MaxCameras+1)
	for i := range many {
		many[i] = Camera{Name: string(rune('a' + i)), StreamURL: "http://cam/"}
	}
	for _, c := range []struct {
		name, code string
		list       []Camera
	}{
		{"unknown id", "camera_unknown", cam(Camera{ID: "nobody"})},
		{"twice", "camera_twice", []Camera{{ID: first[0].ID, Name: "a"}, {ID: first[0].ID, Name: "b"}}},
		{"the same name", "name_taken", []Camera{{Name: "a", StreamURL: "http://a/"}, {Name: "a ", StreamURL: "http://b/"}}},
		{"no name", "name_invalid", []Camera{{Name: " ", StreamURL: "http://a/"}}},
		{"no address", "stream_url_invalid", []Camera{{Name: "a"}}},
		{"bad scheme", "stream_url_invalid", cam(Camera{StreamURL: "file:///etc/passwd"})},
		{"turned by 45", "rotation_invalid", cam(Camera{Rotation: 45})},
		{"too many", "too_many_cameras", many},
	} {
		if err := w.SetCameras(ctx, uuidA, c.list, nil); problem.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	w.restart()
	if again := w.view(uuidA).Cameras; !slices.Equal(again, got) {
		t.Errorf("after refusals and a kill: %+v", again)
	}
	if v, _ := w.View(uuidA, workspace.RoleOperator); v.Cameras[0].StreamURL != "" || v.Cameras[0].Name != "위쪽" {
		t.Errorf("an operator sees %+v", v.Cameras)
	}
}

func TestSetCameras_Uplink(t *testing.T) {
	w := open(t)
	w.enrol(uuidA)
	ctx, kbps := as("mina"), 0
	for _, c := range []struct {
		kbps *int
		code string
		want int
	}{{func() *int { kbps := 800; return &kbps }(), "", 800}, {nil, "", 800}, {func() *int { kbps := 99; return &kbps }(), "uplink_kbps_invalid", 800},
		{func() *int { kbps := 50_001; return &kbps }(), "uplink_kbps_invalid", 800}, {&kbps, "", 0}} {
		if err := w.SetCameras(ctx, uuidA, nil, c.kbps); problem.Code(err) != c.code {
			t.Errorf("%v, want %q", err, c.code)
		}
		if got := w.Uplink(uuidA); got != c.want {
			t.Errorf("%d kbit/s, want %d", got, c.want)
		}
	}
	kbps = 640
	if err := w.SetCameras(ctx, uuidA, nil, &kbps); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if got := w.Uplink(uuidA); got != 640 {
		t.Errorf("after a restart %d kbit/s", got)
	}
}
