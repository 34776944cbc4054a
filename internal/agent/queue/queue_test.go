package queue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func mustOpen(t testing.TB, dir string, limit int64) *Queue {
	t.Helper()
	q, err := Open(dir, limit, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func mustAppend(t testing.TB, q *Queue, kinds ...string) {
	t.Helper()
	for _, k := range kinds {
		if err := q.Append(wire.Event{Type: k, At: 1}); err != nil {
			t.Fatal(err)
		}
	}
}

// pending gives types and numbers of what is pending, such as "a1 b2".
func pending(t testing.TB, q *Queue) string {
	t.Helper()
	events, err := q.Pending(1000)
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, e := range events {
		s = append(s, fmt.Sprintf("%s%d", e.Type, e.Seq))
	}
	return strings.Join(s, " ")
}

func ack(t testing.TB, q *Queue, n int) wire.Event {
	t.Helper()
	events, err := q.Pending(n)
	if err != nil || len(events) < n {
		t.Fatalf("%d pending, want %d: %v", len(events), n, err)
	}
	if err := q.Ack(events[n-1]); err != nil {
		t.Fatal(err)
	}
	return events[n-1]
}

func TestQueue_KeepsOrderAndPositionOverRestarts(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, DefaultLimit)
	mustAppend(t, q, "a", "b", "c")
	epoch := q.Epoch()
	ack(t, q, 1)
	q.Close()
	q = mustOpen(t, dir, DefaultLimit)
	if q.Epoch() != epoch {
		t.Error("a sound queue began a new epoch")
	}
	mustAppend(t, q, "d")
	if got := pending(t, q); got != "b2 c3 d4" {
		t.Errorf("got %s", got)
	}
	last := ack(t, q, 3)
	q.Ack(last) // again does no harm
	q.Close()
	q = mustOpen(t, dir, DefaultLimit)
	if got := pending(t, q); got != "" {
		t.Errorf("acknowledged events came back: %s", got)
	}
	mustAppend(t, q, "e")
	if got := pending(t, q); got != "e5" || q.Epoch() != epoch {
		t.Errorf("got %s in epoch %s", got, q.Epoch())
	}
}

func TestQueue_NewEpochWhenGone(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, DefaultLimit)
	mustAppend(t, q, "a")
	epoch := q.Epoch()
	ack(t, q, 1)
	q.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
	for _, f := range files {
		os.Remove(f)
	}
	q = mustOpen(t, dir, DefaultLimit)
	mustAppend(t, q, "b")
	if got := pending(t, q); q.Epoch() == epoch || got != "b1" {
		t.Errorf("got %s, same epoch %v", got, q.Epoch() == epoch)
	}
}

func TestQueue_TornTail(t *testing.T) {
	whole := t.TempDir()
	q := mustOpen(t, whole, DefaultLimit)
	mustAppend(t, q, "a", "b", "c")
	q.Close()
	path := q.segments[0].path
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	position, _ := os.ReadFile(q.join("position"))
	for cut := range content { // every length that a power cut can leave
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, filepath.Base(path)), content[:cut], 0o600)
		if position != nil {
			os.WriteFile(filepath.Join(dir, "position"), position, 0o600)
		}
		r := mustOpen(t, dir, DefaultLimit)
		before := pending(t, r)
		if !strings.HasPrefix("a1 b2 c3", before) {
			t.Fatalf("cut at %d: %s", cut, before)
		}
		mustAppend(t, r, "d")
		events, err := r.Pending(10)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, e := range events {
			names[fmt.Sprint(e.Epoch, e.Seq)] = true
		}
		if len(names) != len(events) || events[len(events)-1].Type != "d" {
			t.Fatalf("cut at %d: %v", cut, events)
		}
		if cut < int(q.segments[0].size) && r.Epoch() == q.Epoch() && !bytes.HasSuffix(content[:cut], []byte("}")) && !bytes.HasSuffix(content[:cut], []byte("\n")) {
			t.Fatalf("cut at %d: goes on in the same epoch", cut)
		}
		r.Close()
	}
}

