package command

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// heater names the heater of a tool's number as snapshots do.
func heater(tool int) string {
	switch tool {
	case wire.ToolBed:
		return "bed"
	case wire.ToolChamber:
		return "chamber"
	}
	return fmt.Sprintf("tool%d", tool)
}

// hindrance tells what is in the way of a command now.
func hindrance(s *Situation, c *wire.Command) wire.Hindrance {
	r, ok := wire.RuleOf(c.Type)
	if !ok {
		return wire.HindrancePlugin
	}
	if h := hindered(s, r); h != wire.Unhindered {
		return h
	}
	switch c.Type {
	case wire.CommandSetTemperature:
		// The published plugin changes to the tool that it heats, which prints with the wrong one from then on. Which one
		// is active it does not say.
		if s.Plugin == PluginPublished && s.Status.Active() && c.Tool != nil && *c.Tool >= 0 && s.tools() > 1 {
			return wire.HindranceTool
		}
	case wire.CommandSystem:
		if !slices.ContainsFunc(s.System, func(a wire.SystemAction) bool { return a.Action == c.Action }) {
			return wire.HindranceRight
		}
		if s.Status.Active() && strings.HasPrefix(c.Action, "core/") {
			return wire.HindrancePrinting // it would end the print
		}
	}
	return wire.Unhindered
}

// hindered is hindrance of a command whatever its values are.
func hindered(s *Situation, r *wire.CommandRule) wire.Hindrance {
	switch {
	case !s.Online, s.Plugin == PluginUnknown:
		return wire.HindranceDevice
	case s.Plugin == PluginOld:
		return wire.HindrancePlugin
	case s.Plugin == PluginAgent && r.Cap != "" && !slices.Contains(s.Caps, r.Cap):
		return wire.HindrancePlugin
	case r.Type == wire.CommandSystem && len(s.System) == 0:
		return wire.HindranceRight
	}
	return r.Hinders(s.Status, s.Plugin == PluginPublished)
}

// tools counts the extruders that the device reports.
func (s *Situation) tools() int {
	n := 0
	for _, h := range s.Heaters {
		if strings.HasPrefix(h, "tool") {
			n++
		}
	}
	return n
}

// hindrances say in words what is in the way, and what to do.
var hindrances = map[wire.Hindrance]string{
	wire.HindranceDevice:     "The printer's device is not connected.",
	wire.HindrancePrinter:    "OctoPrint is not connected to the printer. Connect it first.",
	wire.HindranceConnecting: "OctoPrint is just connecting to the printer.",
	wire.HindrancePrinting:   "The printer is printing.",
	wire.HindrancePaused:     "The print is paused. Resume or cancel it first.",
	wire.HindranceIdle:       "The printer is not printing.",
	wire.HindranceNotPaused:  "The print is not paused.",
	wire.HindranceBusy:       "The printer is just changing its state. Try again in a moment.",
	wire.HindranceError:      "The printer reports an error. Connect it anew once that is mended.",
	wire.HindranceConnected:  "OctoPrint is connected to the printer already.",
	wire.HindranceUnknown:    "What the printer is doing is not known.",
	wire.HindrancePlugin:     "The plugin beside this printer does not know this command. FACTOR's own plugin does, in its newest version.",
	wire.HindranceRight: "OctoPrint does not let FACTOR do this. Its owner can: in OctoPrint's settings, Access Control, " +
		"tick the permission System for the user factor.",
	wire.HindranceTool: "Another tool than the active one cannot be heated during a print.",
	wire.HindranceRole: "Only an owner may do this.",
}

// notNow is the problem for a hindrance.
func notNow(h wire.Hindrance) error {
	code := "not_now"
	switch h {
	case wire.HindranceDevice:
		return errOffline
	case wire.HindrancePlugin:
		code = "not_supported"
	}
	p := problem.New(http.StatusConflict, code, hindrances[h])
	p.Reason = string(h)
	return p
}
