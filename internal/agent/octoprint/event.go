package octoprint

import (
	"bytes"
	"encoding/json"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// maxData bounds what of an event's payload is passed on, in bytes. Real ones have some hundred.
const maxData = 8 << 10

// told are the events that people want to know of.
var told = map[text]bool{
	wire.EventPrintStarted: true, wire.EventPrintDone: true, wire.EventPrintFailed: true, wire.EventPrintCancelled: true,
	wire.EventPrintPaused: true, wire.EventPrintResumed: true, wire.EventError: true, wire.EventConnected: true,
	wire.EventDisconnected: true, wire.EventFilamentChange: true, "EStop": true,
}

// forward gives the payload to pass on of an event that people want to know of.
func forward(e *eventMessage) (data json.RawMessage, ok bool) {
	if !told[e.Type] {
		return nil, false
	}
	var fields map[string]json.RawMessage
	if len(e.Payload) == 0 || json.Unmarshal(e.Payload, &fields) != nil || fields == nil {
		return nil, true
	}
	if e.Type == wire.EventPrintFailed && string(fields["reason"]) == `"cancelled"` {
		return nil, false // OctoPrint says each cancellation twice
	}
	delete(fields, "logs") // the terminal: not ours to carry away
	if data, err := json.Marshal(fields); err == nil && len(data) <= maxData {
		return bytes.ToValidUTF8(data, []byte("\uFFFD")), true
	}
	return json.RawMessage(`{"trimmed":true}`), true
}
