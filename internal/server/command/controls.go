package command

import (
	"context"
	"slices"
	"strings"

	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Controls is what somebody may do with a printer now, and within which bounds: the tables that commands are checked by.
type Controls struct {
	Plugin   Plugin          `json:"plugin" enum:"agent,old_agent,published,unknown" doc:"What runs beside the printer. published never answers: its effect is looked for"`
	Commands []Control       `json:"commands" doc:"Ask again when status, online or agent of the printer change"`
	Heaters  []HeaterControl `json:"heaters"`
	Volume   wire.Volume     `json:"volume" doc:"mm; parts that are 0 are not known and limit nothing"`
	Limits   Limits          `json:"limits" doc:"As the owner has set them"`
	System   SystemControl   `json:"system"`
	Terminal TerminalControl `json:"terminal"`
}

// Control is one command.
type Control struct {
	Type     wire.CommandType `json:"type"`
	Possible bool             `json:"possible"`
	Reason   wire.Hindrance   `json:"reason,omitempty" doc:"Why not now: device_offline, printer_offline, connecting, printing, paused, not_printing, not_paused, busy, error, connected, state_unknown, plugin_cannot, role, right_missing"`
	During   []wire.Status    `json:"during" doc:"In which status it is possible; empty: in any"`
	Fields   []wire.FieldRule `json:"fields"`
	Again    bool             `json:"again" doc:"Giving it twice does no more than once"`
}

// HeaterControl is one heater that can be set.
type HeaterControl struct {
	Tool int     `json:"tool" doc:"As set_temperature takes it: -1 bed, -2 chamber, 0 and up extruder"`
	Name string  `json:"name" doc:"As in the printer's temperatures"`
	Max  float64 `json:"max" doc:"°C"`
}

// SystemControl is OctoPrint's own system commands.
type SystemControl struct {
	Allowed bool                `json:"allowed" doc:"OctoPrint's owner has ticked System for the user factor"`
	Items   []wire.SystemAction `json:"items"`
}

// TerminalControl is the terminal.
type TerminalControl struct {
	Visible bool     `json:"visible" doc:"OctoPrint's owner has ticked the terminal's right for the user factor"`
	Any     bool     `json:"any" doc:"You may send any line"`
	Allowed []string `json:"allowed" doc:"What operators may send"`
}

// Controls gives what the context's actor may do with a printer. Problems: not_found.
func (s *Service) Controls(ctx context.Context, uuid string) (Controls, error) {
	at, err := s.find(ctx, uuid, workspace.PrinterView)
	if err != nil {
		return Controls{}, err
	}
	limits, err := s.limitsOf(ctx, &at)
	if err != nil {
		return Controls{}, err
	}
	actor, _ := workspace.ActorFrom(ctx)
	target := workspace.Target{WorkspaceID: at.WorkspaceID, PrinterID: at.PrinterID}
	may := map[wire.Need]bool{
		wire.NeedOperator: s.Access.Can(ctx, actor, workspace.PrinterControl, target) == nil,
		wire.NeedOwner:    s.Access.Can(ctx, actor, workspace.PrinterEdit, target) == nil,
	}
	bounds := limits.wire(&at)
	v := Controls{Plugin: at.Plugin, Volume: at.Profile.Volume, Limits: *limits, Heaters: heaters(&at, bounds),
		System:   SystemControl{Allowed: slices.Contains(at.Rights, wire.RightSystem), Items: []wire.SystemAction{}},
		Terminal: TerminalControl{Visible: slices.Contains(at.Rights, wire.RightTerminal), Any: may[wire.NeedOwner], Allowed: limits.terminal()}}
	v.System.Items = append(v.System.Items, at.System...)
	for i := range wire.CommandRules {
		r := &wire.CommandRules[i]
		if r.Internal {
			continue
		}
		c := Control{Type: r.Type, During: append([]wire.Status{}, r.During...), Fields: boundFields(r, &at), Again: r.Again}
		if at.Plugin == PluginPublished {
			c.During = append([]wire.Status{}, r.Published...)
		}
		if c.Reason = hindered(&at, r); !may[r.Need] {
			c.Reason = wire.HindranceRole
		}
		c.Possible = c.Reason == wire.Unhindered
		v.Commands = append(v.Commands, c)
	}
	return v, nil
}

// heaters lists what can be heated: what the device reports, or a nozzle and a bed as long as it has reported nothing.
func heaters(at *Situation, bounds wire.Limits) []HeaterControl {
	list := []HeaterControl{}
	for tool := range wire.MaxTools {
		if name := heater(tool); slices.Contains(at.Heaters, name) {
			list = append(list, HeaterControl{tool, name, bounds.Highest(tool)})
		}
	}
	for _, tool := range []int{wire.ToolBed, wire.ToolChamber} {
		if name := heater(tool); slices.Contains(at.Heaters, name) {
			list = append(list, HeaterControl{tool, name, bounds.Highest(tool)})
		}
	}
	return list
}

// boundFields are a command's fields within this printer's bounds.
func boundFields(r *wire.CommandRule, at *Situation) []wire.FieldRule {
	fields := append([]wire.FieldRule{}, r.Fields...)
	if r.Type != wire.CommandMove {
		return fields
	}
	sizes := map[string]float64{"x": at.Profile.Volume.Width, "y": at.Profile.Volume.Depth, "z": at.Profile.Volume.Height}
	for i := range fields {
		if size := sizes[strings.ToLower(fields[i].Name)]; size > 0 {
			fields[i].Min, fields[i].Max = -min(size, -fields[i].Min), min(size, fields[i].Max)
		}
	}
	return fields
}
