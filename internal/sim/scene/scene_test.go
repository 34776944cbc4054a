package scene

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
	"time"
)

func picture(t *testing.T, w, h int, s Scene, quality int) image.Image {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	Draw(img, s)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	read, err := jpeg.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestReadClock(t *testing.T) {
	at := time.Date(2026, 11, 26, 0, 0, 0, 123e6, time.UTC)
	for range 24 { // every digit in every place that can have it
		at = at.Add(67*time.Minute + 11*time.Second + 217*time.Millisecond)
		for _, size := range []image.Point{{320, 180}, {640, 360}} {
			img := picture(t, size.X, size.Y, Scene{Progress: 0.5, At: at, Part: Parts[0]}, 60)
			got, err := ReadClock(img, at.Add(300*time.Millisecond))
			if err != nil {
				t.Fatalf("%v at %v: %v", size, at, err)
			}
			if !got.Equal(at.Truncate(time.Millisecond)) {
				t.Fatalf("%v: read %v, drawn %v", size, got, at)
			}
		}
	}
}

func TestReadClock_AroundMidnight(t *testing.T) {
	at := time.Date(2026, 11, 26, 23, 59, 59, 900e6, time.UTC)
	got, err := ReadClock(picture(t, 640, 360, Scene{At: at}, 80), at.Add(200*time.Millisecond))
	if err != nil || !got.Equal(at) {
		t.Fatalf("%v %v", got, err)
	}
}

func TestReadClock_NoClock(t *testing.T) {
	if got, err := ReadClock(image.NewRGBA(image.Rect(0, 0, 640, 360)), time.Now()); err != ErrNoClock {
		t.Fatalf("%v %v", got, err)
	}
}

func TestDraw_AnySize(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {7, 3}, {160, 90}, {90, 160}} {
		for _, progress := range []float64{-1, 0, 0.3, 1, 2} {
			Draw(image.NewRGBA(image.Rectangle{Max: size}), Scene{Progress: min(progress, 1), At: time.Now()})
		}
	}
}
