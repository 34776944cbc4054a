package printer

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Event types that the server itself notes.
const (
	EventOnline    = "online"
	EventOffline   = "offline"
	EventMalformed = "malformed" // a device's event that could not be read; its number is kept
	EventDropped   = "dropped"   // data.count events of the device were over its quota and are not stored
)

// Limits of an event's fields. Its payload as a whole is at most wire.MaxEvent.
const (
	maxSeq       = int64(1) << 53 // beyond it a JSON number is no longer exact in every reader
	maxEventJob  = 64             // bytes
	maxEventData = 8 << 10        // bytes
)

var errEvent = errors.New("no event: epoch or seq is missing or wrong")

// decodeEvent reads octoprint/event. With a proper epoch and seq the event always comes back: what cannot be read of
// the rest makes it EventMalformed, so that the queue of the device moves on and nobody waits for that number. Without
// them it is errEvent: nothing can be said about it.
func decodeEvent(payload []byte) (wire.Event, error) {
	var raw struct {
		Epoch json.RawMessage `json:"epoch"`
		Seq   json.RawMessage `json:"seq"`
		At    json.RawMessage `json:"at"`
		Type  json.RawMessage `json:"type"`
		Job   json.RawMessage `json:"job"`
		Data  json.RawMessage `json:"data"`
	}
	var e wire.Event
	if len(payload) > wire.MaxEvent {
		return e, errEvent
	}
	if !utf8.Valid(payload) {
		payload = bytes.ToValidUTF8(payload, []byte("\uFFFD"))
	}
	if json.Unmarshal(payload, &raw) != nil {
		return e, errEvent
	}
	if json.Unmarshal(raw.Epoch, &e.Epoch) != nil || json.Unmarshal(raw.Seq, &e.Seq) != nil ||
		!validEpoch(e.Epoch) || e.Seq < 1 || e.Seq > maxSeq {
		return wire.Event{}, errEvent
	}
	ok := json.Unmarshal(raw.Type, &e.Type) == nil
	if clean, changed := wire.CleanText(e.Type, wire.MaxText); changed || clean == "" {
		ok = false
	}
	if len(raw.Job) > 0 && json.Unmarshal(raw.Job, &e.Job) != nil {
		ok = false
	}
	if clean, changed := wire.CleanText(e.Job, maxEventJob); changed || clean != e.Job {
		ok = false
	}
	if len(raw.At) > 0 && (json.Unmarshal(raw.At, &e.At) != nil || !(e.At >= 0 && e.At < 1e11)) {
		e.At = 0 // the server's own time has to do
	}
	if data := raw.Data; len(data) > 0 && string(data) != "null" {
		if data[0] != '{' || wire.TooDeep(data) {
			ok = false
		} else if len(data) > maxEventData {
			e.Data = json.RawMessage(`{"omitted":` + strconv.Itoa(len(data)) + `}`)
		} else {
			e.Data = data
		}
	}
	// The server's own words are not a device's to say.
	if !ok || e.Type == EventOnline || e.Type == EventOffline || e.Type == EventMalformed || e.Type == EventDropped {
		e.Type, e.Job, e.Data = EventMalformed, "", nil
	}
	return e, nil
}

func validEpoch(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	}) < 0
}

// A device whose clock is further off than this is not believed.
const clockSlack = 30 * time.Second

// when says when an event happened by the server's clock: by the device's, corrected by how far that is off, and
// never in the future. offset is what must be added to the device's clock.
func when(at float64, received time.Time, offset time.Duration) time.Time {
	if at <= 0 {
		return received
	}
	sec, frac := math.Modf(at)
	t := time.Unix(int64(sec), int64(frac*1e9))
	if offset.Abs() > clockSlack {
		t = t.Add(offset)
	}
	if t.After(received) || t.Year() < 2020 {
		return received
	}
	return t
}

// span is an inclusive range of sequence numbers.
type span struct{ from, to int64 }

// maxSpans bounds what is remembered of the holes in one queue's numbering.
const maxSpans = 64

// received says what a sequence number is to a queue of which everything up to high has come but missing. It gives
// what is to be remembered then.
func received(seq, high int64, missing []span) (fresh bool, newHigh int64, left []span) {
	if seq > high {
		if seq > high+1 {
			missing = append(missing, span{high + 1, seq - 1})
			if len(missing) > maxSpans {
				missing = missing[len(missing)-maxSpans:]
			}
		}
		return true, seq, missing
	}
	for i, m := range missing {
		if seq < m.from || seq > m.to {
			continue
		}
		left = append(left, missing[:i]...)
		if m.from < seq {
			left = append(left, span{m.from, seq - 1})
		}
		if seq < m.to {
			left = append(left, span{seq + 1, m.to})
		}
		return true, high, append(left, missing[i+1:]...)
	}
	return false, high, missing
}

func formatSpans(list []span) string {
	var b strings.Builder
	for i, m := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(m.from, 10) + "-" + strconv.FormatInt(m.to, 10))
	}
	return b.String()
}

// parseSpans reads what formatSpans wrote; what it did not write is left out.
func parseSpans(s string) []span {
	var list []span
	for part := range strings.SplitSeq(s, ",") {
		from, to, ok := strings.Cut(part, "-")
		a, errA := strconv.ParseInt(from, 10, 64)
		b, errB := strconv.ParseInt(to, 10, 64)
		if ok && errA == nil && errB == nil && a >= 1 && b >= a && len(list) < maxSpans {
			list = append(list, span{a, b})
		}
	}
	return list
}
