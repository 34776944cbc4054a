package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"time"
	"unicode"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// greet reads the CONNECT and answers it.
func (c *conn) greet() error {
	h, err := c.header()
	if err != nil {
		return err
	}
	if h.packet() != packets.Connect {
		return protocolError{ReasonProtocol, "the first packet is no CONNECT"}
	}
	if h.length > wire.MaxConnectPacket {
		return protocolError{ReasonTooLarge, "CONNECT is too large"}
	}
	if err := c.need(h.size + h.length); err != nil {
		return err
	}
	p, code, err := parseConnect(c.in.bytes()[h.size : h.size+h.length])
	if err != nil {
		return err
	}
	c.in.use(h.size + h.length)
	if code != wire.ConnackAccepted {
		return c.refuse(code)
	}
	return c.login(p)
}

// parseConnect decodes a CONNECT. A code other than ConnackAccepted is the answer to give; an error means that the
// connection is closed without one.
func parseConnect(body []byte) (*packets.ConnectPacket, wire.ConnackCode, error) {
	if len(body) < 2 {
		return nil, 0, errMalformed
	}
	n := 2 + int(binary.BigEndian.Uint16(body))
	if len(body) < n+1 {
		return nil, 0, errMalformed
	}
	switch name, level := string(body[2:n]), body[n]; {
	case name == "MQTT" && level == 5:
		return nil, wire.ConnackUnsupported, nil
	case name == "MQTT" && level != 4, name == "MQIsdp":
		return nil, wire.ConnackBadVersion, nil
	case name != "MQTT":
		return nil, 0, protocolError{ReasonProtocol, "not MQTT"}
	}
	p := &packets.ConnectPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Connect, RemainingLength: len(body)}}
	if err := unpack(p, body); err != nil {
		return nil, 0, err
	}
	switch {
	case p.ReservedBit != 0,
		!p.WillFlag && (p.WillQos != 0 || p.WillRetain),
		p.WillQos == 3,
		p.PasswordFlag && !p.UsernameFlag,
		!validText(p.WillTopic), !validText(p.Username):
		return nil, 0, errMalformed
	case p.ClientIdentifier == "" && !p.CleanSession, !validClientID(p.ClientIdentifier):
		return nil, wire.ConnackBadClientID, nil
	}
	return p, wire.ConnackAccepted, nil
}

