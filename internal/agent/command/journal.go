package command

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Journal keeps on disk which commands were taken, and the answers that the server has not acknowledged. An id is on the
// disk before its command is begun, so that nothing is done twice, not even by an agent that was killed in between: such a
// command's outcome is told as unknown.
//
// The file is a list of JSON lines; a torn last line is one that never was. It is written anew when it has grown. mu
// guards it all.
type Journal struct {
	path string

	mu      sync.Mutex
	file    *os.File
	size    int64
	entries map[string]*entry
	order   []string      // ids, the oldest first
	more    chan struct{} // capacity 1: there are answers to send
}

// entry is a command that was taken.
type entry struct {
	expires float64 // server time
	result  *wire.CommandResult
	acked   bool
}

// line is a line of the file.
type line struct {
	ID      string              `json:"id"`
	Expires float64             `json:"expires,omitzero"` // taken
	Result  *wire.CommandResult `json:"result,omitzero"`  // ended
	Acked   bool                `json:"acked,omitzero"`   // the server has it
}

const (
	maxJournal = 256 << 10 // bytes, then it is written anew
	maxEntries = 500       // remembered; a command has expired long before 500 others came
	maxUnacked = 200       // answers that wait for a server; the oldest goes first
)

// OpenJournal reads the journal at path, or begins one. What had begun and not ended gets its answer: outcome unknown.
func OpenJournal(path string) (*Journal, error) {
	j := &Journal{path: path, entries: map[string]*entry{}, more: make(chan struct{}, 1)}
	if err := j.read(); err != nil {
		return nil, fmt.Errorf("command journal: %w", err)
	}
	for _, id := range j.order {
		e := j.entries[id]
		if e.result == nil {
			e.result = &wire.CommandResult{ID: id, Code: wire.ResultOutcomeUnknown,
				Message: "the agent was interrupted after it had taken the command"}
		}
	}
	if err := j.rewrite(); err != nil {
		return nil, fmt.Errorf("command journal: %w", err)
	}
	j.nudge()
	return j, nil
}

func (j *Journal) read() error {
	f, err := os.Open(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 4*maxJournal))
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.ID == "" || len(l.ID) > wire.MaxCommandID {
			continue // torn
		}
		j.apply(l)
	}
	return nil // a line too long for one of ours ends the reading, not the agent
}

// apply folds a line in.
func (j *Journal) apply(l line) {
	e := j.entries[l.ID]
	if e == nil {
		e = &entry{}
		j.entries[l.ID] = e
		j.order = append(j.order, l.ID)
	}
	if l.Expires != 0 {
		e.expires = l.Expires
	}
	if l.Result != nil {
		e.result = l.Result
		e.result.ID = l.ID
	}
	e.acked = e.acked || l.Acked
}

// Take writes a command's id down. False: it was taken before. An error means that it is not on the disk, so it must not
// be begun.
func (j *Journal) Take(id string, expires float64) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.entries[id] != nil {
		return false, nil
	}
	if err := j.append(line{ID: id, Expires: expires}, true); err != nil {
		return false, err
	}
	return true, nil
}

// End writes a command's answer down; it is sent until the server has it.
func (j *Journal) End(r wire.CommandResult) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.entries[r.ID]; e != nil && e.result != nil {
		return nil
	}
	err := j.append(line{ID: r.ID, Result: &r}, true)
	if err != nil { // the answer is sent all the same; an agent killed before says that it does not know
		j.apply(line{ID: r.ID, Result: &r})
	}
	j.nudge()
	return err
}

// Again has the answer to a command sent once more, if there is one: the server asks again.
func (j *Journal) Again(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.entries[id]; e != nil && e.result != nil {
		e.acked = false
		j.nudge()
	}
}

// Waiting gives the answers that the server has not acknowledged, the oldest first.
func (j *Journal) Waiting() []wire.CommandResult {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []wire.CommandResult
	for _, id := range j.order {
		if e := j.entries[id]; e.result != nil && !e.acked {
			list = append(list, *e.result)
		}
	}
	return list
}

// More says that there are answers to send.
func (j *Journal) More() <-chan struct{} { return j.more }

// Acked says that the server has an answer. It is not forced to the disk: should it be lost, the answer is sent again, and
// the server knows it.
func (j *Journal) Acked(id string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.entries[id]
	if e == nil || e.acked {
		return nil
	}
	e.acked = true
	return j.append(line{ID: id, Acked: true}, false)
}

// Close lets go of the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	f := j.file
	j.file = nil
	return f.Close()
}

func (j *Journal) nudge() {
	select {
	case j.more <- struct{}{}:
	default:
	}
}

// append writes a line. The caller holds mu.
func (j *Journal) append(l line, sync bool) error {
	if j.file == nil {
		return errors.New("command journal: closed")
	}
	if j.size > maxJournal || len(j.order) >= maxEntries+maxUnacked {
		if err := j.rewrite(); err != nil {
			return fmt.Errorf("command journal: %w", err)
		}
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	n, err := j.file.Write(append(b, '\n'))
	j.size += int64(n)
	if err == nil && sync {
		err = j.file.Sync()
	}
	if err != nil {
		j.file.Write([]byte("\n")) // what is torn must not take the next line with it
		return fmt.Errorf("command journal: %w", err)
	}
	j.apply(l)
	return nil
}

// rewrite forgets what is old and writes the rest to a new file. The caller holds mu, or is alone.
func (j *Journal) rewrite() error {
	j.forget()
	content := []byte{}
	for _, id := range j.order {
		e := j.entries[id]
		b, err := json.Marshal(line{ID: id, Expires: e.expires, Result: e.result, Acked: e.acked})
		if err != nil {
			return err
		}
		content = append(append(content, b...), '\n')
	}
	if err := durable.WriteFile(j.path, content); err != nil {
		return err
	}
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open %s: %w", filepath.Base(j.path), err)
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.size = f, int64(len(content))
	return nil
}

// forget drops the oldest entries: those that the server has first, then answers that nobody has taken for long. What is
// under way stays.
func (j *Journal) forget() {
	answered, unacked := 0, 0
	j.order = slices.DeleteFunc(slices.Clone(reversed(j.order)), func(id string) bool {
		e := j.entries[id]
		drop := false
		switch {
		case e.result == nil:
		case e.acked:
			answered++
			drop = answered > maxEntries/2
		default:
			unacked++
			drop = unacked > maxUnacked
		}
		if drop {
			delete(j.entries, id)
		}
		return drop
	})
	slices.Reverse(j.order)
}

func reversed(list []string) []string {
	r := slices.Clone(list)
	slices.Reverse(r)
	return r
}
