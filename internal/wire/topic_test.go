package wire

import (
	"strings"
	"testing"
)

const testUUID = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"

func TestKind_TopicRoundTrip(t *testing.T) {
	for k := KindStatus; k <= KindWatch; k++ {
		if k == KindUnattributed {
			continue
		}
		topic := k.Topic(testUUID)
		if got, id := ParseTopic(topic); got != k || id != testUUID {
			t.Errorf("%s: kind %d of %q, want %d", topic, got, id, k)
		}
		if k.FromDevice() == k.ToDevice() {
			t.Errorf("kind %d has both directions or none", k)
		}
		if k.PayloadLimit() <= 0 {
			t.Errorf("kind %d has no limit", k)
		}
	}
}

func TestParseTopic(t *testing.T) {
	for topic, want := range map[string]Kind{
		"myprefix/status/" + testUUID: KindStatus,
		"octoprint/progress":          KindUnattributed,
		"x/temperature":               KindUnattributed,
		"octoprint/gcode":             KindUnattributed,
		"":                            KindNone,
		"/":                           KindNone,
		"/status/" + testUUID:         KindNone,
		"octoprint/status/":           KindNone,
		"octoprint/status/+":          KindNone,
		"octoprint/#":                 KindNone,
		"octoprint/status/" + strings.ToUpper(testUUID):  KindNone,
		"octoprint/status/" + testUUID + "/x":            KindNone,
		"control/" + testUUID + "/result/x":              KindNone,
		"device/" + testUUID:                             KindNone,
		"device/" + testUUID + "/presence\x00":           KindNone,
		"$SYS/broker/uptime":                             KindNone,
		strings.Repeat("a", 300) + "/status/" + testUUID: KindNone,
	} {
		if got, _ := ParseTopic(topic); got != want {
			t.Errorf("%.60q: %d, want %d", topic, got, want)
		}
	}
}

func TestParseTopic_DoesNotAllocate(t *testing.T) {
	topic := KindStatus.Topic(testUUID)
	if n := testing.AllocsPerRun(100, func() { ParseTopic(topic) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValidUUID(t *testing.T) {
	for range 100 {
		if id := NewUUID(); !ValidUUID(id) {
			t.Fatalf("our own %q is refused", id)
		}
	}
	for _, bad := range []string{"", "x", strings.ToUpper(testUUID), testUUID + "0", testUUID[:35], "1b4e28ba-2fa1-1d2e-883f-0016d3cca427",
		"1b4e28ba-2fa1-4d2e-c83f-0016d3cca427", "1b4e28ba_2fa1-4d2e-883f-0016d3cca427", "gb4e28ba-2fa1-4d2e-883f-0016d3cca427"} {
		if ValidUUID(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	f.Add(KindStatus.Topic(testUUID))
	f.Add("octoprint/progress")
	f.Fuzz(func(t *testing.T, topic string) {
		k, id := ParseTopic(topic)
		if (id != "") != (k != KindNone && k != KindUnattributed) {
			t.Fatalf("%q: kind %d with id %q", topic, k, id)
		}
		if id != "" && !ValidUUID(id) {
			t.Fatalf("%q: id %q", topic, id)
		}
	})
}
