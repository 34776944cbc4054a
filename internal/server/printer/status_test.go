package printer

import (
	"testing"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestStatusOf(t *testing.T) {
	num := func(v float64) *float64 { return &v }
	heats := map[string]wire.Temperature{"tool0": {Actual: num(40), Target: num(210)}, "bed": {Actual: num(60), Target: num(60)}}
	warm := map[string]wire.Temperature{"tool0": {Actual: num(208), Target: num(210)}}
	for _, c := range []struct {
		name string
		snap wire.Snapshot
		want wire.Status
	}{
		{"agent's own word", wire.Snapshot{Status: wire.StatusFinishing, State: wire.State{Text: "Printing"}}, wire.StatusFinishing},
		{"operational", wire.Snapshot{State: wire.State{Text: "Operational"}}, wire.StatusIdle},
		{"printing", wire.Snapshot{State: wire.State{Text: "Printing"}, Temperatures: warm}, wire.StatusPrinting},
		{"printing from SD", wire.Snapshot{State: wire.State{Text: "Printing from SD"}}, wire.StatusPrinting},
		{"starting heats", wire.Snapshot{State: wire.State{Text: "Starting"}, Temperatures: heats}, wire.StatusHeating},
		{"printing heats", wire.Snapshot{State: wire.State{Text: "Printing"}, Temperatures: heats, Progress: wire.Progress{Completion: num(0.2)}}, wire.StatusHeating},
		{"cold in the middle is no heating up", wire.Snapshot{State: wire.State{Text: "Printing"}, Temperatures: heats, Progress: wire.Progress{Completion: num(40)}}, wire.StatusPrinting},
		{"paused and cold", wire.Snapshot{State: wire.State{Text: "Paused"}, Temperatures: heats}, wire.StatusPaused},
		{"pausing", wire.Snapshot{State: wire.State{Text: "Pausing"}}, wire.StatusPausing},
		{"resuming", wire.Snapshot{State: wire.State{Text: "Resuming"}}, wire.StatusResuming},
		{"cancelling", wire.Snapshot{State: wire.State{Text: "Cancelling"}}, wire.StatusCancelling},
		{"finishing", wire.Snapshot{State: wire.State{Text: "Finishing"}}, wire.StatusFinishing},
		{"offline", wire.Snapshot{State: wire.State{Text: "Offline"}}, wire.StatusOffline},
		{"offline with an error", wire.Snapshot{State: wire.State{Text: "Offline (Error: SerialException)"}}, wire.StatusError},
		{"offline after an error", wire.Snapshot{State: wire.State{Text: "Offline after error"}}, wire.StatusError},
		{"error", wire.Snapshot{State: wire.State{Text: "Error: Too many consecutive timeouts"}}, wire.StatusError},
		{"opening", wire.Snapshot{State: wire.State{Text: "Opening serial connection"}}, wire.StatusConnecting},
		{"detecting", wire.Snapshot{State: wire.State{Text: "Detecting serial connection"}}, wire.StatusConnecting},
		{"connecting", wire.Snapshot{State: wire.State{Text: "Connecting"}}, wire.StatusConnecting},
		{"a file on its way to the card", wire.Snapshot{State: wire.State{Text: "Transferring file to SD"}}, wire.StatusUnknown},
		{"the same, older", wire.Snapshot{State: wire.State{Text: "Sending file to SD"}}, wire.StatusUnknown},
		{"flags alone: printing", wire.Snapshot{State: wire.State{Flags: map[string]bool{"operational": true, "printing": true}}}, wire.StatusPrinting},
		{"flags alone: paused", wire.Snapshot{State: wire.State{Flags: map[string]bool{"operational": true, "printing": true, "paused": true}}}, wire.StatusPaused},
		{"flags alone: ready", wire.Snapshot{State: wire.State{Flags: map[string]bool{"operational": true, "ready": true}}}, wire.StatusIdle},
		{"flags alone: closed", wire.Snapshot{State: wire.State{Flags: map[string]bool{"closedOrError": true}}}, wire.StatusOffline},
		{"flags alone: error", wire.Snapshot{State: wire.State{Flags: map[string]bool{"error": true, "closedOrError": true}}}, wire.StatusError},
		{"a text of a newer OctoPrint, with flags", wire.Snapshot{State: wire.State{Text: "Dancing", Flags: map[string]bool{"ready": true}}}, wire.StatusIdle},
		{"nothing", wire.Snapshot{}, wire.StatusUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := statusOf(&c.snap); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestStatusOfBare(t *testing.T) {
	for id, want := range stateIDs {
		if got := statusOfBare(&wire.Snapshot{StateID: id, StateString: "whatever"}); got != want || !got.Valid() {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if got := statusOfBare(&wire.Snapshot{StateID: "DANCING", StateString: "Pausing"}); got != wire.StatusPausing {
		t.Errorf("unknown id: %q, want what the text says", got)
	}
	if got := statusOfBare(&wire.Snapshot{StateID: "DANCING"}); got != wire.StatusUnknown {
		t.Errorf("unknown id alone: %q", got)
	}
}

// History keeps the place of a status in this list.
func TestStatusNumbersStay(t *testing.T) {
	want := []wire.Status{"offline", "connecting", "idle", "heating", "printing", "pausing", "paused", "resuming", "cancelling",
		"finishing", "error", "unknown"}
	for i, s := range want {
		if statusNumber(s) != int16(i) || statusOfNumber(int16(i)) != s {
			t.Errorf("%s is number %d, was %d", s, statusNumber(s), i)
		}
	}
	if statusOfNumber(99) != wire.StatusUnknown || statusOfNumber(-1) != wire.StatusUnknown {
		t.Error("a number that is none must be unknown")
	}
}
