package printer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/uptrace/bun"
)

// A printer goes to another account only as its owner wants it: he offers it and gets a code, and whoever enters the
// code takes it over, with its device and its whole past.

// transferLife is how long an offer stands.
const transferLife = 24 * time.Hour

// Offer is a printer's transfer that its owner has begun.
type Offer struct {
	Code      string // only in the answer to its beginning
	ExpiresAt time.Time
}

type transferRow struct {
	bun.BaseModel `bun:"table:transfers,alias:x"`
	PrinterID     string `bun:",pk"`
	Hash          string
	OfferedBy     string
	Offerer       string
	CreatedAt     int64
	ExpiresAt     int64
}

var (
	errTransferCode = problem.Field("transfer_invalid", "code", "This code is wrong, was used or withdrawn, or is older than a day. Ask the printer's owner for a new one.")
	errTransferHere = problem.New(409, "transfer_same", "This printer is here already.")
)

// crockford has no letter that looks like a digit.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newTransferCode makes a code of 80 random bits: nobody guesses one, however often he tries.
func newTransferCode() string {
	var b [10]byte
	rand.Read(b[:]) // never fails
	c := crockford.EncodeToString(b[:])
	return c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:]
}

// transferHash forgives how a code is typed: small letters, spaces, dashes, and letters that look like digits.
func transferHash(code string) string {
	tidy := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	sum := sha256.Sum256([]byte(tidy))
	return hex.EncodeToString(sum[:])
}

// Offer begins a transfer; one that was begun before ends. Errors: problems not_found, not_allowed.
func (s *Service) Offer(ctx context.Context, uuid string) (Offer, error) {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterRemove)
	if err != nil {
		return Offer{}, err
	}
	actor, _ := workspace.ActorFrom(ctx)
	p, now := t.own(), s.now()
	o := Offer{Code: newTransferCode(), ExpiresAt: now.Add(transferLife).UTC().Truncate(time.Millisecond)}
	row := transferRow{PrinterID: p.ID, Hash: transferHash(o.Code), OfferedBy: actor.UserID, Offerer: actor.Name, CreatedAt: now.UnixMilli(), ExpiresAt: o.ExpiresAt.UnixMilli()}
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (printer_id) DO UPDATE").Set("hash = EXCLUDED.hash").
			Set("offered_by = EXCLUDED.offered_by").Set("offerer = EXCLUDED.offerer").Set("created_at = EXCLUDED.created_at").Set("expires_at = EXCLUDED.expires_at").Exec(ctx)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, "printer.offer", &p, nil)
	})
	return o, err
}

// Offered gives the transfer that is under way, without its code; nil: there is none. Errors: problems not_found,
// not_allowed.
func (s *Service) Offered(ctx context.Context, uuid string) (*Offer, error) {
	t, err := s.find(ctx, uuid, workspace.PrinterRemove)
	if err != nil {
		return nil, err
	}
	var row transferRow
	err = s.DB.Read.NewSelect().Model(&row).Where("printer_id = ?", t.own().ID).Where("expires_at > ?", s.now().UnixMilli()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a transfer: %w", err)
	}
	return &Offer{ExpiresAt: fromMillis(row.ExpiresAt)}, nil
}

// Withdraw ends a transfer, where there is one. Errors: problems not_found, not_allowed.
func (s *Service) Withdraw(ctx context.Context, uuid string) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	t, err := s.find(ctx, uuid, workspace.PrinterRemove)
	if err != nil {
		return err
	}
	p := t.own()
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewDelete().Model((*transferRow)(nil)).Where("printer_id = ?", p.ID).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "printer.withdraw", &p, nil)
	})
}