func TestQueue_DamageIsSaid(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, DefaultLimit)
	for i := range 250 {
		mustAppend(t, q, fmt.Sprintf("event-%04d-%s", i, strings.Repeat("x", 2000)))
	}
	if len(q.segments) < 3 {
		t.Fatalf("%d segments", len(q.segments))
	}
	first, second := q.segments[0], q.segments[1]
	q.Close()
	content, _ := os.ReadFile(first.path)
	content[len(content)/2] ^= 1
	os.WriteFile(first.path, content, 0o600)
	q = mustOpen(t, dir, DefaultLimit)
	events, err := q.Pending(1000)
	if err != nil {
		t.Fatal(err)
	}
	seq, gaps := int64(0), 0
	for _, e := range events {
		seq++
		if e.Type == wire.EventGap {
			var g struct{ Count int64 }
			if json.Unmarshal(e.Data, &g); e.Seq != seq+g.Count-1 {
				t.Errorf("the gap %d of %d events leaves numbers open after %d", e.Seq, g.Count, seq)
			}
			gaps++
			seq = e.Seq
		}
		if e.Seq != seq {
			t.Fatalf("number %d after %d", e.Seq, seq-1)
		}
		if e.Seq >= second.first {
			break
		}
	}
	if gaps != 1 {
		t.Errorf("%d gaps", gaps)
	}
}

func TestQueue_Overflow(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, 3*segmentSize)
	const n = 400
	for i := range n {
		mustAppend(t, q, strings.Repeat("x", 2000)+fmt.Sprint(i%10))
	}
	check := func(q *Queue) wire.Event {
		events, err := q.Pending(2)
		if err != nil || len(events) != 2 {
			t.Fatal(events, err)
		}
		var g struct{ Count int64 }
		json.Unmarshal(events[0].Data, &g)
		if events[0].Type != wire.EventGap || g.Count == 0 || events[0].Seq != g.Count || events[1].Seq != g.Count+1 {
			t.Errorf("got %+v and number %d", events[0], events[1].Seq)
		}
		if s := q.Stats(); s.Length != 1+n-g.Count || s.Bytes > 3*segmentSize {
			t.Errorf("stats %+v with a gap of %d", s, g.Count)
		}
		return events[0]
	}
	check(q)
	q.Close()
	q = mustOpen(t, dir, 3*segmentSize)
	gap := check(q)
	q.Ack(gap)
	events, _ := q.Pending(1)
	if len(events) != 1 || events[0].Seq != gap.Seq+1 {
		t.Errorf("after the gap: %+v", events)
	}
}

func TestQueue_DiskFull(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, DefaultLimit)
	mustAppend(t, q, "a")
	// A file that cannot be written stands for a disk that is full: the write fails in the same place.
	epoch := q.Epoch()
	q.file.Close()
	q.file, _ = os.Open(q.segments[0].path)
	blocked := filepath.Join(dir, segmentName(q.order+1))
	os.Mkdir(blocked, 0o700)
	for i := range maxWaiting + 10 {
		if q.Append(wire.Event{Type: fmt.Sprint("w", i, "-"), At: 1}) == nil {
			t.Fatal("appended to a full disk")
		}
	}
	if s := q.Stats(); s.Error == "" || s.Waiting != maxWaiting {
		t.Errorf("stats %+v", s)
	}
	if got := pending(t, q); got != "a1" {
		t.Errorf("what is on the disk can no longer be read: %s", got)
	}
	os.Remove(blocked)
	if err := q.Retry(); err != nil {
		t.Fatal(err)
	}
	events, err := q.Pending(3)
	if err != nil || len(events) != 3 || events[1].Type != wire.EventGap || string(events[1].Data) != `{"count":10}` || events[2].Type != "w10-" {
		t.Errorf("%+v %v", events, err)
	}
	if q.Epoch() == epoch || q.Stats().Error != "" || q.Stats().Waiting != 0 {
		t.Errorf("stats %+v", q.Stats())
	}
}

func TestQueue_Has(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, DefaultLimit)
	epoch, seq := q.Next()
	if q.Has(epoch, seq) {
		t.Error("has what was never appended")
	}
	mustAppend(t, q, "a")
	if !q.Has(epoch, seq) || q.Has(epoch, seq+1) || !q.Has("elsewhere", 3) {
		t.Error("does not know what it has")
	}
	ack(t, q, 1)
	if !q.Has(epoch, seq) {
		t.Error("forgot what was acknowledged")
	}
}

