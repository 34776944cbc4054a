package printer

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

var streamURLs = []struct {
	url  string
	good bool
}{
	{"http://192.168.0.10:8080/?action=stream", true},
	{"HTTPS://cam.example.com/stream", true},
	{"http://user:p%40ss@10.0.0.5/webcam/?action=stream", true},
	{"rtsp://admin:secret@cam:554/h264?x=1", true},
	{"rtsps://[fe80::1]:322/s", true},
	{"webrtc://cam/stream", true},
	{"v4l2:///dev/video0", true},
	{" http://cam/ ", true},
	{"", false},
	{"cam", false},
	{"//cam/stream", false},
	{"file:///etc/passwd", false},
	{"javascript:alert(1)", false},
	{"http:cam", false},
	{"http://", false},
	{"http:///path", false},
	{"http://a b/", false},
	{"http://cam/\x00", false},
	{"http://cam/\nHost: x", false},
	{"http://cam/\"onload=x", false},
	{"http://cam:port/", false},
	{"v4l2:///dev/../etc/passwd", false},
	{"v4l2:///etc/passwd", false},
	{"v4l2://host/dev/video0", false},
	{"http://cam/" + strings.Repeat("x", maxStreamURL), false},
}

func TestCheckStreamURL(t *testing.T) {
	for _, c := range streamURLs {
		clean, complaint := checkStreamURL(c.url)
		if (complaint == "") != c.good {
			t.Errorf("%.60q: %q", c.url, complaint)
		}
		if c.good && clean == "" {
			t.Errorf("%.60q became nothing", c.url)
		}
	}
	if _, complaint := checkStreamURL("ftp://user:secret@cam/"); strings.Contains(complaint, "secret") {
		t.Error("a password in a complaint:", complaint)
	}
}

func FuzzCheckStreamURL(f *testing.F) {
	for _, c := range streamURLs {
		f.Add(c.url)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, complaint := checkStreamURL(s)
		if complaint != "" {
			return
		}
		u, err := url.Parse(clean)
		if err != nil || !slices.Contains(streamSchemes, u.Scheme) || (u.Hostname() == "") != (u.Scheme == "v4l2") {
			t.Fatalf("%q became %q: %v", s, clean, err)
		}
		if again, complaint := checkStreamURL(clean); complaint != "" || again != clean {
			t.Fatalf("%q is not stable: %q, %q", clean, again, complaint)
		}
	})
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
