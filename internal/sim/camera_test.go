package sim

import (
	"image"
	"image/jpeg"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/sim/scene"
)

func TestCamera(t *testing.T) {
	s := httptest.NewServer(&Camera{Size: image.Pt(320, 180), FPS: 20, Quality: 80})
	t.Cleanup(s.Close) // after the answers, which it waits for
	get := func(query string) *http.Response {
		t.Helper()
		res, err := http.Get(s.URL + "/" + query)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	clock := func(r io.Reader) time.Time {
		t.Helper()
		img, err := jpeg.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		at, err := scene.ReadClock(img, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if still := clock(get("?action=snapshot").Body); time.Since(still) > time.Hour {
		t.Errorf("the snapshot's clock says %v", still)
	}
	res := get("?action=stream")
	_, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(res.Body, params["boundary"])
	var before time.Time
	for range 5 {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		at := clock(part)
		if !at.After(before) {
			t.Errorf("%v after %v", at, before)
		}
		before = at
	}
	if res := get("elsewhere"); res.StatusCode != http.StatusNotFound {
		t.Errorf("another path: %d", res.StatusCode)
	}
}
