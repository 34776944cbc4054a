package printer

import (
	"context"
	"fmt"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

// ErrInUse says that the new device already serves another printer, which is more than its registration.
var ErrInUse = problem.New(409, "uuid_in_use", "This computer serves another printer of yours already. Remove that printer first, "+
	"or make a new UUID on the computer.")

// Replace puts another device in the place of a printer's: the printer keeps its name, cameras, prints and history. A
// device that nobody knows yet gets a token, which is returned. One that has registered itself in the same workspace
// and waits to be completed is taken over as it is, token and all; the printer that it would have become is none then.
// Errors: problems uuid_invalid, uuid_taken, uuid_in_use, not_found, not_allowed.
func (s *Service) Replace(ctx context.Context, uuid, newUUID string) (token string, err error) {
	if err := checkUUID(newUUID); err != nil {
		return "", err
	}
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterEdit)
	if err != nil {
		return "", err
	}
	if other := s.twin(newUUID); other != nil {
		return "", s.adopt(ctx, t, other)
	}
	p, now := t.own(), s.now()
	token, hash := newToken()
	d := Device{ID: newID(), PrinterID: p.ID, UUID: newUUID, TokenHash: hash, CreatedAt: now.UTC()}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := retire(ctx, tx, p.ID, now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(deviceRowOf(&d)).Exec(ctx); err != nil {
			return err
		}
		return s.record(ctx, tx, "printer.replace", &p, map[string]string{"uuid": newUUID})
	})
	if err != nil {
		return "", err
	}
	s.swap(t, d)
	return token, nil
}

// adopt makes the device of another printer, which is not complete yet, the device of t. registering is held.
func (s *Service) adopt(ctx context.Context, t, other *twin) error {
	p, q, now := t.own(), other.own(), s.now()
	if err := s.mayAdopt(ctx, &p, &q); err != nil {
		return err
	}
	other.mu.Lock()
	d := other.device
	other.mu.Unlock()
	d.PrinterID = p.ID
	if len(p.Cameras) == 0 {
		p.Cameras = q.Cameras // what was entered in the plugin
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := retire(ctx, tx, p.ID, now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Table("devices").Set("printer_id = ?", p.ID).Where("id = ?", d.ID).Exec(ctx); err != nil {
			return err
		}
		if err := s.save(ctx, tx, &p); err != nil {
			return err
		}
		if err := s.remove(ctx, tx, &q); err != nil {
			return err
		}
		return s.record(ctx, tx, "printer.replace", &p, map[string]string{"uuid": d.UUID})
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.printer = p
	t.mu.Unlock()
	// The device is never without a printer, not even for the moment in which it would be told that it has none.
	s.swap(t, d)
	s.forget(other)
	return nil
}

// mayAdopt answers whether q's device may become p's: they are in one workspace, and q has no past worth keeping.
func (s *Service) mayAdopt(ctx context.Context, p, q *Printer) error {
	if p.ID == q.ID {
		return problem.Field("uuid_same", "uuid", "This is the computer that the printer has now.")
	}
	actor, _ := workspace.ActorFrom(ctx)
	err := s.Access.Can(ctx, actor, workspace.PrinterRemove, workspace.Target{WorkspaceID: q.WorkspaceID, PrinterID: q.ID})
	switch {
	case problem.Code(err) == "not_found":
		return ErrUUIDTaken
	case err != nil:
		return err
	case !q.Pending || p.WorkspaceID != q.WorkspaceID:
		return ErrInUse
	}
	return nil
}

// swap makes d the device in use of a printer in memory, once it is so on disk, and sends the old one off.
func (s *Service) swap(t *twin, d Device) {
	t.mu.Lock()
	old, p := t.device.UUID, t.printer
	t.device = d
	t.conn, t.online, t.presence = 0, false, nil
	tell := s.changed(t, s.now())
	t.mu.Unlock()
	s.mu.Lock()
	delete(s.byUUID, old)
	s.byUUID[d.UUID] = t
	s.mu.Unlock()
	tell()
	s.endDevice(old)
	s.Bus.PrinterChanged.Publish(bus.PrinterChanged{PrinterID: p.ID, UUID: old, WorkspaceID: p.WorkspaceID})
	s.welcome(t)
}

// retire marks the device in use of a printer as replaced.
func retire(ctx context.Context, tx bun.Tx, printerID string, now int64) error {
	_, err := tx.NewUpdate().Table("devices").Set("replaced_at = ?", now).
		Where("printer_id = ?", printerID).Where("replaced_at IS NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("retire the device: %w", err)
	}
	return nil
}
