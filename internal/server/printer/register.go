package printer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

// Registration is what a device or a person gives to have a printer.
type Registration struct {
	UUID        string
	Name        string
	Description string
	UUIDLogin   *bool  // nil: as it is, at first no
	Pending     bool   // the device itself asks: its owner completes the printer in the page
	WorkspaceID string // empty: the actor's own
	Cameras     []Camera
}

// Registered is what came of it.
type Registered struct {
	PrinterID string
	UUID      string
	Created   bool
	Token     string // of the device, only when Created
}

// TokenPrefix marks a device's token, so that a person and a secret scanner know it when they see one.
const TokenPrefix = "fdt_"

// newToken makes a device token of 256 random bits, and its hash. Being random, it needs no slow hash.
func newToken() (token string, hash []byte) {
	var b [32]byte
	rand.Read(b[:]) // never fails
	token = TokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	sum := sha256.Sum256([]byte(token))
	return token, sum[:]
}

// Enrol makes a printer, or completes the one that its device has registered. The same account may do it again:
// names change, the token stays. Errors: problems uuid_invalid, name_invalid, description_invalid, those of cameras,
// uuid_login_off, uuid_taken, too_many_printers, not_allowed, not_found (workspace).
func (s *Service) Enrol(ctx context.Context, actor workspace.Actor, r Registration) (Registered, error) {
	if err := checkUUID(r.UUID); err != nil {
		return Registered{}, err
	}
	name, err := checkName(r.Name)
	if err != nil {
		return Registered{}, err
	}
	description, err := checkDescription(r.Description)
	if err != nil {
		return Registered{}, err
	}
	if err := s.checkUUIDLogin(r.UUIDLogin); err != nil {
		return Registered{}, err
	}
	r.Name, r.Description = name, description

	s.registering.Lock()
	defer s.registering.Unlock()
	if t := s.twin(r.UUID); t != nil {
		return s.complete(ctx, actor, t, r)
	}
	return s.create(ctx, actor, r)
}

func (s *Service) checkUUIDLogin(wanted *bool) error {
	if wanted != nil && *wanted && !s.UUIDLogin {
		return problem.Field("uuid_login_off", "uuid_login", "This server lets no printer connect by its UUID alone. "+
			"Use the device's token, or ask the operator to set --uuid-login.")
	}
	return nil
}

// create makes a printer with its device. registering is held.
func (s *Service) create(ctx context.Context, actor workspace.Actor, r Registration) (Registered, error) {
	if r.WorkspaceID == "" {
		own, err := s.Access.Personal(ctx, actor.UserID)
		if err != nil {
			return Registered{}, err
		}
		r.WorkspaceID = own.ID
		s.learnNames([]workspace.Workspace{own})
	}
	if err := s.Access.Can(ctx, actor, workspace.PrinterCreate, workspace.Target{WorkspaceID: r.WorkspaceID}); err != nil {
		return Registered{}, err
	}
	if s.countOf(r.WorkspaceID) >= s.MaxPrinters {
		return Registered{}, ErrTooMany
	}
	now := s.now()
	token, hash := newToken()
	var err error
	p := Printer{ID: newID(), WorkspaceID: r.WorkspaceID, Name: r.Name, Description: r.Description, Pending: r.Pending,
		UUIDLogin: r.UUIDLogin != nil && *r.UUIDLogin, CreatedAt: now.UTC()}
	if p.Cameras, err = checkCameras(r.Cameras, nil); err != nil {
		return Registered{}, err
	}
	d := Device{ID: newID(), PrinterID: p.ID, UUID: r.UUID, TokenHash: hash, CreatedAt: now.UTC()}
	row, err := rowOf(&p)
	if err != nil {
		return Registered{}, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(deviceRowOf(&d)).Exec(ctx); err != nil {
			return err
		}
		if err := s.spend(ctx, tx, actor); err != nil {
			return err
		}
		return s.record(ctx, tx, "printer.create", &p, nil)
	})
	if err != nil {
		return Registered{}, err
	}
	t := newTwin(p, d)
	s.add(t)
	s.log.Info("printer registered", "printer", p.ID, "uuid", r.UUID, "workspace", p.WorkspaceID, "pending", p.Pending)
	s.welcome(t)
	return Registered{PrinterID: p.ID, UUID: r.UUID, Created: true, Token: token}, nil
}

