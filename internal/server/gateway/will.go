package gateway

import (
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// will is a Last Will: what the device says when it goes without a word. It is bounded by the size of a CONNECT.
type will struct {
	topic   string
	payload []byte
}

// newWill checks a will by the same rights as a publish. Whose topics a connection without credentials may use is not
// known yet (uuid is ""): its will is looked at again when it speaks.
func newWill(p *packets.ConnectPacket, uuid string) (*will, wire.ConnackCode) {
	if !p.WillFlag {
		return nil, wire.ConnackAccepted
	}
	if kind, owner := wire.ParseTopic(p.WillTopic); !kind.FromDevice() || uuid != "" && owner != uuid && kind != wire.KindUnattributed {
		return nil, wire.ConnackNotAuthorized
	}
	return &will{p.WillTopic, append([]byte(nil), p.WillMessage...)}, wire.ConnackAccepted
}

// speakWill hands the will to Sink. sinkMu is held and the connection is a device's.
func (c *conn) speakWill() {
	if c.will == nil {
		return
	}
	kind, owner := wire.ParseTopic(c.will.topic)
	if owner != c.device.UUID {
		return
	}
	_ = c.hand(kind, c.will.payload, time.Now(), true) // nobody is left to send it again
}
