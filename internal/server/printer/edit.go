package printer

import (
	"context"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

// find gives the printer of a UUID if the actor may do action to it. Errors: problems not_found, not_allowed.
func (s *Service) find(ctx context.Context, uuid string, action workspace.Action) (*twin, error) {
	actor, _ := workspace.ActorFrom(ctx)
	t := s.twin(uuid)
	if t == nil {
		return nil, ErrNotFound
	}
	t.mu.Lock()
	target := workspace.Target{WorkspaceID: t.printer.WorkspaceID, PrinterID: t.printer.ID}
	t.mu.Unlock()
	if err := s.Access.Can(ctx, actor, action, target); err != nil {
		return nil, err
	}
	return t, nil
}

// Authorize gives a printer's id if the context's actor may do action to it. Errors: problems not_found, not_allowed.
func (s *Service) Authorize(ctx context.Context, uuid string, action workspace.Action) (printerID, workspaceID string, err error) {
	t, err := s.find(ctx, uuid, action)
	if err != nil {
		return "", "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.printer.ID, t.printer.WorkspaceID, nil
}

// Edit is a change of a printer's own fields; nil leaves one as it is.
type Edit struct {
	Name        *string
	Description *string
	UUIDLogin   *bool
}

// Edit changes a printer. Errors: as Enrol.
func (s *Service) Edit(ctx context.Context, uuid string, e Edit) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterEdit)
	if err != nil {
		return err
	}
	p := t.own()
	if e.Name != nil {
		if p.Name, err = checkName(*e.Name); err != nil {
			return err
		}
	}
	if e.Description != nil {
		if p.Description, err = checkDescription(*e.Description); err != nil {
			return err
		}
	}
	if err := s.checkUUIDLogin(e.UUIDLogin); err != nil {
		return err
	}
	ended := false
	if e.UUIDLogin != nil {
		ended = p.UUIDLogin && !*e.UUIDLogin
		p.UUIDLogin = *e.UUIDLogin
	}
	if err := s.store(ctx, t, p, "printer.edit"); err != nil {
		return err
	}
	t.mu.Lock()
	ended = ended && t.conn != 0 && !t.authenticated
	t.mu.Unlock()
	if ended {
		s.endDevice(uuid)
	} else if s.Devices != nil {
		s.Devices.Promote(uuid)
	}
	return nil
}

// own gives the printer's own fields.
func (t *twin) own() Printer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.printer
}

func (s *Service) endDevice(uuid string) {
	if s.Devices != nil {
		s.Devices.End(uuid)
	}
}

// SetCameras replaces a printer's list of cameras, and what they may take of its uplink together (kbit/s; nil: that stays
// as it is, 0: as much as they like). Cameras keep their id; new ones get one. Errors: problems of the
// fields, not_found, not_allowed.
func (s *Service) SetCameras(ctx context.Context, uuid string, cameras []Camera, uplinkKbps *int) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterEdit)
	if err != nil {
		return err
	}
	p := t.own()
	if p.Cameras, err = checkCameras(cameras, p.Cameras); err != nil {
		return err
	}
	if uplinkKbps != nil {
		if *uplinkKbps != 0 && (*uplinkKbps < minKbps || *uplinkKbps > maxKbps) {
			return problem.Field("uplink_kbps_invalid", "uplink_kbps", "The uplink is 100 to 50,000 kbit/s, or 0 for no limit.")
		}
		p.UplinkKbps = *uplinkKbps
	}
	return s.store(ctx, t, p, "printer.cameras")
}

// Acknowledge takes note that somebody has seen that the last print failed, or that somebody contested the UUID.
func (s *Service) Acknowledge(ctx context.Context, uuid string) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterControl)
	if err != nil {
		return err
	}
	t.mu.Lock()
	p := t.printer
	if t.last != nil {
		p.SeenJob = t.last.ID
	}
	t.contestedAt = time.Time{}
	t.mu.Unlock()
	return s.store(ctx, t, p, "printer.acknowledge")
}

// NewToken makes a new token for a printer's device; the old one is good for nothing from then on. A plugin that was
// installed again takes its printer back with it. Errors: problems not_found, not_allowed.
func (s *Service) NewToken(ctx context.Context, uuid string) (string, error) {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterEnrol)
	if err != nil {
		return "", err
	}
	actor, _ := workspace.ActorFrom(ctx)
	p := t.own()
	token, hash := newToken()
	t.mu.Lock()
	device := t.device.ID
	t.mu.Unlock()
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Table("devices").Set("token_hash = ?", hash).Where("id = ?", device).Exec(ctx); err != nil {
			return err
		}
		if err := s.spend(ctx, tx, actor); err != nil {
			return err
		}
		return s.record(ctx, tx, "printer.token", &p, nil)
	})
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	t.device.TokenHash = hash
	t.mu.Unlock()
	s.endDevice(uuid)
	return token, nil
}
