package printer

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

func randomBlock(r *rand.Rand) *block {
	b := &block{step: 10, start: 6000, places: 1 + r.IntN(maxBlockPlaces)}
	for i, name := range []string{"tool0", "tool0", "bed", "W", "completion", "status"} {
		if r.IntN(4) == 0 {
			continue
		}
		c := b.column(name, kind(1+(i+r.IntN(4))%4))
		for p := range b.places {
			switch r.IntN(4) {
			case 0:
			case 1:
				c.values[p] = int16(r.IntN(1<<16) - 1<<15)
			default:
				c.values[p] = int16(2000 + r.IntN(30))
			}
		}
	}
	b.dirty = false
	return b
}

func TestBlockComesBack(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		b := randomBlock(r)
		got, err := decodeBlock(b.encode(nil), b.step, b.start)
		if err != nil {
			t.Fatalf("%v of %+v", err, b)
		}
		if !reflect.DeepEqual(got, b) {
			t.Fatalf("%+v\nwant %+v", got, b)
		}
	}
}

func TestBlockCutAnywhereIsRefused(t *testing.T) {
	b := randomBlock(rand.New(rand.NewPCG(1, 2)))
	data := b.encode(nil)
	for i := range data {
		if _, err := decodeBlock(data[:i], 10, 0); err == nil {
			t.Fatalf("cut to %d of %d bytes", i, len(data))
		}
	}
	if _, err := decodeBlock(append(data, 0), 10, 0); err == nil {
		t.Error("with a byte too many")
	}
}

func FuzzDecodeBlock(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 5 {
		f.Add(randomBlock(r).encode(nil))
	}
	f.Add([]byte{1, 255, 255, 255, 255, 15, 1})
	f.Add([]byte{1, 144, 1, 40})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeBlock(data, 10, 600)
		if err != nil {
			return
		}
		if b.places > maxBlockPlaces || len(b.columns) > maxBlockColumns {
			t.Fatalf("%d places, %d columns", b.places, len(b.columns))
		}
		again, err := decodeBlock(b.encode(nil), 10, 600)
		if err != nil || !reflect.DeepEqual(again, b) {
			t.Fatalf("%v\n%+v\n%+v", err, again, b)
		}
		if size := len(b.encode(nil)); size > len(data) { // ours is the shortest form
			t.Fatalf("grew from %d to %d bytes", len(data), size)
		}
	})
}

// An hour of printing must be small: it is written every 10 s.
func TestBlockIsSmall(t *testing.T) {
	b := &block{step: 10, start: 600, places: 60}
	for p := range 60 {
		b.set(p, "tool0", kindActual, int16(2100+p%5))
		b.set(p, "tool0", kindTarget, 2100)
		b.set(p, "bed", kindActual, int16(600+p%3))
		b.set(p, "bed", kindTarget, 600)
		b.set(p, "completion", kindCompletion, int16(p*30))
		b.set(p, "status", kindStatus, 4)
	}
	if n := len(b.encode(nil)); n > 500 {
		t.Errorf("%d bytes", n)
	}
	if !bytes.Equal(b.encode(nil), b.encode(nil)) {
		t.Error("not the same twice")
	}
}
