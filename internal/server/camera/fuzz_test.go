package camera

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// What a device sends is split, learned from, packed and kept without a panic, and stays the same bytes.
func FuzzAccessUnit(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 1, 0x40, 0, 0, 1, 0x68, 0xce, 0x38, 0x80, 0, 0, 1, 0x65, 0x88, 0x84})
	f.Add([]byte{0, 0, 1, 0x41, 0x9a})
	f.Add([]byte{0, 0, 1})
	f.Add([]byte{1, 0, 0, 1, 0x65})
	f.Add(bytes.Repeat([]byte{0, 0, 1, 1}, maxUnits+2))
	f.Fuzz(func(t *testing.T, b []byte) {
		units, err := splitAnnexB(b)
		if err != nil {
			return
		}
		if len(units) == 0 || len(units) > maxUnits {
			t.Fatalf("%d units", len(units))
		}
		again, err := splitAnnexB(appendAnnexB(nil, units))
		if err != nil || len(again) != len(units) {
			t.Fatalf("%v: %d units, then %d", err, len(units), len(again))
		}
		for i := range units {
			if !bytes.Equal(units[i], again[i]) {
				t.Fatalf("unit %d is another one", i)
			}
		}
		var p parameters
		p.learn(units)
		fr := &frame{kind: frameH264, data: b, units: p.complete(units)}
		for _, packet := range fr.packed() {
			if len(packet.Payload) == 0 || len(packet.Payload) > payloadMax {
				t.Fatalf("a payload of %d bytes", len(packet.Payload))
			}
		}
	})
}

// A whole message of the media link never makes the hub panic, whatever is in it.
func FuzzLinkMessage(f *testing.F) {
	info, _ := json.Marshal(rtspInfo)
	f.Add(append(wire.AppendMedia(nil, wire.MediaConfig, 0, 0), info...))
	f.Add(append(wire.AppendMedia(nil, wire.MediaState, 0, 0), `{"state":"failed","code":"x","lines":"\u0000"}`...))
	f.Add(append(wire.AppendMedia(nil, wire.MediaH264, wire.MediaKeyFrame, 1<<63), 0, 0, 1, 0x65, 0x88))
	f.Add(append(wire.AppendMedia(nil, wire.MediaJPEG, 1, 5), 0xff, 0xd8, 0xff, 0xd9))
	f.Add([]byte{})
	s := &Service{count: newCounters(nil, nil)}
	s.ffmpeg.once.Do(func() {})
	f.Fuzz(func(_ *testing.T, m []byte) {
		st := newStream(s, streamKey{"p", "c"}, testUUID, Camera{ID: "c"})
		l := &link{s: s, st: st}
		st.link = l
		if len(m) >= wire.MediaHeader {
			_ = l.take(m, time.Now())
		}
		st.mu.Lock()
		_, _ = st.failing(), st.mostLikely()
		st.mu.Unlock()
	})
}

func FuzzOffer(f *testing.F) {
	f.Add(offer)
	f.Add("v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 0 x 0\r\n")
	f.Fuzz(func(_ *testing.T, text string) { _ = checkOffer(text) })
}

func FuzzToken(f *testing.F) {
	s := &Service{}
	name, _, err := s.makeToken(place{camera: Camera{ID: "c"}}, RungMJPEG, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(name)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := s.openToken(text, RungMJPEG); err == nil && text != name {
			t.Fatalf("%q opens", text)
		}
	})
}
