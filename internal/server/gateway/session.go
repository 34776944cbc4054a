package gateway

import (
	"container/list"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// session is what MQTT calls the session state: what a device listens to and what it has not acknowledged. While a
// connection has it, that connection's mu guards it.
type session struct {
	clientID string
	subs     [len(kindLabels) - int(wire.KindControl)]subscription // by kind, from KindControl on
	nextID   uint16
	flight   []message // sent and not acknowledged, in order
	waiting  []message // for room in the window
	bytes    int       // in flight and waiting
}

// subscription is the topic as the device wrote it, "" when it does not listen.
type subscription struct {
	topic string
	qos   byte
}

// message is a QoS 1 message on its way to a device.
type message struct {
	id      uint16
	kind    wire.Kind
	topic   string
	payload []byte
}

func (s *session) subscription(k wire.Kind) *subscription { return &s.subs[k-wire.KindControl] }

// freeID gives a packet identifier that nothing in flight has. The window is far smaller than 65,535.
func (s *session) freeID() uint16 {
	for {
		s.nextID++
		if s.nextID != 0 && !s.inFlight(s.nextID) {
			return s.nextID
		}
	}
}

func (s *session) inFlight(id uint16) bool {
	for i := range s.flight {
		if s.flight[i].id == id {
			return true
		}
	}
	return false
}

// acknowledged takes a message out of the window.
func (s *session) acknowledged(id uint16) {
	for i := range s.flight {
		if s.flight[i].id == id {
			s.bytes -= len(s.flight[i].payload)
			s.flight = append(s.flight[:i], s.flight[i+1:]...)
			return
		}
	}
}

// sessions are the kept ones of devices that are away, the oldest first. Gateway.mu guards it.
type sessions struct {
	limit  int
	age    time.Duration
	byUUID map[string]*list.Element
	order  list.List // of kept
}

type kept struct {
	uuid    string
	session *session
	since   time.Time
}

// put keeps a session, and forgets those that are too old or too many.
func (s *sessions) put(uuid string, x *session, now time.Time) {
	s.drop(uuid)
	if s.byUUID == nil {
		s.byUUID = map[string]*list.Element{}
	}
	s.byUUID[uuid] = s.order.PushBack(kept{uuid, x, now})
	for e := s.order.Front(); e != nil; e = s.order.Front() {
		if k := e.Value.(kept); now.Sub(k.since) < s.age && len(s.byUUID) <= s.limit {
			return
		}
		s.drop(e.Value.(kept).uuid)
	}
}

// take gives the session kept for a UUID and keeps it no longer; nil if there is none.
func (s *sessions) take(uuid string, now time.Time) *session {
	e := s.byUUID[uuid]
	if e == nil {
		return nil
	}
	s.drop(uuid)
	if k := e.Value.(kept); now.Sub(k.since) < s.age {
		return k.session
	}
	return nil
}

func (s *sessions) drop(uuid string) {
	if e := s.byUUID[uuid]; e != nil {
		s.order.Remove(e)
		delete(s.byUUID, uuid)
	}
}
