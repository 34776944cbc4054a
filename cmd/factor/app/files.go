package app

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/command"
	"github.com/kangbyounggwan/factor/internal/server/file"
	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// filed is the printers as the library sees them.
type filed struct {
	*printer.Service
	commands *command.Service
}

// Describe is file.Printers'.
func (f filed) Describe(ctx context.Context, uuid string) (file.Printer, bool, error) {
	s, ok := commanded{f.Service}.Situation(uuid)
	if !ok {
		return file.Printer{}, false, nil
	}
	v := file.Printer{ID: s.PrinterID, WorkspaceID: s.WorkspaceID, Name: s.Name, Online: s.Online, Status: s.Status,
		Published: s.Plugin == command.PluginPublished, Transfers: s.Plugin == command.PluginAgent && slices.Contains(s.Caps, wire.CapTransfer)}
	limits, err := f.commands.LimitsOf(ctx, uuid)
	if err != nil {
		return v, true, err
	}
	profile := s.Profile
	volume := profile.Volume
	v.Fit = gcode.Printer{Space: gcode.Volume(volume.Width, volume.Depth, volume.Height, volume.Origin == "center"), Round: volume.Form == "circular",
		Tools: profile.Extruders, MaxNozzle: limits.Highest(0), MaxBed: limits.Highest(wire.ToolBed), MaxChamber: limits.Highest(wire.ToolChamber),
		NoHeatedBed: profile.ID != "" && !profile.HeatedBed && !slices.Contains(s.Heaters, "bed")}
	if !slices.Contains(s.Heaters, "chamber") {
		v.Fit.MaxChamber = 0 // nobody knows of one: nothing is held against it
	}
	return v, true, nil
}

// transferOf is printer.Service's Transfer.
func (s *Server) transferOf(printerID string) *printer.ViewTransfer {
	t, ok := s.Files.Current(printerID)
	if !ok {
		return nil
	}
	return &printer.ViewTransfer{ID: t.ID, Name: t.Name, Direction: string(t.Direction), Target: t.Target, Print: t.Print, Stage: t.Stage, Bytes: t.Bytes, Total: t.Total}
}

// DeviceLogin is file.Printers'.
func (f filed) DeviceLogin(ctx context.Context, uuid, token string) (string, error) {
	if !wire.ValidUUID(uuid) || token == "" {
		return "", printer.ErrBadLogin
	}
	id, err := f.Login(ctx, uuid, token, netip.Addr{})
	return id.PrinterID, err
}

// DeviceFiles is file.Printers'.
func (f filed) DeviceFiles(ctx context.Context, printerID, origin string) ([]string, error) {
	tree, err := f.FileTree(ctx, printerID)
	if err != nil {
		return nil, err
	}
	list := tree.Local
	if strings.HasPrefix(origin, "sd") {
		list = tree.SDCard
	}
	paths := make([]string, len(list))
	for i, entry := range list {
		paths[i] = entry.Path
	}
	return paths, nil
}

// commander is the commands as the library gives them.
type commander struct{ *command.Service }

// Do is file.Commands'.
func (c commander) Do(ctx context.Context, uuid string, cmd wire.Command) (file.Answer, error) {
	out, err := c.Service.Do(ctx, uuid, cmd, "")
	return file.Answer{OK: out.OK, Code: out.Code, Message: out.Message}, err
}

// publisher is the gateway as the library sends to devices.
type publisher struct{ *gateway.Gateway }

// Publish is file.Devices'.
func (p publisher) Publish(uuid string, kind wire.Kind, payload []byte, qos byte) error {
	err := p.Gateway.Publish(uuid, kind, payload, qos)
	if errors.Is(err, gateway.ErrQueueFull) {
		return file.ErrQueueFull
	}
	return err
}
