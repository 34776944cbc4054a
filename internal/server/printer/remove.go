package printer

import (
	"context"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

type removedRow struct {
	bun.BaseModel `bun:"table:removed_printers,alias:r"`
	PrinterID     string `bun:",pk"`
	RemovedAt     int64
	WorkspaceID   string
	Name          string
}

// Remove takes a printer away for good. Its device is sent off at once; its past is deleted afterwards, in slices.
// Errors: problems not_found, not_allowed.
func (s *Service) Remove(ctx context.Context, uuid string) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterRemove)
	if err != nil {
		return err
	}
	p := t.own()
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.remove(ctx, tx, &p); err != nil {
			return err
		}
		return s.record(ctx, tx, "printer.remove", &p, nil)
	})
	if err != nil {
		return err
	}
	s.forget(t)
	return nil
}

// remove deletes a printer's row and retires its device, which keeps the hash of its token, so that it can be told why it may not connect.
func (s *Service) remove(ctx context.Context, tx bun.Tx, p *Printer) error {
	now := s.now().UnixMilli()
	if err := retire(ctx, tx, p.ID, now); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model((*printerRow)(nil)).Where("id = ?", p.ID).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model((*transferRow)(nil)).Where("printer_id = ?", p.ID).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewInsert().Model(&removedRow{PrinterID: p.ID, RemovedAt: now, WorkspaceID: p.WorkspaceID, Name: p.Name}).
		On("CONFLICT (printer_id) DO NOTHING").Exec(ctx)
	return err
}

// forget takes a removed printer out of memory and ends its device's connection.
func (s *Service) forget(t *twin) {
	s.drop(t)
	t.mu.Lock()
	t.gone = true
	m := bus.PrinterChanged{PrinterID: t.printer.ID, UUID: t.device.UUID, WorkspaceID: t.printer.WorkspaceID}
	t.mu.Unlock()
	s.endDevice(m.UUID)
	s.log.Info("printer removed", "printer", m.PrinterID, "uuid", m.UUID)
	s.Bus.PrinterChanged.Publish(m)
}

// DeleteWorkspaces removes all printers of workspaces that end with their account, within the transaction that
// deletes it. It is one of account.Service.OnDelete; WorkspacesDeleted must follow.
func (s *Service) DeleteWorkspaces(ctx context.Context, tx bun.Tx, _ string, workspaceIDs []string) error {
	if len(workspaceIDs) == 0 {
		return nil
	}
	var ids []string
	err := tx.NewSelect().Model((*printerRow)(nil)).Column("id").Where("workspace_id IN (?)", bun.List(workspaceIDs)).Scan(ctx, &ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.remove(ctx, tx, &Printer{ID: id}); err != nil {
			return err
		}
	}
	return nil
}

// WorkspacesDeleted ends what is left of the printers that DeleteWorkspaces removed: one of account.Service.Deleted.
func (s *Service) WorkspacesDeleted(_ string, workspaceIDs []string) {
	s.registering.Lock()
	defer s.registering.Unlock()
	for _, t := range s.inWorkspaces(workspaceIDs) {
		s.forget(t)
	}
}

// SetDisabled shuts the devices of workspaces out, or lets them in again, as their owner's account is disabled or enabled.
func (s *Service) SetDisabled(ctx context.Context, workspaceIDs []string, disabled bool) error {
	if len(workspaceIDs) == 0 {
		return nil
	}
	s.registering.Lock()
	defer s.registering.Unlock()
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("printers").Set("disabled = ?", disabled).
			Where("workspace_id IN (?)", bun.List(workspaceIDs)).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range s.inWorkspaces(workspaceIDs) {
		t.mu.Lock()
		t.printer.Disabled = disabled
		uuid := t.device.UUID
		t.mu.Unlock()
		if disabled {
			s.endDevice(uuid)
		}
	}
	return nil
}

func (s *Service) inWorkspaces(ids []string) []*twin {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var list []*twin
	for _, t := range s.twins() {
		if wanted[t.own().WorkspaceID] {
			list = append(list, t)
		}
	}
	return list
}
