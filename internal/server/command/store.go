package command

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

type row struct {
	bun.BaseModel `bun:"table:commands"`

	ID          string `bun:",pk"`
	At          int64  // Unix milliseconds
	PrinterID   string
	WorkspaceID string
	UserID      string
	Actor       string
	RequestKey  string
	RequestHash string
	Type        wire.CommandType
	Asked       string
	State       State
	OK          bool `bun:"ok"`
	Code        wire.ResultCode
	Message     string
}

func (r *row) order() *order {
	at := time.UnixMilli(r.At)
	o := &order{id: r.ID, at: at, hash: r.RequestHash, command: wire.Command{Type: r.Type}, asked: json.RawMessage(r.Asked),
		situation: Situation{PrinterID: r.PrinterID, WorkspaceID: r.WorkspaceID},
		actor:     workspace.Actor{UserID: r.UserID, Name: r.Actor},
		answers:   make(chan wire.CommandResult, 1), done: make(chan struct{})}
	o.outcome = Outcome{ID: r.ID, Type: r.Type, State: r.State, OK: r.OK, Code: r.Code, Message: r.Message, At: at.UTC()}
	return o
}

// insert writes the command down, in the audit, too.
func (s *Service) insert(ctx context.Context, o *order) error {
	state := StateWaiting
	if o.situation.Plugin == PluginPublished {
		state = StateSent
	}
	asked, err := json.Marshal(shown(&o.command))
	if err != nil {
		return err
	}
	o.asked = asked
	r := row{ID: o.id, At: o.at.UnixMilli(), PrinterID: o.situation.PrinterID, WorkspaceID: o.situation.WorkspaceID,
		UserID: o.actor.UserID, Actor: o.actor.Name, RequestKey: o.key.key, RequestHash: o.hash, Type: o.command.Type,
		Asked: string(asked), State: state}
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
			return fmt.Errorf("write a command down: %w", err)
		}
		return s.Audit.Record(ctx, tx, audit.Entry{ID: o.id, WorkspaceID: o.situation.WorkspaceID, ActorID: o.actor.UserID, Actor: o.actor.Name,
			Via: o.actor.Via, Address: o.actor.Address, Action: actionOf(o.command.Type), Target: o.target(), Result: audit.Pending,
			Detail: detail{Command: asked, State: state}})
	})
}

// detail is what the audit keeps of a command.
type detail struct {
	Command json.RawMessage `json:"command"`
	State   State           `json:"state"`
	Code    wire.ResultCode `json:"code,omitempty"`
	Message string          `json:"message,omitempty"`
}

// finish writes down what became of a command and tells those who look.
func (s *Service) finish(o *order, out Outcome) error {
	_, err := s.finishOnce(context.WithoutCancel(s.work.Context), o, out)
	return err
}

// finishOnce is finish that leaves a command alone that has an answer already: the first one counts. stored is false then.
func (s *Service) finishOnce(ctx context.Context, o *order, out Outcome) (stored bool, err error) {
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*row)(nil)).Set("state = ?", out.State).Set("ok = ?", out.OK).Set("code = ?", out.Code).
			Set("message = ?", out.Message).Where("id = ?", o.id).Where("state <> ?", StateAnswered).Exec(ctx)
		if err != nil {
			return fmt.Errorf("write down what became of a command: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		stored = true
		return s.Audit.Finish(ctx, tx, o.id, resultOf(out), detail{Command: o.asked, State: out.State, Code: out.Code, Message: out.Message})
	})
	if err == nil && stored {
		s.tell(o, out)
	}
	return stored && err == nil, err
}

func (s *Service) load(ctx context.Context, id string) (*order, error) {
	return s.loadWhere(ctx, "id = ?", id)
}

func (s *Service) loadByKey(ctx context.Context, k keyOf) (*order, error) {
	o, err := s.loadWhere(ctx, "user_id = ? AND printer_id = ? AND request_key = ?", k.user, k.printer, k.key)
	if o != nil {
		close(o.done)
	}
	return o, err
}

func (s *Service) loadWhere(ctx context.Context, where string, args ...any) (*order, error) {
	var r row
	err := s.DB.Read.NewSelect().Model(&r).Where(where, args...).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a command: %w", err)
	}
	return r.order(), nil
}

// settle ends what was under way when the server was ended.
func (s *Service) settle(ctx context.Context) error {
	var rows []row
	if err := s.DB.Read.NewSelect().Model(&rows).Where("state IN (?)", bun.List([]State{StateWaiting, StateSent})).Scan(ctx); err != nil {
		return fmt.Errorf("read the commands under way: %w", err)
	}
	for i := range rows {
		o := rows[i].order()
		state := StateUnknown
		if rows[i].State == StateSent {
			state = StateUnconfirmed
		}
		if err := s.finish(o, o.outcomeAs(state)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) forgetOld(ctx context.Context) error {
	before := s.now().Add(-rememberAt).UnixMilli()
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*row)(nil)).Where("at < ?", before).Exec(ctx)
		return err
	})
}

// DeleteWorkspaces removes what belongs to workspaces that are being deleted, in that transaction.
func (s *Service) DeleteWorkspaces(ctx context.Context, tx bun.Tx, _ string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	for _, table := range []string{"commands", "macros", "temperature_presets"} {
		if _, err := tx.NewDelete().Table(table).Where("workspace_id IN (?)", bun.List(ids)).Exec(ctx); err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	_, err := tx.NewRaw("DELETE FROM printer_limits WHERE printer_id NOT IN (SELECT id FROM printers)").Exec(ctx)
	return err
}

// shown is a command as the audit has it: without what opens a door.
func shown(c *wire.Command) wire.Command {
	v := *c
	v.ID, v.Expires = "", 0
	if f := c.Fetch; f != nil {
		clean := *f
		clean.Token = ""
		v.Fetch = &clean
	}
	if f := c.Send; f != nil {
		clean := *f
		clean.Token = ""
		v.Send = &clean
	}
	if len(v.Lines) > shownLines { // the macro's name is in the audit's detail by its own call
		v.Lines = v.Lines[:shownLines]
	}
	return v
}

const shownLines = 5
