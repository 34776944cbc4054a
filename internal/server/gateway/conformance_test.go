package gateway

import (
	"fmt"
	"slices"
	"testing"
)

// statement is one normative statement of OASIS MQTT 3.1.1 (appendix B), in short words of ours, with a check of it or
// with the reason why a server like this one has nothing to check.
type statement struct {
	id    string // as in [MQTT-3.1.0-1]
	text  string
	check func(t *testing.T, d *door)
	moot  string
}

// Why a statement has no check.
const (
	ofClients = "binds clients only"
	noRetain  = "nobody but the server hears a device's topics, so a retained message has no subscriber to go to"
)

// TestConformance checks the normative statements one by one.
func TestConformance(t *testing.T) {
	for _, s := range slices.Concat(formatStatements, connectStatements, willStatements, sessionStatements,
		publishStatements, subscribeStatements, operationStatements, transportStatements) {
		t.Run(s.id, func(t *testing.T) {
			if (s.check == nil) == (s.moot == "") {
				t.Fatal("a statement needs a check or a reason, not both")
			}
			if s.check == nil {
				t.Logf("%s: no check: %s", s.text, s.moot)
				return
			}
			t.Parallel()
			s.check(t, mustOpen(t, byUUID))
		})
	}
}

// TestConformance_Complete makes sure that no statement of the specification is left out, or named twice.
func TestConformance_Complete(t *testing.T) {
	// How many statements each section has, by appendix B.
	sections := []struct {
		section string
		n       int
	}{
		{"1.5.3", 3}, {"2.2.2", 2}, {"2.3.1", 7}, {"3.1.0", 2}, {"3.1.2", 24}, {"3.1.3", 11}, {"3.1.4", 5}, {"3.2.0", 1},
		{"3.2.2", 6}, {"3.3.1", 12}, {"3.3.2", 3}, {"3.3.4", 1}, {"3.3.5", 2}, {"3.6.1", 1}, {"3.8.1", 1}, {"3.8.3", 4},
		{"3.8.4", 6}, {"3.9.3", 2}, {"3.10.1", 1}, {"3.10.3", 2}, {"3.10.4", 6}, {"3.12.4", 1}, {"3.14.1", 1},
		{"3.14.4", 3}, {"4.1.0", 2}, {"4.2.0", 1}, {"4.3.1", 1}, {"4.3.2", 2}, {"4.3.3", 2}, {"4.4.0", 1}, {"4.5.0", 2},
		{"4.6.0", 6}, {"4.7.1", 3}, {"4.7.2", 1}, {"4.7.3", 4}, {"4.8.0", 2}, {"6.0.0", 4}, {"7.0.0", 2},
	}
	named := map[string]int{}
	for _, s := range slices.Concat(formatStatements, connectStatements, willStatements, sessionStatements,
		publishStatements, subscribeStatements, operationStatements, transportStatements) {
		named[s.id]++
	}
	all := 0
	for _, s := range sections {
		for i := 1; i <= s.n; i++ {
			id := fmt.Sprintf("MQTT-%s-%d", s.section, i)
			if named[id] != 1 {
				t.Errorf("%s is named %d times", id, named[id])
			}
			all++
		}
	}
	if len(named) != all {
		t.Errorf("%d statements named, %d in the specification", len(named), all)
	}
}