// complete gives a printer that is already there its name. registering is held.
func (s *Service) complete(ctx context.Context, actor workspace.Actor, t *twin, r Registration) (Registered, error) {
	t.mu.Lock()
	p := t.printer
	t.mu.Unlock()
	action, target := workspace.PrinterEdit, workspace.Target{WorkspaceID: p.WorkspaceID, PrinterID: p.ID}
	if r.Pending {
		action, target.PrinterID = workspace.PrinterCreate, "" // which is all that the 1.x plugin's token is good for
	}
	if err := s.Access.Can(ctx, actor, action, target); err != nil {
		if problem.Code(err) == "not_found" {
			return Registered{}, ErrUUIDTaken
		}
		return Registered{}, err
	}
	done := Registered{PrinterID: p.ID, UUID: r.UUID}
	if r.Pending {
		// Its device asks again: what its owner entered stays. A camera is news only where there was none.
		if len(r.Cameras) == 0 || len(p.Cameras) > 0 {
			return done, nil
		}
		var err error
		if p.Cameras, err = checkCameras(r.Cameras, nil); err != nil {
			return Registered{}, err
		}
		return done, s.store(ctx, t, p, "printer.cameras")
	}
	p.Name, p.Description, p.Pending = r.Name, r.Description, false
	if r.UUIDLogin != nil {
		p.UUIDLogin = *r.UUIDLogin
	}
	if err := s.store(ctx, t, p, "printer.complete"); err != nil {
		return Registered{}, err
	}
	s.welcome(t)
	return done, nil
}

// spend ends a log-in that is good for one registration, in the transaction of this one.
func (s *Service) spend(ctx context.Context, tx bun.Tx, actor workspace.Actor) error {
	if s.Spend == nil {
		return nil
	}
	return s.Spend(ctx, tx, actor)
}

// store writes a printer's own fields, records who did it, and tells everybody. registering is held.
func (s *Service) store(ctx context.Context, t *twin, p Printer, action string) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.save(ctx, tx, &p); err != nil {
			return err
		}
		return s.record(ctx, tx, action, &p, nil)
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.printer = p
	uuid := t.device.UUID
	tell := s.changed(t, s.now())
	t.mu.Unlock()
	tell()
	s.Bus.PrinterChanged.Publish(bus.PrinterChanged{PrinterID: p.ID, UUID: uuid, WorkspaceID: p.WorkspaceID})
	return nil
}

// welcome tells a registered device so, and everybody that the list of printers is another.
func (s *Service) welcome(t *twin) {
	t.mu.Lock()
	m := bus.PrinterChanged{PrinterID: t.printer.ID, UUID: t.device.UUID, WorkspaceID: t.printer.WorkspaceID}
	t.mu.Unlock()
	if s.Devices != nil {
		s.Devices.Promote(m.UUID)
	}
	s.sendRegistration(t)
	s.Bus.PrinterChanged.Publish(m)
}

func (s *Service) countOf(workspaceID string) int {
	n := 0
	for _, t := range s.twins() {
		t.mu.Lock()
		if t.printer.WorkspaceID == workspaceID {
			n++
		}
		t.mu.Unlock()
	}
	return n
}

// record writes to the audit log, within the transaction of the change.
func (s *Service) record(ctx context.Context, tx bun.Tx, action string, p *Printer, detail any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, tx, audit.Entry{WorkspaceID: p.WorkspaceID, Action: action,
		Target: audit.Target{Kind: "printer", ID: p.ID, Name: p.Name}, Detail: detail})
}