// Accept takes a printer over that its owner has offered, into the actor's own workspace, and gives its UUID and a new
// token for its device. What the former owner knows or kept is good for nothing then: the old token has ended, and the
// addresses of cameras, which may hold passwords of his network, are emptied. Whoever saw the printer by the workspace
// that it left sees it no more. Errors: problems transfer_invalid, transfer_same, too_many_printers.
func (s *Service) Accept(ctx context.Context, code string) (uuid, token string, err error) {
	actor, err := workspace.RequireUser(ctx)
	if err != nil {
		return "", "", err
	}
	own, err := s.Access.Personal(ctx, actor.UserID)
	if err != nil {
		return "", "", err
	}
	s.registering.Lock()
	defer s.registering.Unlock()
	if s.countOf(own.ID) >= s.MaxPrinters {
		return "", "", ErrTooMany
	}
	token, hash := newToken()
	var before, p Printer
	var t *twin
	err = s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var row transferRow
		err := tx.NewSelect().Model(&row).Where("hash = ?", transferHash(code)).Where("expires_at > ?", s.now().UnixMilli()).Scan(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return errTransferCode
		}
		if err != nil {
			return fmt.Errorf("read a transfer: %w", err)
		}
		if t = s.twinByID(row.PrinterID); t == nil {
			return errTransferCode
		}
		before = t.own()
		if err := s.stillOffered(ctx, &row, &before); err != nil {
			return err
		}
		if before.WorkspaceID == own.ID {
			return errTransferHere
		}
		p = before
		p.WorkspaceID, p.Cameras = own.ID, withoutAddresses(before.Cameras)
		if _, err := tx.NewDelete().Model(&row).WherePK().Exec(ctx); err != nil {
			return err
		}
		return s.moveTo(ctx, tx, t, &before, &p, hash, row.Offerer)
	})
	if err != nil {
		return "", "", err
	}
	return s.moved(t, &before, &p, hash, own), token, nil
}

func withoutAddresses(list []Camera) []Camera {
	kept := slices.Clone(list)
	for i := range kept {
		kept[i].StreamURL = ""
	}
	return kept
}

// stillOffered answers whether who offered a printer may still give it away.
func (s *Service) stillOffered(ctx context.Context, row *transferRow, p *Printer) error {
	by := workspace.Actor{UserID: row.OfferedBy, Via: workspace.ViaSession}
	err := s.Access.Can(ctx, by, workspace.PrinterRemove, workspace.Target{WorkspaceID: p.WorkspaceID, PrinterID: p.ID})
	if p.Disabled || problem.Code(err) != "" {
		return errTransferCode
	}
	return err
}

// moveTo writes what a printer is in its new workspace, and says so in the audit of both.
func (s *Service) moveTo(ctx context.Context, tx bun.Tx, t *twin, before, after *Printer, tokenHash []byte, offeredBy string) error {
	if err := s.save(ctx, tx, after); err != nil {
		return err
	}
	t.mu.Lock()
	device := t.device.ID
	t.mu.Unlock()
	if _, err := tx.NewUpdate().Table("devices").Set("token_hash = ?", tokenHash).Where("id = ?", device).Exec(ctx); err != nil {
		return err
	}
	actor, _ := workspace.ActorFrom(ctx)
	if err := s.record(ctx, tx, "printer.left", before, map[string]string{"to": actor.Name}); err != nil {
		return err
	}
	return s.record(ctx, tx, "printer.accept", after, map[string]string{"from": offeredBy})
}

// moved does in memory what moveTo did on disk, tells those on both sides, and sends the device off, which has to come
// back with its new token.
func (s *Service) moved(t *twin, before, after *Printer, tokenHash []byte, to workspace.Workspace) (uuid string) {
	s.learnNames([]workspace.Workspace{to})
	t.mu.Lock()
	t.printer, t.device.TokenHash = *after, tokenHash
	uuid = t.device.UUID
	tell := s.changed(t, s.now())
	t.mu.Unlock()
	tell()
	s.endDevice(uuid)
	s.log.Info("printer moved to another account", "printer", after.ID, "uuid", uuid, "workspace", after.WorkspaceID)
	for _, id := range []string{before.WorkspaceID, after.WorkspaceID} {
		s.Bus.PrinterChanged.Publish(bus.PrinterChanged{PrinterID: after.ID, UUID: uuid, WorkspaceID: id})
	}
	return uuid
}
