package app

import (
	"slices"

	"github.com/kangbyounggwan/factor/internal/server/command"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// commanded is the printers as commands see them.
type commanded struct{ *printer.Service }

// Situation is command.Printers'.
func (c commanded) Situation(uuid string) (command.Situation, bool) {
	p, ok := c.Service.Situation(uuid)
	if !ok {
		return command.Situation{}, false
	}
	s := command.Situation{PrinterID: p.PrinterID, WorkspaceID: p.WorkspaceID, Name: p.Name, Online: p.Online, Status: p.Status, Starting: p.Starting,
		Profile: p.Profile, Targets: p.Targets, Heaters: p.Heaters, FeedRate: p.FeedRate, FlowRate: p.FlowRate, ReportedAt: p.ReportedAt}
	switch {
	case p.Presence != nil:
		s.Plugin, s.Caps, s.Rights, s.System = command.PluginOld, p.Presence.Caps, p.Presence.Rights, p.Presence.System
		if slices.Contains(s.Caps, wire.CapCommands) {
			s.Plugin = command.PluginAgent
		}
	case p.Published:
		s.Plugin = command.PluginPublished
	default:
		s.Plugin = command.PluginUnknown
	}
	return s, true
}
