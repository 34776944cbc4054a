package gateway

import (
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// mayPublish tells what a topic is for. refusal is why a message to it is thrown away though the connection goes on;
// an error ends the connection: MQTT 3.1.1 has no other way of saying no ([MQTT-3.3.5-2]).
func (c *conn) mayPublish(topic []byte) (kind wire.Kind, refusal string, err error) {
	if string(topic) == c.statusTopic { // does not allocate
		return wire.KindStatus, "", nil
	}
	t := string(topic)
	if !validText(t) || strings.ContainsAny(t, "+#") {
		return 0, "", errMalformed
	}
	kind, owner := wire.ParseTopic(t)
	switch {
	case kind == wire.KindUnattributed:
		return kind, dropUnattributed, nil
	case c.uuid == "":
		return kind, dropQuarantine, nil
	case !kind.FromDevice() || owner != c.uuid:
		return 0, "", protocolError{ReasonNotAllowed, "PUBLISH to a topic that is not the device's"}
	}
	switch c.standing(kind) {
	case phaseDevice:
		if kind == wire.KindStatus {
			c.statusTopic = t
		}
		return kind, "", nil
	default:
		if kind == wire.KindStatus {
			c.reported.Store(true)
		}
		return kind, dropQuarantine, nil
	}
}

// standing is the connection's phase. A quarantined one that acknowledges its registration is looked up first.
func (c *conn) standing(kind wire.Kind) phase {
	c.sinkMu.Lock()
	p := c.phase
	c.sinkMu.Unlock()
	if p == phaseQuarantine && kind == wire.KindRegistered {
		c.promote()
		c.sinkMu.Lock()
		p = c.phase
		c.sinkMu.Unlock()
	}
	return p
}
