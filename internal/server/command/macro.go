package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Macro is a named list of G-code lines of a workspace.
type Macro struct {
	ID    string   `json:"id,omitempty" required:"false" maxLength:"64" doc:"Stays the same when the macro is changed; leave away for a new one"`
	Name  string   `json:"name" maxLength:"400"`
	Lines []string `json:"lines" maxItems:"1000" doc:"At most 100, each at most 250 bytes"`
}

// Preset is a named set of temperatures of a workspace. A heater that is null is left alone; 0 turns it off.
type Preset struct {
	ID      string   `json:"id,omitempty" required:"false" maxLength:"64" doc:"Stays the same when the preset is changed; leave away for a new one"`
	Name    string   `json:"name" maxLength:"400"`
	Tool    *float64 `json:"tool,omitempty" doc:"°C"`
	Bed     *float64 `json:"bed,omitempty" doc:"°C"`
	Chamber *float64 `json:"chamber,omitempty" doc:"°C"`
}

// Limits on what a workspace keeps.
const (
	MaxMacros  = 50
	MaxPresets = 50
)

func (m *Macro) check(at string) (err error) {
	if m.Name, err = tidyName(at, m.Name); err != nil {
		return err
	}
	if len(m.Lines) == 0 || len(m.Lines) > wire.MaxLines {
		return problem.Field("invalid", at+".lines", fmt.Sprintf("A macro has 1 to %d lines.", wire.MaxLines))
	}
	if lines, _ := m.sent(); len(lines) == 0 {
		return problem.Field("invalid", at+".lines", "A macro has at least one line with a command.")
	}
	for i, text := range m.Lines {
		if _, err := wire.ParseLine(text); err != nil && !errors.Is(err, wire.ErrEmptyLine) {
			p := problem.Field("invalid", fmt.Sprintf("%s.lines[%d]", at, i), fmt.Sprintf("Line %d %s.", i+1, err))
			p.Reason = wire.LineFault(err)
			return p
		}
	}
	return nil
}

// sent gives the lines without those that are empty or a comment alone, and which of the macro's each is.
func (m *Macro) sent() (lines []string, at []int) {
	for i, text := range m.Lines {
		if _, err := wire.ParseLine(text); !errors.Is(err, wire.ErrEmptyLine) {
			lines, at = append(lines, text), append(at, i)
		}
	}
	return lines, at
}

func (p *Preset) check(at string) (err error) {
	if p.Name, err = tidyName(at, p.Name); err != nil {
		return err
	}
	set := false
	for _, f := range []struct {
		name string
		v    *float64
		max  float64
	}{{"tool", p.Tool, wire.HighestTool}, {"bed", p.Bed, wire.HighestBed}, {"chamber", p.Chamber, wire.HighestChamber}} {
		if f.v == nil {
			continue
		}
		set = true
		if !(*f.v >= 0 && *f.v <= f.max) {
			return problem.Field("out_of_range", at+"."+f.name, fmt.Sprintf("This temperature is from 0 to %g °C.", f.max))
		}
	}
	if !set {
		return problem.Field("invalid", at+".tool", "A preset sets at least one temperature.")
	}
	return nil
}

func tidyName(at, name string) (string, error) {
	return workspace.TidyName(at+".name", name)
}

type macroRow struct {
	bun.BaseModel `bun:"table:macros"`

	ID          string `bun:",pk"`
	WorkspaceID string
	Place       int
	Name        string
	Lines       string
}

type presetRow struct {
	bun.BaseModel `bun:"table:temperature_presets"`

	ID          string `bun:",pk"`
	WorkspaceID string
	Place       int
	Name        string
	Tool        *float64
	Bed         *float64
	Chamber     *float64
}

func (s *Service) canWorkspace(ctx context.Context, id string, action workspace.Action) error {
	actor, _ := workspace.ActorFrom(ctx)
	return s.Access.Can(ctx, actor, action, workspace.Target{WorkspaceID: id})
}

// Macros gives a workspace's macros in their order. Problems: not_found.
func (s *Service) Macros(ctx context.Context, workspaceID string) ([]Macro, error) {
	if err := s.canWorkspace(ctx, workspaceID, workspace.WorkspaceView); err != nil {
		return nil, err
	}
	var rows []macroRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("workspace_id = ?", workspaceID).Order("place").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read macros: %w", err)
	}
	list := make([]Macro, len(rows))
	for i, r := range rows {
		list[i] = Macro{ID: r.ID, Name: r.Name}
		if err := json.Unmarshal([]byte(r.Lines), &list[i].Lines); err != nil {
			return nil, fmt.Errorf("read macros: %w", err)
		}
	}
	return list, nil
}

// Presets gives a workspace's temperature presets in their order. Problems: not_found.
func (s *Service) Presets(ctx context.Context, workspaceID string) ([]Preset, error) {
	if err := s.canWorkspace(ctx, workspaceID, workspace.WorkspaceView); err != nil {
		return nil, err
	}
	var rows []presetRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("workspace_id = ?", workspaceID).Order("place").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read presets: %w", err)
	}
	list := make([]Preset, len(rows))
	for i, r := range rows {
		list[i] = Preset{ID: r.ID, Name: r.Name, Tool: r.Tool, Bed: r.Bed, Chamber: r.Chamber}
	}
	return list, nil
}

