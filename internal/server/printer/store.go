package printer

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

type printerRow struct {
	bun.BaseModel `bun:"table:printers,alias:p"`
	ID            string `bun:",pk"`
	WorkspaceID   string
	Name          string
	Description   string
	Pending       bool
	UUIDLogin     bool `bun:"uuid_login"`
	Disabled      bool
	Cameras       string
	UplinkKbps    int
	SeenJob       string
	CreatedAt     int64
}

type deviceRow struct {
	bun.BaseModel `bun:"table:devices,alias:d"`
	ID            string `bun:",pk"`
	PrinterID     string
	UUID          string `bun:"uuid"`
	TokenHash     []byte
	Registered    bool
	CreatedAt     int64
	ReplacedAt    *int64
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (r *printerRow) printer() (Printer, error) {
	p := Printer{ID: r.ID, WorkspaceID: r.WorkspaceID, Name: r.Name, Description: r.Description, Pending: r.Pending,
		UUIDLogin: r.UUIDLogin, Disabled: r.Disabled, UplinkKbps: r.UplinkKbps, SeenJob: r.SeenJob, CreatedAt: fromMillis(r.CreatedAt)}
	if err := json.Unmarshal([]byte(r.Cameras), &p.Cameras); err != nil {
		return p, fmt.Errorf("cameras of printer %s: %w", r.ID, err)
	}
	return p, nil
}

func rowOf(p *Printer) (*printerRow, error) {
	cameras := p.Cameras
	if cameras == nil {
		cameras = []Camera{}
	}
	b, err := json.Marshal(cameras)
	if err != nil {
		return nil, err
	}
	return &printerRow{ID: p.ID, WorkspaceID: p.WorkspaceID, Name: p.Name, Description: p.Description, Pending: p.Pending,
		UUIDLogin: p.UUIDLogin, Disabled: p.Disabled, Cameras: string(b), UplinkKbps: p.UplinkKbps, SeenJob: p.SeenJob, CreatedAt: p.CreatedAt.UnixMilli()}, nil
}

func (r *deviceRow) device() Device {
	d := Device{ID: r.ID, PrinterID: r.PrinterID, UUID: r.UUID, TokenHash: r.TokenHash, Registered: r.Registered, CreatedAt: fromMillis(r.CreatedAt)}
	if r.ReplacedAt != nil {
		d.ReplacedAt = fromMillis(*r.ReplacedAt)
	}
	return d
}

func deviceRowOf(d *Device) *deviceRow {
	return &deviceRow{ID: d.ID, PrinterID: d.PrinterID, UUID: d.UUID, TokenHash: d.TokenHash, Registered: d.Registered, CreatedAt: d.CreatedAt.UnixMilli()}
}

// load reads every printer with its device in use, and what was last known of it.
func (s *Service) load(ctx context.Context) error {
	var printers []printerRow
	if err := s.DB.Read.NewSelect().Model(&printers).Scan(ctx); err != nil {
		return err
	}
	var devices []deviceRow
	if err := s.DB.Read.NewSelect().Model(&devices).Where("replaced_at IS NULL").Scan(ctx); err != nil {
		return err
	}
	byPrinter := make(map[string]*deviceRow, len(devices))
	for i := range devices {
		byPrinter[devices[i].PrinterID] = &devices[i]
	}
	s.all = make([]*twin, 0, len(printers))
	for i := range printers {
		p, err := printers[i].printer()
		if err != nil {
			return err
		}
		d := byPrinter[p.ID]
		if d == nil {
			return fmt.Errorf("printer %s has no device", p.ID)
		}
		t := newTwin(p, d.device())
		s.byID[p.ID], s.byUUID[d.UUID] = t, t
		s.all = append(s.all, t)
	}
	last, err := s.Jobs.Last(ctx)
	if err != nil {
		return err
	}
	for _, j := range last {
		if t := s.byID[j.PrinterID]; t != nil {
			t.noteJob(j)
		}
	}
	return s.restore(ctx)
}

// wasDevice tells whether a token belongs to a device that was replaced or whose printer was removed.
func (s *Service) wasDevice(ctx context.Context, uuid string, hash []byte) (bool, error) {
	var rows []deviceRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("uuid = ?", uuid).OrderExpr("created_at DESC").Limit(10).Scan(ctx); err != nil {
		return false, err
	}
	for i := range rows {
		if len(rows[i].TokenHash) > 0 && subtle.ConstantTimeCompare(hash, rows[i].TokenHash) == 1 {
			return true, nil
		}
	}
	return false, nil
}

// save writes a printer's own fields.
func (s *Service) save(ctx context.Context, tx bun.Tx, p *Printer) error {
	row, err := rowOf(p)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model(row).WherePK().Exec(ctx)
	return err
}
