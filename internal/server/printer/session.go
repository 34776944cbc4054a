package printer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/uptrace/bun"
)

// Errors of a device's log-in.
var (
	ErrBadLogin      = errors.New("unknown device or wrong token")
	ErrNotAuthorized = errors.New("the device may not connect: its printer was removed or disabled, or needs a token")
	ErrNotRegistered = errors.New("no printer is registered under this UUID")
)

// Login tells whose device logs in with a token. Errors: ErrBadLogin, ErrNotAuthorized.
func (s *Service) Login(ctx context.Context, uuid, token string, _ netip.Addr) (Identity, error) {
	hash := sha256.Sum256([]byte(token))
	t := s.twin(uuid)
	if t == nil {
		// Whoever proves that the device once was a printer's may know that it was removed.
		was, err := s.wasDevice(ctx, uuid, hash[:])
		switch {
		case err != nil:
			return Identity{}, err
		case was:
			return Identity{}, ErrNotAuthorized
		}
		return Identity{}, ErrBadLogin
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.device.TokenHash) == 0 || subtle.ConstantTimeCompare(hash[:], t.device.TokenHash) != 1 {
		return Identity{}, ErrBadLogin
	}
	if t.gone || t.printer.Disabled {
		return Identity{}, ErrNotAuthorized
	}
	return t.identity(true), nil
}

// LoginByUUID tells whose device a connection without credentials is. Errors: ErrNotRegistered, ErrNotAuthorized.
func (s *Service) LoginByUUID(_ context.Context, uuid string, _ netip.Addr) (Identity, error) {
	if !s.UUIDLogin {
		return Identity{}, ErrNotAuthorized
	}
	t := s.twin(uuid)
	if t == nil {
		return Identity{}, ErrNotRegistered
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone || t.printer.Disabled || !t.printer.UUIDLogin {
		return Identity{}, ErrNotAuthorized
	}
	return t.identity(false), nil
}

func (t *twin) identity(authenticated bool) Identity {
	return Identity{ID: t.device.ID, UUID: t.device.UUID, PrinterID: t.printer.ID, WorkspaceID: t.printer.WorkspaceID, Authenticated: authenticated}
}

// Connected says that a device has come in. conn names the connection, for Disconnected.
func (s *Service) Connected(id Identity, conn uint64, at time.Time) {
	s.session(id, func(t *twin) {
		t.conn, t.authenticated, t.reports = conn, id.Authenticated, false
		t.comes(at)
	})
}

// ReportsAlready says that a connection sent its status before it was let in, where that counted for nothing.
func (s *Service) ReportsAlready(id Identity) {
	s.session(id, func(t *twin) { t.reports = true })
}

// Disconnected says that a connection has ended. One that was taken over by a newer one changes nothing. stopping:
// the server ends it because it stops itself, so the printer is not away.
func (s *Service) Disconnected(id Identity, conn uint64, stopping bool, at time.Time) {
	s.session(id, func(t *twin) {
		if t.conn != conn {
			return
		}
		t.conn = 0
		if stopping && t.online {
			t.online, t.stopped = false, true
			return
		}
		if t.online {
			t.goes(at)
		}
	})
}

// session changes the twin of a connection and tells the world.
func (s *Service) session(id Identity, change func(*twin)) {
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return
	}
	now := s.now()
	t.mu.Lock()
	if t.gone || t.device.ID != id.ID {
		t.mu.Unlock()
		return
	}
	change(t)
	tell := s.changed(t, now)
	t.mu.Unlock()
	tell()
	s.checkpointSoon(t)
}

// lostGrace is how long a device may be away before it is an event: a network that blinks is none. The pages know at once.
const (
	lostGrace    = 10 * time.Second
	restartGrace = time.Minute // after the server's own start: a device waits up to 30 s before it tries again
)

func (t *twin) comes(at time.Time) {
	first := t.connectedAt.IsZero()
	t.online, t.stopped, t.lostJob = true, false, false
	t.connectedAt, t.lastSeen = at, at
	t.lostDue = time.Time{}
	if first || t.told {
		t.backAt = at
	}
}

func (t *twin) goes(at time.Time) {
	t.online = false
	t.lostAt, t.lostDue = at, at.Add(lostGrace)
	t.backAt = time.Time{}
	t.lostJob = t.status.Active()
}

// Contested says that somebody else tried to connect under a UUID without credentials. The owner of a printer that asks
// for a token is not bothered with it: the attempt could not have come to anything.
func (s *Service) Contested(uuid string, _ netip.Addr) {
	s.count.contested.Inc()
	t := s.twin(uuid)
	if t == nil {
		return
	}
	now := s.now()
	t.mu.Lock()
	if !s.UUIDLogin || !t.printer.UUIDLogin {
		t.mu.Unlock()
		return
	}
	t.contestedAt = now
	tell := s.changed(t, now)
	t.mu.Unlock()
	tell()
}