// SetMacros replaces a workspace's macros. Those with an id keep it. Problems: of the field, not_found, not_allowed.
func (s *Service) SetMacros(ctx context.Context, workspaceID string, list []Macro) ([]Macro, error) {
	if err := s.canWorkspace(ctx, workspaceID, workspace.WorkspaceEdit); err != nil {
		return nil, err
	}
	if len(list) > MaxMacros {
		return nil, problem.Field("invalid", "items", fmt.Sprintf("A workspace has at most %d macros.", MaxMacros))
	}
	before, err := s.Macros(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, m := range before {
		ids[m.ID] = true
	}
	rows := make([]macroRow, len(list))
	for i := range list {
		m := &list[i]
		if err := m.check(fmt.Sprintf("items[%d]", i)); err != nil {
			return nil, err
		}
		if m.ID, err = keepID(ids, m.ID, i); err != nil {
			return nil, err
		}
		lines, err := json.Marshal(m.Lines)
		if err != nil {
			return nil, err
		}
		rows[i] = macroRow{ID: m.ID, WorkspaceID: workspaceID, Place: i, Name: m.Name, Lines: string(lines)}
	}
	err = s.replace(ctx, workspaceID, "macros", len(rows), func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	})
	return list, err
}

// SetPresets replaces a workspace's temperature presets. Problems as of SetMacros.
func (s *Service) SetPresets(ctx context.Context, workspaceID string, list []Preset) ([]Preset, error) {
	if err := s.canWorkspace(ctx, workspaceID, workspace.WorkspaceEdit); err != nil {
		return nil, err
	}
	if len(list) > MaxPresets {
		return nil, problem.Field("invalid", "items", fmt.Sprintf("A workspace has at most %d presets.", MaxPresets))
	}
	before, err := s.Presets(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, p := range before {
		ids[p.ID] = true
	}
	rows := make([]presetRow, len(list))
	for i := range list {
		p := &list[i]
		if err := p.check(fmt.Sprintf("items[%d]", i)); err != nil {
			return nil, err
		}
		if p.ID, err = keepID(ids, p.ID, i); err != nil {
			return nil, err
		}
		rows[i] = presetRow{ID: p.ID, WorkspaceID: workspaceID, Place: i, Name: p.Name, Tool: p.Tool, Bed: p.Bed, Chamber: p.Chamber}
	}
	err = s.replace(ctx, workspaceID, "temperature_presets", len(rows), func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	})
	return list, err
}

// keepID gives an id of the list as it was, once, or a new one.
func keepID(ids map[string]bool, id string, i int) (string, error) {
	if id == "" {
		made, err := uuid.NewV7()
		return made.String(), err
	}
	if !ids[id] {
		return "", problem.Field("invalid", fmt.Sprintf("items[%d].id", i), "There is none with this id in this workspace. Leave it away for a new one.")
	}
	delete(ids, id)
	return id, nil
}

// replace puts rows in the place of those that a workspace has in a table.
func (s *Service) replace(ctx context.Context, workspaceID, table string, count int, insert func(tx bun.Tx) error) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Table(table).Where("workspace_id = ?", workspaceID).Exec(ctx); err != nil {
			return fmt.Errorf("replace %s: %w", table, err)
		}
		if count > 0 {
			if err := insert(tx); err != nil {
				return fmt.Errorf("replace %s: %w", table, err)
			}
		}
		return s.Audit.Record(ctx, tx, audit.Entry{WorkspaceID: workspaceID, Action: "workspace." + table,
			Target: audit.Target{Kind: "workspace", ID: workspaceID}, Detail: map[string]int{"count": count}})
	})
}

// RunMacro has a printer do the lines of a macro of its workspace, one after the other until one is refused, by the same
// rules as lines of the terminal. Problems: as of Do, and not_found when there is no such macro.
func (s *Service) RunMacro(ctx context.Context, deviceUUID, macroID, key string) (Outcome, error) {
	at, err := s.find(ctx, deviceUUID, workspace.PrinterControl)
	if err != nil {
		return Outcome{}, err
	}
	list, err := s.Macros(ctx, at.WorkspaceID)
	if err != nil {
		return Outcome{}, err
	}
	for _, m := range list {
		if m.ID == macroID {
			lines, at := m.sent()
			out, err := s.Do(ctx, deviceUUID, wire.Command{Type: wire.CommandGCode, Lines: lines, Macro: m.Name}, key)
			return out, m.lineProblem(at, err)
		}
	}
	return Outcome{}, problem.NotFound("macro")
}

// lineProblem has a problem of a line that was sent, the at[i]-th of the macro, name that line as the macro counts.
func (m *Macro) lineProblem(at []int, err error) error {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		return err
	}
	var i int
	if _, scan := fmt.Sscanf(p.Field, "lines[%d]", &i); scan != nil || i < 0 || i >= len(at) {
		return err
	}
	named := *p
	named.Field = fmt.Sprintf("lines[%d]", at[i])
	named.Detail = fmt.Sprintf("Line %d, %s: %s", at[i]+1, m.Lines[at[i]], strings.TrimPrefix(p.Detail, p.Field+" "))
	return &named
}
