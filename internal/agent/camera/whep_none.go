//go:build !whep

package camera

import "context"

// whep says that this program was built without WebRTC: see the other one.
func (f *follow) whep(context.Context) error {
	f.is(Stream{WHEP, CodecH264})
	return failure(noWHEP)
}