// validClientID refuses what no device would choose: control characters, broken text, endless names.
func validClientID(id string) bool {
	if len(id) > maxClientID || !validText(id) {
		return false
	}
	for _, r := range id {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// login finds out who a CONNECT comes from and lets it in.
func (c *conn) login(p *packets.ConnectPacket) error {
	g := c.g
	c.clientID = p.ClientIdentifier
	c.byUUID = p.Username == ""
	if wire.ValidUUID(p.Username) {
		c.asked = p.Username
	}
	c.idle = g.limits.MaxIdle
	if p.Keepalive > 0 {
		c.idle = min(c.idle, time.Duration(p.Keepalive)*time.Second*3/2)
	}
	g.mu.Lock()
	c.loginSeq = g.ended.seq
	g.mu.Unlock()

	device, code := Device{}, wire.ConnackAccepted
	switch {
	case g.stopping.Load():
		code = wire.ConnackUnavailable
	case !c.byUUID:
		device, code = c.ask(p.Username, string(p.Password))
	case !g.UUIDLogin || p.PasswordFlag && len(p.Password) > 0:
		code = wire.ConnackNotAuthorized
	}
	if code == wire.ConnackAccepted {
		if c.will, code = newWill(p, device.UUID); code == wire.ConnackAccepted && !c.join() {
			code = wire.ConnackUnavailable
		}
	}
	if code != wire.ConnackAccepted {
		return c.refuse(code)
	}
	if c.byUUID {
		return c.welcomeAnonymous()
	}
	return c.welcome(device, p.CleanSession)
}

// ask looks a user name and password up.
func (c *conn) ask(uuid, token string) (Device, wire.ConnackCode) {
	if !wire.ValidUUID(uuid) || token == "" {
		return Device{}, wire.ConnackBadLogin
	}
	ctx, cancel := context.WithTimeout(c.g.ctx, c.g.limits.LoginTimeout)
	defer cancel()
	d, err := c.g.Registry.Login(ctx, uuid, token, c.from.Addr())
	switch {
	case err == nil:
		return d, wire.ConnackAccepted
	case errors.Is(err, ErrBadLogin):
		return d, wire.ConnackBadLogin
	case errors.Is(err, ErrNotAuthorized):
		return d, wire.ConnackNotAuthorized
	}
	c.g.log.Error("cannot check a device's log-in", "uuid", uuid, "error", err)
	return d, wire.ConnackUnavailable
}

// join counts the connection as logged in, if there is room for it.
func (c *conn) join() bool {
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	c.alive = c.g.crowd.login(c.from.Addr(), c.byUUID)
	return c.alive
}

// welcome makes the connection the device's, in place of another that the device may have.
func (c *conn) welcome(d Device, clean bool) error {
	if err := c.replace(d.UUID); err != nil {
		return err
	}
	g := c.g
	g.mu.Lock()
	kept := g.sessions.take(d.UUID, time.Now())
	revoked := g.ended.since(c.loginSeq, d.UUID)
	g.mu.Unlock()
	if revoked {
		return c.refuse(wire.ConnackNotAuthorized)
	}
	present := kept != nil && !clean && kept.clientID == c.clientID
	if !present {
		kept = &session{clientID: c.clientID}
	}
	c.sinkMu.Lock()
	defer c.sinkMu.Unlock()
	c.device = d
	if err := c.accept(kept, present, !clean, phaseDevice); err != nil {
		return err
	}
	g.Sink.Connected(d, c)
	c.resend()
	return nil
}

// replace takes the place of the device's earlier connection.
func (c *conn) replace(uuid string) error {
	g := c.g
	g.mu.Lock()
	old := g.devices[uuid]
	g.devices[uuid] = c
	g.mu.Unlock()
	return c.follow(old, uuid)
}

// follow ends the UUID's earlier connection, if there is one, and waits for its end.
func (c *conn) follow(old *conn, uuid string) error {
	c.mu.Lock()
	c.uuid = uuid
	c.mu.Unlock()
	if old == nil {
		return nil
	}
	old.Close(ReasonTakeover)
	select {
	case <-old.done:
		return nil
	case <-c.stop: // taken over itself meanwhile
		return errEnding
	}
}

// accept queues CONNACK 0 and enters a phase, so that whatever is published from now on comes after it. The caller
// writes it out once Sink knows the device: who hears CONNACK finds everything ready. sinkMu is held.
func (c *conn) accept(s *session, present, keep bool, p phase) error {
	c.g.count.answered(wire.ConnackAccepted)
	c.heard(time.Now())
	answer := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
	answer.SessionPresent = present
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining {
		return errStopping
	}
	_ = c.net.SetReadDeadline(time.Now().Add(c.idle))
	c.session, c.keep = s, keep
	c.queue(outgoing{b: encode(answer)})
	c.enterPhaseLocked(p)
	return nil
}

// refuse answers a CONNECT with a code and ends the connection.
func (c *conn) refuse(code wire.ConnackCode) error {
	c.g.count.answered(code)
	answer := []byte{packets.Connack << 4, 2, 0, byte(code)}
	if code == wire.ConnackUnsupported { // in the form of MQTT 5 (3.2), which is what reads it: no properties
		answer = []byte{packets.Connack << 4, 3, 0, byte(code), 0}
	}
	c.g.log.Log(c.g.ctx, c.g.refusals.level(time.Now()), "device refused", "code", code, "from", c.from, "uuid", c.asked)
	if err := c.answer(answer); err != nil {
		return err
	}
	return protocolError{ReasonRefused, "CONNECT refused"}
}

// loggedRefusals is how many refused log-ins a minute are worth the operator's attention. Strangers can cause thousands
// a second, which must not fill his disk; all of them are counted in the metrics.
const loggedRefusals = 60

// refusals counts those of a minute.
type refusals struct {
	mu    sync.Mutex
	begun time.Time
	n     int
}

func (r *refusals) level(now time.Time) slog.Level {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.begun) >= time.Minute {
		r.begun, r.n = now, 0
	}
	if r.n++; r.n > loggedRefusals {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
