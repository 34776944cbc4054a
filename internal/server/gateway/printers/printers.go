// Package printers joins the gateway to the printers: it tells the one what the other needs, in the other's words.
package printers

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/camera"
	"github.com/kangbyounggwan/factor/internal/server/command"
	"github.com/kangbyounggwan/factor/internal/server/file"
	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Door is the printers as the gateway sees them: its Registry and its Sink.
type Door struct {
	Printers *printer.Service
	Commands Commands
	Cameras  *camera.Service  // nil: what the published plugin says of its camera is heard by nobody
	Library  Files            // nil: no file is ever on its way
	Now      func() time.Time // nil: time.Now
}

// Files takes what devices say of files on their way. The library is one.
type Files interface {
	Progress(ctx context.Context, printerID string, payload []byte) error
	PieceResult(uuid string, payload []byte) error
}

// Commands takes answers to commands. The command service is one.
type Commands interface {
	// Result takes a device's answer. Errors: command.ErrInvalid; others mean that it could not be stored.
	Result(ctx context.Context, printerID string, payload []byte) error
}

var (
	_ gateway.Registry = (*Door)(nil)
	_ gateway.Sink     = (*Door)(nil)
	_ printer.Devices  = (*gateway.Gateway)(nil)
)

func (d *Door) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// Login is gateway.Registry's.
func (d *Door) Login(ctx context.Context, uuid, token string, from netip.Addr) (gateway.Device, error) {
	id, err := d.Printers.Login(ctx, uuid, token, from)
	return gateway.Device(id), translate(err)
}

// LoginByUUID is gateway.Registry's.
func (d *Door) LoginByUUID(ctx context.Context, uuid string, from netip.Addr) (gateway.Device, error) {
	id, err := d.Printers.LoginByUUID(ctx, uuid, from)
	return gateway.Device(id), translate(err)
}

// translations are the errors that both sides decide on.
var translations = []struct{ ours, theirs error }{
	{printer.ErrBadLogin, gateway.ErrBadLogin},
	{printer.ErrNotAuthorized, gateway.ErrNotAuthorized},
	{printer.ErrNotRegistered, gateway.ErrNotRegistered},
	{printer.ErrInvalid, gateway.ErrInvalid},
	{camera.ErrInvalid, gateway.ErrInvalid},
	{command.ErrInvalid, gateway.ErrInvalid},
	{file.ErrInvalid, gateway.ErrInvalid},
	{store.ErrFull, gateway.ErrLater},
}

func translate(err error) error {
	for _, t := range translations {
		if errors.Is(err, t.ours) {
			return t.theirs
		}
	}
	return err
}

// Connected is gateway.Sink's.
func (d *Door) Connected(dev gateway.Device, c gateway.Conn) {
	d.Printers.Connected(printer.Identity(dev), c.ID(), c.Since())
	if c.Reported() {
		d.Printers.ReportsAlready(printer.Identity(dev))
	}
}

// Disconnected is gateway.Sink's.
func (d *Door) Disconnected(dev gateway.Device, c gateway.Conn, why gateway.Reason) {
	d.Printers.Disconnected(printer.Identity(dev), c.ID(), why == gateway.ReasonStopping, d.now())
}

// Subscribed is gateway.Sink's.
func (d *Door) Subscribed(dev gateway.Device, kind wire.Kind) {
	d.Printers.Subscribed(printer.Identity(dev), kind)
}

// Contested is gateway.Sink's.
func (d *Door) Contested(uuid string, from netip.Addr) { d.Printers.Contested(uuid, from) }

// Status is gateway.Sink's.
func (d *Door) Status(dev gateway.Device, payload []byte, at time.Time) {
	d.Printers.Status(printer.Identity(dev), payload, at)
}

// Event is gateway.Sink's.
func (d *Door) Event(ctx context.Context, dev gateway.Device, payload []byte, at time.Time) error {
	return translate(d.Printers.Event(ctx, printer.Identity(dev), payload, at))
}

// Presence is gateway.Sink's.
func (d *Door) Presence(ctx context.Context, dev gateway.Device, payload []byte, at time.Time, will bool) error {
	return translate(d.Printers.Presence(ctx, printer.Identity(dev), payload, at, will))
}

// Files is gateway.Sink's.
func (d *Door) Files(ctx context.Context, dev gateway.Device, payload []byte, at time.Time) error {
	return translate(d.Printers.Files(ctx, printer.Identity(dev), payload, at))
}

// RegistrationAck is gateway.Sink's.
func (d *Door) RegistrationAck(ctx context.Context, dev gateway.Device, payload []byte, at time.Time) error {
	return translate(d.Printers.RegistrationAck(ctx, printer.Identity(dev), payload, at))
}

// ControlResult is gateway.Sink's.
func (d *Door) ControlResult(ctx context.Context, dev gateway.Device, payload []byte, _ time.Time) error {
	return translate(d.Commands.Result(ctx, dev.PrinterID, payload))
}

// GcodeOut is gateway.Sink's.
func (d *Door) GcodeOut(_ context.Context, dev gateway.Device, payload []byte, _ time.Time) error {
	if d.Library == nil {
		return gateway.ErrInvalid
	}
	return translate(d.Library.PieceResult(dev.UUID, payload))
}

// Transfer is gateway.Sink's.
func (d *Door) Transfer(ctx context.Context, dev gateway.Device, payload []byte, _ time.Time) error {
	if d.Library == nil {
		return gateway.ErrInvalid
	}
	return translate(d.Library.Progress(ctx, dev.PrinterID, payload))
}

// Terminal is gateway.Sink's.
func (d *Door) Terminal(_ context.Context, dev gateway.Device, payload []byte, _ time.Time) error {
	return translate(d.Printers.TerminalLines(printer.Identity(dev), payload))
}

// CameraState is gateway.Sink's. Our agent says the same on its media link.
func (d *Door) CameraState(_ context.Context, dev gateway.Device, payload []byte, _ time.Time) error {
	if d.Cameras == nil {
		return nil
	}
	return translate(d.Cameras.State(dev.PrinterID, payload))
}
