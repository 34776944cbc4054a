package printer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// Setup is what somebody may know of a UUID that a plugin has brought him with.
type Setup struct {
	State string     `json:"state" enum:"new,here,removed,replaced" doc:"new: nothing that you may know; here: there is such a printer; removed: there was one of yours; replaced: another device has taken its place"`
	Name  string     `json:"name,omitempty" doc:"Of the printer"`
	UUID  string     `json:"uuid,omitempty" doc:"Of the device in use, when this one was replaced"`
	At    *time.Time `json:"at,omitempty" doc:"When it was removed or replaced"`
}

// LookUp tells the context's actor what became of a UUID. Of other people's printers it tells nothing: they are as new.
// Errors: problem uuid_invalid.
func (s *Service) LookUp(ctx context.Context, uuid string) (Setup, error) {
	if err := checkUUID(uuid); err != nil {
		return Setup{}, err
	}
	if t := s.twin(uuid); t != nil {
		p := t.own()
		if ok, err := s.maySee(ctx, p.WorkspaceID, p.ID); !ok {
			return Setup{State: "new"}, err
		}
		return Setup{State: "here", Name: p.Name, UUID: uuid}, nil
	}
	var d deviceRow
	err := s.DB.Read.NewSelect().Model(&d).Where("uuid = ?", uuid).OrderExpr("replaced_at DESC").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return Setup{State: "new"}, nil
	}
	if err != nil {
		return Setup{}, fmt.Errorf("read a device: %w", err)
	}
	if t := s.twinByID(d.PrinterID); t != nil {
		return s.lookUpReplaced(ctx, t, d.device())
	}
	return s.lookUpRemoved(ctx, d.PrinterID)
}

func (s *Service) lookUpReplaced(ctx context.Context, t *twin, d Device) (Setup, error) {
	t.mu.Lock()
	p, now := t.printer, t.device.UUID
	t.mu.Unlock()
	if ok, err := s.maySee(ctx, p.WorkspaceID, p.ID); !ok {
		return Setup{State: "new"}, err
	}
	return Setup{State: "replaced", Name: p.Name, UUID: now, At: moment(d.ReplacedAt)}, nil
}

func (s *Service) lookUpRemoved(ctx context.Context, printerID string) (Setup, error) {
	var r removedRow
	err := s.DB.Read.NewSelect().Model(&r).Where("printer_id = ?", printerID).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return Setup{State: "new"}, nil
	}
	if err != nil {
		return Setup{}, fmt.Errorf("read a removed printer: %w", err)
	}
	if ok, err := s.maySee(ctx, r.WorkspaceID, r.PrinterID); !ok {
		return Setup{State: "new"}, err
	}
	return Setup{State: "removed", Name: r.Name, At: moment(fromMillis(r.RemovedAt))}, nil
}

func (s *Service) maySee(ctx context.Context, workspaceID, printerID string) (bool, error) {
	actor, _ := workspace.ActorFrom(ctx)
	err := s.Access.Can(ctx, actor, workspace.PrinterView, workspace.Target{WorkspaceID: workspaceID, PrinterID: printerID})
	if problem.Code(err) != "" {
		return false, nil
	}
	return err == nil, err
}