// TestQueue_RandomLife appends, acknowledges, restarts and tears at random and holds the queue to its promises.
func TestQueue_RandomLife(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	q := mustOpen(t, dir, DefaultLimit)
	appended, acked := 0, 0
	names := map[string]string{}
	for range 1200 {
		switch r.IntN(12) {
		case 0:
			q.Close()
			if r.IntN(2) == 0 { // a write that a power cut tore
				s := q.segments[len(q.segments)-1]
				f, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0o600)
				if err != nil {
					t.Fatal(err)
				}
				f.Write([]byte{0, 0, 0, 90, 1, 2, 3, 4, '{'})
				f.Close()
			}
			q = mustOpen(t, dir, DefaultLimit)
		case 1, 2, 3:
			n := r.IntN(70) + 1
			events, err := q.Pending(n)
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range events {
				if e.Type != fmt.Sprint(acked+i) {
					t.Fatalf("event %s in place of %d", e.Type, acked+i)
				}
				name := fmt.Sprint(e.Epoch, "/", e.Seq)
				if other, ok := names[name]; ok && other != e.Type {
					t.Fatalf("%s names %s and %s", name, other, e.Type)
				}
				names[name] = e.Type
			}
			if len(events) > 0 {
				k := r.IntN(len(events))
				if err := q.Ack(events[k]); err != nil {
					t.Fatal(err)
				}
				acked += k + 1
			}
		default:
			mustAppend(t, q, fmt.Sprint(appended))
			appended++
		}
		if want := int64(appended - acked); q.Stats().Length != want {
			t.Fatalf("%d pending, want %d", q.Stats().Length, want)
		}
	}
}

func TestBook_TornWrite(t *testing.T) {
	b := book{path: filepath.Join(t.TempDir(), "position")}
	for seq := range int64(5) {
		if err := b.save(position{Epoch: "abc", Seq: seq}); err != nil {
			t.Fatal(err)
		}
	}
	b.close()
	whole, err := os.ReadFile(b.path)
	if err != nil {
		t.Fatal(err)
	}
	newest := int(b.turn%2) * placeSize
	for i := range 60 { // the write of the newest place may have got as far as any of its bytes
		torn := bytes.Clone(whole)
		torn[newest+i] ^= 0x55
		os.WriteFile(b.path, torn, 0o600)
		again := book{path: b.path}
		p, err := again.open()
		again.close()
		if want := int64(3); err != nil || (p.Seq != want && !(p.Seq == 4 && i >= placeHead+len(`{"epoch":"abc","seq":4}`))) {
			t.Fatalf("byte %d: %+v %v", i, p, err)
		}
	}
}

func FuzzRecords(f *testing.F) {
	b, err := record(wire.Event{Epoch: "abc", Seq: 5, Type: "a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(header("abc", 5), b...))
	f.Add(append(append(header("abc", 5), b...), b...))
	f.Fuzz(func(t *testing.T, content []byte) {
		in := buffered(bytes.NewReader(content), 0)
		s, err := readHeader(in)
		if err != nil {
			return
		}
		n := int64(0)
		readRecords(in, &s, func(e wire.Event) bool {
			if e.Seq != s.first+n || e.Epoch != s.epoch {
				t.Fatalf("event %d/%s at place %d", e.Seq, e.Epoch, n)
			}
			n++
			return true
		})
		if s.last-s.first+1 != n || s.size > int64(len(content)) {
			t.Fatalf("%+v after %d records in %d bytes", s, n, len(content))
		}
	})
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	q := mustOpen(f, dir, DefaultLimit)
	mustAppend(f, q, "a", "b", "c")
	q.Close()
	sound, _ := os.ReadFile(q.segments[0].path)
	seed := func(p position) []byte {
		b := book{path: filepath.Join(f.TempDir(), "position")}
		if err := b.save(p); err != nil {
			f.Fatal(err)
		}
		b.close()
		content, _ := os.ReadFile(b.path)
		return content
	}
	f.Add(sound, seed(position{Epoch: q.Epoch(), Seq: 1}))
	f.Add([]byte("FQ1 abc 5\n"), seed(position{Epoch: "abc", Seq: 9, Lost: 3}))
	f.Add([]byte("FQ1 abc 9223372036854775807\n"), seed(position{Epoch: "abc", Seq: 0}))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, content, position []byte) {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, segmentName(1)), content, 0o600)
		os.WriteFile(filepath.Join(dir, "position"), position, 0o600)
		q := mustOpen(t, dir, DefaultLimit)
		mustAppend(t, q, "new")
		for range 20 {
			events, err := q.Pending(100)
			if err != nil {
				t.Fatal(err)
			}
			if len(events) == 0 {
				return
			}
			if err := q.Ack(events[len(events)-1]); err != nil {
				t.Fatal(err)
			}
			if events[len(events)-1].Type == "new" {
				if got := pending(t, q); got != "" {
					t.Fatalf("acknowledged events come back: %s", got)
				}
			}
		}
		t.Fatal("never comes to an end")
	})
}
