package gateway

import (
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Limits are what one device, one address and all together may take of the server. A zero field takes its default.
type Limits struct {
	Connections  int // log-ins alive at once
	PerAddress   int // of these from one address (IPv6: one /64)
	HalfOpen     int // connections that have not logged in yet
	HalfOpenAddr int // of these from one address
	UUIDLogins   int // connections without credentials
	UUIDPerAddr  int // of these from one address

	ConnectTimeout time.Duration // from accept, TLS handshake included, to a complete CONNECT
	WriteTimeout   time.Duration // for a device to take what is written to it
	LoginTimeout   time.Duration // for Registry to answer
	MaxIdle        time.Duration // silence allowed to a device whose keep-alive is 0, or longer than this

	MessagesPerSecond float64
	MessageBurst      float64
	BytesPerSecond    float64
	ByteBurst         float64
	MaxSkip           int // bytes of a packet that is thrown away unread; a longer one ends the connection

	Filters    int // topic filters in one SUBSCRIBE; those beyond are refused
	InFlight   int // QoS 1 messages sent and not acknowledged
	Queue      int // messages waiting for a device
	QueueBytes int
	QoS2       int // QoS 2 messages of a device between PUBLISH and PUBREL

	Unstored time.Duration // how long a device stays connected that was answered ErrLater

	Sessions   int           // kept sessions of devices that are away
	SessionAge time.Duration // after which one is forgotten
}

// DefaultLimits suit one server with 30,000 printers. The published plugin with 1,500 files in its library sends
// 366 KB a second, which BytesPerSecond leaves room for.
var DefaultLimits = Limits{
	Connections:  50_000,
	PerAddress:   5_000,
	HalfOpen:     4_096,
	HalfOpenAddr: 1_024,
	UUIDLogins:   5_000,
	UUIDPerAddr:  100,

	ConnectTimeout: 10 * time.Second,
	WriteTimeout:   5 * time.Second,
	LoginTimeout:   5 * time.Second,
	MaxIdle:        30 * time.Minute,

	MessagesPerSecond: 50,
	MessageBurst:      250,
	BytesPerSecond:    2 << 20,
	ByteBurst:         12 << 20,
	MaxSkip:           16 << 20,

	Filters:    16,
	InFlight:   16,
	Queue:      64,
	QueueBytes: 1 << 20,
	QoS2:       64,

	Unstored: 30 * time.Second,

	Sessions:   10_000,
	SessionAge: time.Hour,
}

const (
	maxPacket      = wire.MaxStatus + wire.MaxTopic + 4 // bytes after the fixed header that are ever kept at once
	maxOtherPacket = 8 << 10                            // of everything that is no PUBLISH, after the log-in
	maxClientID    = 128
)

// orDefault fills every zero field.
func (l Limits) orDefault() Limits {
	d := DefaultLimits
	for _, f := range []struct {
		at    *int
		value int
	}{
		{&l.Connections, d.Connections}, {&l.PerAddress, d.PerAddress}, {&l.HalfOpen, d.HalfOpen},
		{&l.HalfOpenAddr, d.HalfOpenAddr}, {&l.UUIDLogins, d.UUIDLogins}, {&l.UUIDPerAddr, d.UUIDPerAddr},
		{&l.MaxSkip, d.MaxSkip}, {&l.Filters, d.Filters}, {&l.InFlight, d.InFlight}, {&l.Queue, d.Queue},
		{&l.QueueBytes, d.QueueBytes}, {&l.QoS2, d.QoS2}, {&l.Sessions, d.Sessions},
	} {
		if *f.at == 0 {
			*f.at = f.value
		}
	}
	for _, f := range []struct {
		at    *time.Duration
		value time.Duration
	}{
		{&l.ConnectTimeout, d.ConnectTimeout}, {&l.WriteTimeout, d.WriteTimeout}, {&l.LoginTimeout, d.LoginTimeout},
		{&l.MaxIdle, d.MaxIdle}, {&l.SessionAge, d.SessionAge}, {&l.Unstored, d.Unstored},
	} {
		if *f.at == 0 {
			*f.at = f.value
		}
	}
	for _, f := range []struct {
		at    *float64
		value float64
	}{
		{&l.MessagesPerSecond, d.MessagesPerSecond}, {&l.MessageBurst, d.MessageBurst},
		{&l.BytesPerSecond, d.BytesPerSecond}, {&l.ByteBurst, d.ByteBurst},
	} {
		if *f.at == 0 {
			*f.at = f.value
		}
	}
	return l
}
