package camera

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// The cameras of a printer share its uplink: all of it for one alone, most of it for the one that is watched.
func TestUplink_IsSharedByTheCamerasThatAreOpen(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.change(func() { s.uplink = 1000 })
	s.device.gives(mjpegInfo, jpegs(t))
	told := func(camera string, want int) {
		t.Helper()
		until(t, "the share of "+camera, func() bool {
			s.device.mu.Lock()
			defer s.device.mu.Unlock()
			for i := len(s.device.wanted) - 1; i >= 0; i-- {
				if w := s.device.wanted[i]; w.camera == camera {
					return w.MaxKbps == want
				}
			}
			return false
		})
	}
	first := do(t, s.request(t, "owner", "GET", camPath+"/mjpeg", nil))
	readMJPEG(t, first, 1)
	told("cam1", 1000)
	path := "/api/v1/printers/" + testUUID + "/cameras/cam2"
	if resp := do(t, s.request(t, "owner", "GET", path+"/snapshot.jpg", nil)); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode)
	}
	told("cam1", 800)
	told("cam2", 200)
	second := do(t, s.request(t, "owner", "GET", path+"/mjpeg", nil))
	readMJPEG(t, second, 1)
	told("cam1", 500)
	told("cam2", 500)
	s.change(func() { s.cameras[0].MaxKbps = 300 }) // a camera's own bound holds within its share
	told("cam1", 300)
	_ = second.Body.Close()
	s.change(func() { s.uplink, s.cameras[0].MaxKbps = 0, 0 })
	told("cam1", 0)
	var d Diagnosis
	if b, err := io.ReadAll(do(t, s.request(t, "owner", "GET", camPath+"?wait=false", nil)).Body); err != nil || json.Unmarshal(b, &d) != nil || d.State != "running" {
		t.Errorf("%v %+v", err, d)
	}
}

func TestUplink_OfManyCamerasIsNeverNothing(t *testing.T) {
	t.Parallel()
	s := mustServe(t)
	s.change(func() { s.uplink = 100 })
	st := newStream(s.Service, streamKey{"printer of " + testUUID, "x"}, testUUID, Camera{})
	if got := s.shareOf(st, partsPicture, 8*partsLive); got != leastShare {
		t.Errorf("%d kbit/s", got)
	}
	v := newViewer(RungHLS, workspace.Actor{}, nil)
	st.viewers[v] = struct{}{}
	if st.parts() != partsLive || (wire.MediaOptions{MaxKbps: st.kbps()}) != (wire.MediaOptions{}) {
		t.Errorf("%d parts, %d kbit/s", st.parts(), st.kbps())
	}
}
