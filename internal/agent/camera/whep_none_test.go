//go:build !whep

package camera

import (
	"context"
	"strings"
	"testing"
)

func TestLook_WHEP(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1/cam/whep", "webrtc://127.0.0.1/cam"} {
		if r := Look(context.Background(), url); r.Code != NotAStream || r.Kind != WHEP || !strings.Contains(r.Message, "not supported yet") {
			t.Errorf("%+v", r)
		}
	}
}
