package discover

import (
	"testing"
	"unsafe"
)

func TestCapability(t *testing.T) {
	if n := unsafe.Sizeof(capability{}); n != 104 { // which the request's number has in it
		t.Fatalf("%d bytes", n)
	}
	for name, c := range map[string]struct {
		capabilities, device uint32
		want                 bool
	}{
		"USB camera":   {0x84a00001, 0x04200001, true},
		"its metadata": {0x84a00001, 0x04a00000, false},
		"Pi's encoder": {0x84208000, 0x04208000, false},
		"old driver":   {0x04000001, 0, true},
	} {
		var v capability
		copy(v.card[:], name)
		v.capabilities, v.deviceCaps = c.capabilities, c.device
		if got, ok := v.camera(); ok != c.want || got != name {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
	if _, ok := captures("/dev/null"); ok {
		t.Error("/dev/null is a camera")
	}
}
