// Package bus carries messages between the parts of the server. Within one process it is a call; between nodes
// it will be NATS behind the same type. A message says that something changed; who needs to know more asks for it.
package bus

import (
	"sync"
	"time"
)

// Topic is one kind of message. Its zero value is ready for use.
type Topic[T any] struct {
	mu   sync.RWMutex
	next int
	subs map[int]func(T)
}

// Subscribe has fn called with each message from now on, in the publisher's goroutine: fn must not block. The
// returned function ends it; a call under way may still finish afterwards.
func (t *Topic[T]) Subscribe(fn func(T)) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.subs == nil {
		t.subs = map[int]func(T){}
	}
	id := t.next
	t.next++
	t.subs[id] = fn
	return func() {
		t.mu.Lock()
		delete(t.subs, id)
		t.mu.Unlock()
	}
}

// Publish hands m to everybody who has subscribed.
func (t *Topic[T]) Publish(m T) {
	t.mu.RLock()
	fns := make([]func(T), 0, len(t.subs))
	for _, fn := range t.subs {
		fns = append(fns, fn)
	}
	t.mu.RUnlock()
	for _, fn := range fns {
		fn(m)
	}
}

// Bus is every topic there is.
type Bus struct {
	PrinterChanged  Topic[PrinterChanged] // a printer came, went, was edited, or its access changed
	TwinChanged     Topic[TwinChanged]    // what a printer says of itself changed: many a second
	EventStored     Topic[EventStored]
	JobChanged      Topic[JobChanged]
	WatchChanged    Topic[WatchChanged]
	AccessEnded     Topic[AccessEnded]
	CommandChanged  Topic[CommandChanged]
	TerminalLines   Topic[TerminalLines]
	FilesChanged    Topic[FilesChanged]
	TransferChanged Topic[TransferChanged]
	DeviceFiles     Topic[DeviceFiles]
}

// CommandChanged says that a command was sent, or what became of it. JSON is for those who look.
type CommandChanged struct {
	PrinterID, UUID string
	JSON            []byte
}

// TerminalLines are new lines of a printer's terminal, as JSON for those who look.
type TerminalLines struct {
	UUID string
	JSON []byte
}

// PrinterChanged says that the list of printers of a workspace looks different now.
type PrinterChanged struct{ PrinterID, UUID, WorkspaceID string }

// TwinChanged says that the last known state of a printer is another one.
type TwinChanged struct{ PrinterID, UUID string }

// EventStored says that a printer has a new event. JSON is the item as the API shows it.
type EventStored struct {
	PrinterID, UUID string
	JSON            []byte
}

// DeviceFiles says that the files on a printer's own device are others than before. JSON is for those who look.
type DeviceFiles struct {
	PrinterID, UUID string
	JSON            []byte
}

// TransferChanged says how far a file between the library and a printer's device is. JSON is for those who look.
type TransferChanged struct {
	PrinterID, UUID string
	JSON            []byte
}

// FilesChanged says that the library of a workspace looks different now.
type FilesChanged struct{ WorkspaceID string }

// JobChanged says that a print began, ended, or turned out to have ended otherwise.
type JobChanged struct {
	PrinterID string
	ID        string // unique within the printer: the agent's id of it, else one of ours
	FileName  string
	StartedAt time.Time
	EndedAt   time.Time // zero: it is under way
	Result    string    // done, failed or cancelled; empty while under way
	PrintTime *float64  // s
}

// WatchChanged says that somebody has begun to look at a printer, or that nobody does any more.
type WatchChanged struct {
	UUID    string
	Watched bool
}

// AccessEnded says that a right is gone, so that what was opened with it must end within 5 s. One of the first
// three is set, with SessionID or TokenID only for that one.
type AccessEnded struct {
	UserID      string // everything of this user
	SessionID   string
	TokenID     string
	WorkspaceID string // with UserID: what this user saw of this workspace
}
