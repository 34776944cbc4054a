//go:build !whep

package camera

import "context"

// whep says that this program was built without WebRTC: see the other whep.
func (l *look) whep(context.Context) error {
	l.result.Kind, l.unsupported = WHEP, true
	return failure(NotAStream)
}
