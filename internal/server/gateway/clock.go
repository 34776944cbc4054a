package gateway

import (
	"encoding/json"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const maxTimeRequest = 256 // bytes

// tellTime answers device/{id}/time with the server's clock. No answer is given to what is no request.
func (c *conn) tellTime(payload []byte) error {
	var q wire.TimeRequest
	if len(payload) > maxTimeRequest || json.Unmarshal(payload, &q) != nil {
		return ErrInvalid
	}
	b, err := json.Marshal(wire.TimeReply{T0: q.T0, Server: float64(c.g.now().UnixMicro()) / 1e6})
	if err != nil {
		return ErrInvalid
	}
	_ = c.Publish(wire.KindTimeReply, b, 0) // it may not listen, or not keep up: it asks again
	return nil
}
