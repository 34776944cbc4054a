package push

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// DisconnectEnded tells a page that its session or token is over: it shall not come back with it.
var DisconnectEnded = centrifuge.Disconnect{Code: 4501, Reason: "session ended"}

// unsubscribedAccess tells a page that it may not see a printer any more.
var unsubscribedAccess = centrifuge.Unsubscribe{Code: 2401, Reason: "access ended"}

// rightsTimeout bounds a look at the database while somebody waits.
const rightsTimeout = 5 * time.Second

func (s *Server) connecting(ctx context.Context, _ centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	actor, ok := workspace.ActorFrom(ctx)
	if !ok || (actor.Via != workspace.ViaSession && actor.Via != workspace.ViaToken) {
		return centrifuge.ConnectReply{}, DisconnectEnded
	}
	return centrifuge.ConnectReply{
		Credentials:        &centrifuge.Credentials{UserID: actor.UserID},
		Subscriptions:      map[string]centrifuge.SubscribeOptions{userPrefix + actor.UserID: {}},
		WriteDelay:         writeDelay,
		WriteWithTimer:     true, // no goroutine a connection
		MaxMessagesInFrame: maxMessagesInFrame,
	}, nil
}

func (s *Server) connected(c *centrifuge.Client) {
	actor, _ := workspace.ActorFrom(c.Context())
	check := workspace.CheckFrom(c.Context())
	v := &viewer{client: c, actor: actor, check: check}
	c.OnSubscribe(func(e centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) { s.subscribe(v, e, reply) })
	c.OnUnsubscribe(func(e centrifuge.UnsubscribeEvent) {
		switch kind, uuid, _ := parseChannel(e.Channel); kind {
		case printerPrefix:
			s.watch.leave(uuid)
		case terminalPrefix:
			s.screens.leave(uuid)
		}
	})
	c.OnDisconnect(func(centrifuge.DisconnectEvent) {
		s.mu.Lock()
		delete(s.clients, c.ID())
		s.mu.Unlock()
	})
	s.mu.Lock()
	s.clients[c.ID()] = v
	s.mu.Unlock()
	// A right that ended between the request and this line found no client to end.
	if check != nil {
		s.jobs.add(func(ctx context.Context) { s.checkViewers(ctx, []*viewer{v}) })
	}
}

func (s *Server) subscribe(v *viewer, e centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
	prefix, uuid, ok := parseChannel(e.Channel)
	// One answer for what is not there and what is not theirs: a UUID cannot be tried out.
	if !ok || !s.maySee(context.Background(), v.actor, prefix, uuid) {
		reply(centrifuge.SubscribeReply{}, centrifuge.ErrorPermissionDenied)
		return
	}
	if prefix != printerPrefix {
		if prefix == terminalPrefix {
			s.screens.join(uuid)
		}
		reply(centrifuge.SubscribeReply{}, nil)
		s.endIfLost(v, e.Channel, prefix, uuid)
		return
	}
	live, ok := s.Printers.Live(uuid)
	if !ok {
		reply(centrifuge.SubscribeReply{}, centrifuge.ErrorPermissionDenied)
		return
	}
	s.watch.join(uuid)
	s.publish.given(uuid, live)
	reply(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{
		Data:              live,
		AllowedDeltaTypes: []centrifuge.DeltaType{centrifuge.DeltaTypeFossil},
	}}, nil)
	// What changed after it was rendered and before the subscription stood was sent to the others only. So did a
	// right that ended just then.
	if now, ok := s.Printers.Live(uuid); !ok || !bytes.Equal(now, live) {
		s.publish.changed(uuid, true)
	}
	s.endIfLost(v, e.Channel, prefix, uuid)
}

// endIfLost ends a subscription whose right ended while it was made.
func (s *Server) endIfLost(v *viewer, channel, prefix, uuid string) {
	if !s.maySee(context.Background(), v.actor, prefix, uuid) {
		go v.client.Unsubscribe(channel, unsubscribedAccess) // it waits for this subscription to be done
	}
}

// needs are what a channel asks for.
var needs = map[string]workspace.Action{
	printerPrefix: workspace.PrinterView, eventsPrefix: workspace.PrinterView, commandsPrefix: workspace.PrinterView,
	transfersPrefix: workspace.PrinterView, filesPrefix: workspace.PrinterView, terminalPrefix: workspace.PrinterControl,
}

func (s *Server) maySee(ctx context.Context, actor workspace.Actor, prefix, uuid string) bool {
	target, ok := s.Printers.Place(uuid)
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, rightsTimeout)
	defer cancel()
	return s.Access.Can(ctx, actor, needs[prefix], target) == nil
}

// parseChannel takes a channel apart that a client may subscribe to.
func parseChannel(channel string) (prefix, uuid string, ok bool) {
	for prefix := range needs {
		if uuid, ok := strings.CutPrefix(channel, prefix); ok && wire.ValidUUID(uuid) {
			return prefix, uuid, true
		}
	}
	return "", "", false
}
