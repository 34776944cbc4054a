package command

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Limits are what a printer's owner allows. A field that is null is not set: the default counts.
type Limits struct {
	MaxTemperatures MaxTemperatures `json:"max_temperatures"`
	Terminal        *[]string       `json:"terminal,omitempty" maxItems:"200" doc:"G-code commands that operators may send in the terminal, such as M105 or @pause; null: those that only ask"`
}

// MaxTemperatures are the highest temperatures that may be asked for, in °C.
type MaxTemperatures struct {
	Tool    *float64 `json:"tool,omitempty" doc:"°C; default 300"`
	Bed     *float64 `json:"bed,omitempty" doc:"°C; default 130"`
	Chamber *float64 `json:"chamber,omitempty" doc:"°C; default 80"`
}

const maxTerminal = 200 // commands in a list

// wire gives the limits as commands are checked by.
func (l *Limits) wire(s *Situation) wire.Limits {
	w := wire.Limits{Volume: s.Profile.Volume}
	for _, f := range []struct {
		from *float64
		to   *float64
	}{{l.MaxTemperatures.Tool, &w.Tool}, {l.MaxTemperatures.Bed, &w.Bed}, {l.MaxTemperatures.Chamber, &w.Chamber}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	return w
}

// terminal gives what operators may send.
func (l *Limits) terminal() []string {
	if l.Terminal == nil {
		return wire.DefaultTerminal
	}
	return *l.Terminal
}

// check tells whether limits make sense, and writes commands as they are compared. Errors: problems of the field.
func (l *Limits) check() error {
	for _, f := range []struct {
		name    string
		v       *float64
		highest float64
	}{{"tool", l.MaxTemperatures.Tool, wire.HighestTool}, {"bed", l.MaxTemperatures.Bed, wire.HighestBed},
		{"chamber", l.MaxTemperatures.Chamber, wire.HighestChamber}} {
		if f.v != nil && !(*f.v >= 1 && *f.v <= f.highest) {
			return problem.Field("out_of_range", "max_temperatures."+f.name, fmt.Sprintf("A highest temperature is from 1 to %g °C.", f.highest))
		}
	}
	if l.Terminal == nil {
		return nil
	}
	if len(*l.Terminal) > maxTerminal {
		return problem.Field("invalid", "terminal", fmt.Sprintf("The list has at most %d commands.", maxTerminal))
	}
	list := []string{}
	for i, text := range *l.Terminal {
		line, err := wire.ParseLine(text)
		if err != nil || line.Code == "" || (line.Text != line.Code && line.Code[0] != '@') {
			return problem.Field("invalid", fmt.Sprintf("terminal[%d]", i), "This is a G-code command without its parameters, such as M105, or one that begins with @.")
		}
		if !slices.Contains(list, line.Code) {
			list = append(list, line.Code)
		}
	}
	l.Terminal = &list
	return nil
}

// limitCache keeps the limits of printers, which are asked for with each command. mu guards it.
type limitCache struct {
	mu         sync.Mutex
	generation int
	of         map[string]Limits // by printer
}

const limitCacheSize = 10_000

type limitsRow struct {
	bun.BaseModel `bun:"table:printer_limits"`

	PrinterID string `bun:",pk"`
	Limits    string
}

// LimitsOf gives the limits of a printer as commands are checked by. False: there is no such printer.
func (s *Service) LimitsOf(ctx context.Context, uuid string) (wire.Limits, error) {
	at, ok := s.Printers.Situation(uuid)
	if !ok {
		return wire.Limits{}, problem.NotFound("printer")
	}
	l, err := s.limitsOf(ctx, &at)
	if err != nil {
		return wire.Limits{}, err
	}
	return l.wire(&at), nil
}

// limitsOf gives what a printer's owner allows.
func (s *Service) limitsOf(ctx context.Context, at *Situation) (*Limits, error) {
	c := &s.limits
	c.mu.Lock()
	l, ok := c.of[at.PrinterID]
	generation := c.generation
	c.mu.Unlock()
	if ok {
		return &l, nil
	}
	var r limitsRow
	err := s.DB.Read.NewSelect().Model(&r).Where("printer_id = ?", at.PrinterID).Scan(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read a printer's limits: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal([]byte(r.Limits), &l); err != nil {
			return nil, fmt.Errorf("read a printer's limits: %w", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation == c.generation {
		if c.of == nil || len(c.of) >= limitCacheSize {
			c.of = map[string]Limits{}
		}
		c.of[at.PrinterID] = l
	}
	return &l, nil
}

// SetLimits replaces what a printer's owner allows. Problems: of the field, not_found, not_allowed.
func (s *Service) SetLimits(ctx context.Context, uuid string, l Limits) (Limits, error) {
	at, err := s.find(ctx, uuid, workspace.PrinterEdit)
	if err != nil {
		return Limits{}, err
	}
	if err := l.check(); err != nil {
		return Limits{}, err
	}
	b, err := json.Marshal(l)
	if err != nil {
		return Limits{}, err
	}
	r := limitsRow{PrinterID: at.PrinterID, Limits: string(b)}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&r).On("CONFLICT (printer_id) DO UPDATE").Set("limits = EXCLUDED.limits").Exec(ctx); err != nil {
			return fmt.Errorf("write a printer's limits: %w", err)
		}
		return s.Audit.Record(ctx, tx, audit.Entry{WorkspaceID: at.WorkspaceID, Action: "printer.limits",
			Target: audit.Target{Kind: "printer", ID: at.PrinterID, Name: at.Name}, Detail: l})
	})
	if err != nil {
		return Limits{}, err
	}
	s.limits.mu.Lock()
	s.limits.generation++
	delete(s.limits.of, at.PrinterID)
	s.limits.mu.Unlock()
	return l, nil
}

// find gives a printer if the context's actor may do action to it. Problems: not_found, not_allowed.
func (s *Service) find(ctx context.Context, uuid string, action workspace.Action) (Situation, error) {
	at, ok := s.Printers.Situation(uuid)
	if !ok {
		return at, problem.NotFound("printer")
	}
	actor, _ := workspace.ActorFrom(ctx)
	return at, s.Access.Can(ctx, actor, action, workspace.Target{WorkspaceID: at.WorkspaceID, PrinterID: at.PrinterID})
}

// allowedLines tells whether somebody who is no owner may send these lines. Problems: not_allowed.
func (s *Service) allowedLines(ctx context.Context, o *order) error {
	l, err := s.limitsOf(ctx, &o.situation)
	if err != nil {
		return err
	}
	lines := o.command.Lines
	if lines == nil {
		lines = []string{o.command.Line}
	}
	for i, text := range lines {
		line, err := wire.ParseLine(text)
		if err != nil {
			continue // told as a fault of the field
		}
		if !line.Within(l.terminal()) {
			p := *problem.ErrNotAllowed
			p.Reason, p.Field = "line_not_allowed", "line"
			p.Detail = "The printer's owner has not allowed operators to send this line. Ask an owner."
			if o.command.Lines != nil {
				p.Field = fmt.Sprintf("lines[%d]", i)
			}
			return &p
		}
	}
	return nil
}
