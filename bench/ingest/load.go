package main

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// order is what the load process is told first.
type order struct {
	Addr      string
	TLS       bool
	Devices   []device
	Subscribe string // where messages come out: host:port of a broker, or of serve's outlet
	Broker    bool   // Subscribe speaks MQTT
}

type device struct{ UUID, Token string }

// command is what it is told afterwards: the messages a second to send from now on.
type command struct{ Rate int }

// tally is its answer: what has been sent, and what has come out.
type tally struct {
	Sent, Received int64
	Error          string
}

// runLoad is the load process: one goroutine sends for all connections.
func runLoad() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	if !in.Scan() {
		return
	}
	var o order
	if err := json.Unmarshal(in.Bytes(), &o); err != nil {
		log.Fatal(err)
	}
	l := &load{}
	if err := l.connect(o); err != nil {
		_ = out.Encode(tally{Error: err.Error()})
		return
	}
	go l.send()
	_ = out.Encode(l.tally())
	for in.Scan() {
		var c command
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			log.Fatal(err)
		}
		l.rate.Store(int64(c.Rate))
		_ = out.Encode(l.tally())
	}
}

type load struct {
	conns          []net.Conn
	packets        [][]byte
	rate           atomic.Int64
	sent, received atomic.Int64
	failed         atomic.Value // string
}

func (l *load) tally() tally {
	t := tally{Sent: l.sent.Load(), Received: l.received.Load()}
	t.Error, _ = l.failed.Load().(string)
	return t
}

func (l *load) connect(o order) error {
	if o.Subscribe != "" {
		if err := l.subscribe(o); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
	}
	l.conns = make([]net.Conn, len(o.Devices))
	l.packets = make([][]byte, len(o.Devices))
	var failed atomic.Value
	var wg sync.WaitGroup
	for w := range 32 {
		wg.Go(func() {
			for i := w; i < len(o.Devices); i += 32 {
				c, err := login(o, i)
				if err != nil {
					failed.Store(err)
					return
				}
				l.conns[i] = c
				l.packets[i] = statusPacket(o.Devices[i].UUID)
			}
		})
	}
	wg.Wait()
	if err, ok := failed.Load().(error); ok {
		return err
	}
	return nil
}

// login connects a device from one of eight addresses: one has 28,000 ports.
func login(o order, i int) (net.Conn, error) {
	d := net.Dialer{Timeout: time.Minute, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}}
	c, err := d.Dial("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	if o.TLS {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // loopback: there is nobody to be fooled
	}
	return c, greet(c, o.Devices[i].UUID, o.Devices[i])
}

// greet logs in by MQTT.
func greet(c net.Conn, id string, d device) error {
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive, p.ClientIdentifier = "MQTT", 4, true, 600, id
	if d.Token != "" {
		p.UsernameFlag, p.PasswordFlag, p.Username, p.Password = true, true, d.UUID, []byte(d.Token)
	}
	if err := p.Write(c); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Time{})
	if b[3] != 0 {
		return fmt.Errorf("CONNACK %d", b[3])
	}
	return nil
}

// subscribe counts what comes out.
func (l *load) subscribe(o order) error {
	c, err := net.Dial("tcp", o.Subscribe)
	if err != nil {
		return err
	}
	r := bufio.NewReaderSize(c, 256<<10)
	if o.Broker {
		if err := greet(c, "subscriber", device{}); err != nil {
			return err
		}
		s := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
		s.MessageID, s.Topics, s.Qoss = 1, []string{"octoprint/status/#"}, []byte{0}
		if err := s.Write(c); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, r, 5); err != nil { // SUBACK
			return err
		}
	}
	go func() {
		for {
			if _, err := r.ReadByte(); err != nil {
				return
			}
			n, err := binary.ReadUvarint(r)
			if err != nil {
				return
			}
			if _, err := r.Discard(int(n)); err != nil {
				return
			}
			l.received.Add(1)
		}
	}()
	return nil
}

// send sends at the rate it is told, in turn over all connections, a millisecond's worth at a time.
func (l *load) send() {
	next, due, last := 0, 0.0, time.Now()
	for {
		time.Sleep(time.Millisecond)
		now := time.Now()
		due += now.Sub(last).Seconds() * float64(l.rate.Load())
		last = now
		due = min(due, float64(l.rate.Load())/10) // what could not be sent within 100 ms is not made up for
		for ; due >= 1; due-- {
			n := l.sent.Add(1)
			p := l.packets[next]
			vary(p, n)
			if _, err := l.conns[next].Write(p); err != nil {
				l.failed.Store(err.Error())
				return
			}
			next = (next + 1) % len(l.conns)
		}
	}
}

// statusPacket is a PUBLISH of a snapshot as a printing printer sends it, 2.0 KB.
func statusPacket(uuid string) []byte {
	const mark = "214.000"
	s := `{"ts":1732380000.123,"status":"printing","interval":1,"state":{"text":"Printing","flags":{"operational":true,"printing":true,"cancelling":false,` +
		`"pausing":false,"resuming":false,"finishing":false,"closedOrError":false,"error":false,"paused":false,"ready":false,"sdReady":false}},` +
		`"progress":{"completion":42.123456,"filepos":1234567,"file_size":2930451,"file_pct":42.12,"print_time":3600,"time_left":5400,"time_left_origin":"linear"},` +
		`"job":{"id":"5a0d4d2e-6f0b-4c1a-9d57-0f5b2f9c1e11","file":{"name":"bracket_v3_0.2mm_PLA_MK3S_1h52m.gcode","origin":"local","path":"parts/bracket_v3_0.2mm_PLA_MK3S_1h52m.gcode","size":2930451,"date":1732370000},` +
		`"estimated_time":6720.5,"last_time":6812.25,"filament":{"tool0":{"length":5123.4,"volume":12.32}}},` +
		`"axes":{"current":{"x":101.25,"y":87.5,"z":4.2,"e":1523.1},"target":{"x":101.25,"y":88.0,"z":4.2,"e":1523.3},"machine":{"x":101.25,"y":87.5,"z":4.2,"e":1523.1}},` +
		`"path":{"total_segments":51234,"extrude_count":40210,"move_count":9120,"retract_count":1904,"bounding_box":{"minX":62.1,"maxX":188.4,"minY":61.0,"maxY":149.9}},` +
		`"temperatures":{"tool0":{"actual":` + mark + `,"target":215,"offset":0},"bed":{"actual":59.98,"target":60,"offset":0},"chamber":{"actual":null,"target":null,"offset":0}},` +
		`"connection":{"state":"Printing","port":"/dev/ttyACM0","baudrate":115200,"profile":{"id":"_default","name":"Prusa MK3S","model":"MK3S","volume":{"width":250,"depth":210,"height":210,"custom_box":false,"origin":"lowerleft","formFactor":"rectangular"},"heatedBed":true}},` +
		`"sd":{"local":[],"sdcard":[]},"overrides":{"feedrate":100,"flowrate":100},"current_z":4.2`
	s += `,"note":"` + strings.Repeat("x", 2048-len(s)-len(`,"note":""}`)) + `"}`
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload = wire.KindStatus.Topic(uuid), []byte(s)
	var b strings.Builder
	_ = p.Write(&b)
	return []byte(b.String())
}

// varying is where statusPacket's temperature stands, which is the same in each.
var varying = strings.Index(string(statusPacket(wire.NewUUID())), "214.000") + len("214.")

// vary changes the nozzle's temperature: a printer's snapshots are never twice the same.
func vary(p []byte, n int64) {
	copy(p[varying:], fmt.Appendf(nil, "%03d", n%1000))
}
