package push

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// recheckEvery is how often connections are asked whether what they came with is still good. With a look at the
// database at each, an ended one is gone within 5 s.
const recheckEvery = 3 * time.Second

// listen takes from the bus what the pages need to know. Its handlers run in the goroutine of whoever has news, so
// all that may wait goes to jobs.
func (s *Server) listen() {
	s.watch.gone = s.publish.forget
	s.ends = []func(){
		s.Bus.TwinChanged.Subscribe(func(m bus.TwinChanged) { s.publish.changed(m.UUID, false) }),
		s.Bus.EventStored.Subscribe(func(m bus.EventStored) { s.sendToSome(eventsPrefix+m.UUID, m.JSON) }),
		s.Bus.CommandChanged.Subscribe(func(m bus.CommandChanged) { s.sendToSome(commandsPrefix+m.UUID, m.JSON) }),
		s.Bus.TerminalLines.Subscribe(func(m bus.TerminalLines) { s.sendToSome(terminalPrefix+m.UUID, m.JSON) }),
		s.Bus.PrinterChanged.Subscribe(func(m bus.PrinterChanged) {
			s.publish.changed(m.UUID, false)
			s.jobs.add(func(ctx context.Context) { s.printerChanged(ctx, m) })
		}),
		s.Bus.DeviceFiles.Subscribe(func(m bus.DeviceFiles) { s.sendToSome(filesPrefix+m.UUID, m.JSON) }),
		s.Bus.TransferChanged.Subscribe(func(m bus.TransferChanged) {
			s.sendToSome(transfersPrefix+m.UUID, m.JSON)
			s.publish.changed(m.UUID, false) // a printer shows the file that is on its way
		}),
		s.Bus.FilesChanged.Subscribe(func(m bus.FilesChanged) {
			s.jobs.add(func(ctx context.Context) { s.filesChanged(ctx, m) })
		}),
		s.Bus.AccessEnded.Subscribe(func(m bus.AccessEnded) {
			s.jobs.add(func(ctx context.Context) { s.accessEnded(ctx, m) })
		}),
	}
}

// printerChanged tells everybody who may see the workspace that the list is another one, and ends the subscriptions
// of those who may not see the printer any more.
func (s *Server) printerChanged(ctx context.Context, m bus.PrinterChanged) {
	members, err := s.Access.Members(ctx, m.WorkspaceID)
	if err != nil {
		s.Log.Error("nobody was told of a changed printer", "uuid", m.UUID, "error", err)
	}
	for _, id := range members {
		s.tellUser(id, "printers")
	}
	for _, v := range s.viewers() {
		s.endUnseen(ctx, v, m.UUID)
	}
}

// filesChanged tells everybody who may see the workspace that its library is another one.
func (s *Server) filesChanged(ctx context.Context, m bus.FilesChanged) {
	members, err := s.Access.Members(ctx, m.WorkspaceID)
	if err != nil {
		s.Log.Error("nobody was told of changed files", "workspace", m.WorkspaceID, "error", err)
	}
	for _, id := range members {
		s.tellUser(id, "files")
	}
}

func (s *Server) accessEnded(ctx context.Context, m bus.AccessEnded) {
	for _, v := range s.viewers() {
		switch {
		case m.SessionID != "" && v.actor.SessionID == m.SessionID,
			m.TokenID != "" && v.actor.TokenID == m.TokenID,
			m.SessionID == "" && m.TokenID == "" && m.WorkspaceID == "" && v.actor.UserID == m.UserID:
			s.end(v)
		case m.WorkspaceID != "" && v.actor.UserID == m.UserID:
			s.endUnseen(ctx, v, "")
		}
	}
	if m.WorkspaceID != "" {
		s.tellUser(m.UserID, "printers")
	}
}

// end closes a connection whose session or token is over.
func (s *Server) end(v *viewer) {
	channel := userPrefix + v.actor.UserID
	// Only this connection is told: the user's other sessions go on.
	_ = v.client.WritePublication(channel, &centrifuge.Publication{Data: []byte(`{"type":"session_ended"}`)}, centrifuge.StreamPosition{})
	v.client.Disconnect(DisconnectEnded)
}

// endUnseen ends the subscriptions of a viewer to printers that he may not see any more; with a UUID, to this one.
func (s *Server) endUnseen(ctx context.Context, v *viewer, only string) {
	for _, channel := range v.client.Channels() {
		kind, uuid, ok := parseChannel(channel)
		if ok && (only == "" || uuid == only) && !s.maySee(ctx, v.actor, kind, uuid) {
			v.client.Unsubscribe(channel, unsubscribedAccess)
		}
	}
}

// tellUser says that a list of what a user may see is another one: printers, or files.
func (s *Server) tellUser(id, what string) {
	channel := userPrefix + id
	if s.node.Hub().NumSubscribers(channel) > 0 {
		s.send(channel, []byte(`{"type":"`+what+`"}`))
	}
}

// sendToSome sends to a channel if anybody is there.
func (s *Server) sendToSome(channel string, data []byte) {
	if s.node.Hub().NumSubscribers(channel) > 0 {
		s.send(channel, data)
	}
}

func (s *Server) send(channel string, data []byte) {
	if _, err := s.node.Publish(channel, slices.Clone(data)); err != nil {
		kind, _, _ := strings.Cut(channel, ":")
		s.Log.Error("a message could not be pushed", "channel", kind, "error", err)
	}
}

func (s *Server) viewers() []*viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*viewer, 0, len(s.clients))
	for _, v := range s.clients {
		list = append(list, v)
	}
	return list
}

func (s *Server) recheck(ctx context.Context) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.checkViewers(ctx, s.viewers())
		}
	}
}

// checkViewers ends those whose session or token is over. Connections with the same one are asked for once.
func (s *Server) checkViewers(ctx context.Context, list []*viewer) {
	good := map[string]bool{}
	for _, v := range list {
		if v.check == nil || ctx.Err() != nil {
			continue
		}
		key := credential(v.actor)
		ok, known := good[key]
		if !known {
			ok = v.check(ctx)
			good[key] = ok
		}
		if !ok && ctx.Err() == nil {
			s.end(v)
		}
	}
}

func credential(a workspace.Actor) string { return a.SessionID + "/" + a.TokenID }

// jobs does what the bus must not wait for, one after the other. mu guards waiting.
type jobs struct {
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	waiting []func(context.Context)
}

func (j *jobs) init() { j.wake = make(chan struct{}, 1) }

func (j *jobs) add(fn func(context.Context)) {
	j.mu.Lock()
	j.waiting = append(j.waiting, fn)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *jobs) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.wake:
		}
		for {
			j.mu.Lock()
			list := j.waiting
			j.waiting = nil
			j.mu.Unlock()
			if len(list) == 0 {
				break
			}
			for _, fn := range list {
				if ctx.Err() != nil {
					return
				}
				fn(ctx)
			}
		}
	}
}