// Subscribed says that a device listens to a kind of message now.
func (s *Service) Subscribed(id Identity, kind wire.Kind) {
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return
	}
	switch kind {
	case wire.KindRegistration:
		s.sendRegistration(t)
	case wire.KindWatch:
		t.mu.Lock()
		w := t.watch()
		t.mu.Unlock()
		s.sendWatch(id.UUID, w)
	}
}

// watch is what a device is told of those who look.
func (t *twin) watch() wire.Watch {
	return wire.Watch{Watched: t.watchers > 0, Terminal: t.screens > 0}
}

// WatchTerminal says that one more (+1) or one fewer (−1) looks at a printer's terminal. While somebody does, its device
// sends it.
func (s *Service) WatchTerminal(uuid string, delta int) {
	t := s.twin(uuid)
	if t == nil {
		return
	}
	t.mu.Lock()
	before := t.watch()
	t.screens = max(0, t.screens+delta)
	now := t.watch()
	t.mu.Unlock()
	if before != now {
		s.sendWatch(uuid, now)
	}
}

// TerminalLines takes new lines of a device's terminal. Errors: ErrInvalid.
func (s *Service) TerminalLines(id Identity, payload []byte) error {
	var m wire.Terminal
	if len(payload) > wire.MaxSmall || json.Unmarshal(payload, &m) != nil || len(m.Lines) > maxTerminalLines {
		return ErrInvalid
	}
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	wanted := t.screens > 0 && t.device.ID == id.ID && !t.gone
	t.mu.Unlock()
	if !wanted {
		return nil // nobody looks any more
	}
	for i := range m.Lines {
		m.Lines[i], _ = wire.CleanText(m.Lines[i], wire.MaxPath)
	}
	if m.Lines == nil {
		m.Lines = []string{}
	}
	m.Skipped = max(0, m.Skipped)
	b, err := json.Marshal(m)
	if err != nil {
		return ErrInvalid
	}
	s.Bus.TerminalLines.Publish(bus.TerminalLines{UUID: id.UUID, JSON: b})
	return nil
}

// maxTerminalLines is how many lines one message has at most.
const maxTerminalLines = 1000

// Watch says that one more (+1) or one fewer (−1) looks at a printer. While somebody does, its device reports each second.
func (s *Service) Watch(uuid string, delta int) {
	t := s.twin(uuid)
	if t == nil {
		return
	}
	t.mu.Lock()
	before := t.watchers > 0
	t.watchers = max(0, t.watchers+delta)
	w := t.watch()
	t.mu.Unlock()
	if before == w.Watched {
		return
	}
	s.Bus.WatchChanged.Publish(bus.WatchChanged{UUID: uuid, Watched: w.Watched})
	s.sendWatch(uuid, w)
}

func (s *Service) sendWatch(uuid string, w wire.Watch) {
	b, err := json.Marshal(w)
	if err == nil && s.Devices != nil {
		_ = s.Devices.Publish(uuid, wire.KindWatch, b, 0) // away: it is told when it subscribes
	}
}

// sendRegistration tells a device that it belongs to a printer, again and again until it has acknowledged that. The
// published plugin becomes registered by nothing else.
func (s *Service) sendRegistration(t *twin) {
	t.mu.Lock()
	m := wire.Registration{Status: "registered", DeviceName: t.printer.Name, Pending: t.printer.Pending, RegisteredAt: t.printer.CreatedAt.UTC().Format(time.RFC3339)}
	uuid, done := t.device.UUID, t.device.Registered || t.gone
	t.mu.Unlock()
	if done || s.Devices == nil {
		return
	}
	if b, err := json.Marshal(m); err == nil {
		_ = s.Devices.Publish(uuid, wire.KindRegistration, b, 1) // away, or not listening: it is told when it subscribes
	}
}

// RegistrationAck takes a device's word that it knows to be registered. Errors: ErrInvalid; others mean that it could not be stored.
func (s *Service) RegistrationAck(ctx context.Context, id Identity, payload []byte, at time.Time) error {
	var m wire.RegistrationAck
	if json.Unmarshal(payload, &m) != nil || m.Status != "confirmed" {
		return ErrInvalid
	}
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return nil
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("devices").Set("registered = ?", true).Where("id = ?", id.ID).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	// The published plugin reports from its next connection on, if it had no UUID yet when this one began.
	mute := !id.Authenticated && !t.device.Registered && t.presence == nil && !t.reports && !t.reportedAt.After(t.connectedAt)
	if t.device.ID == id.ID {
		t.device.Registered = true
	}
	t.lastSeen = at
	t.mu.Unlock()
	if mute {
		s.endDevice(id.UUID)
	}
	return nil
}
