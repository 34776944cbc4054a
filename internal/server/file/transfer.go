package file

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// TokenAge is how long after its last use a device's token for one file ends.
const TokenAge = time.Hour

// Direction is which way a file goes.
type Direction string

// The directions.
const (
	ToPrinter Direction = "to_printer"
	ToLibrary Direction = "to_library"
)

// Codes of failed transfers that the server itself gives; others are the device's, see wire.Transfer.
const (
	codeCancelled = "cancelled"
	codeAbandoned = "abandoned" // the device has not been heard of for TokenAge
	codeTimeout   = "no_answer" // the published plugin said nothing
	codeRefused   = "refused"   // the device did not take the command
	codeOffline   = "device_offline"
)

// Transfer is a file on its way between the library and a printer's device.
type Transfer struct {
	ID        string             `json:"id"`
	Direction Direction          `json:"direction" enum:"to_printer,to_library"`
	FileID    string             `json:"file_id,omitempty" doc:"In the library; may be deleted since"`
	Name      string             `json:"name"`
	Target    string             `json:"target" enum:"local,sdcard" doc:"Where on the device"`
	Path      string             `json:"path,omitempty" doc:"On the device, once it is there"`
	Print     bool               `json:"print" doc:"It is to be printed"`
	Stage     wire.TransferStage `json:"stage" enum:"waiting,fetching,checking,uploading,starting,done,failed"`
	Bytes     int64              `json:"bytes" doc:"Of this stage so far"`
	Total     int64              `json:"total" doc:"Of this stage; 0: not known"`
	Code      string             `json:"code,omitempty" doc:"Why it failed"`
	Message   string             `json:"message,omitempty" doc:"Why it failed, in English"`
	By        Uploader           `json:"by"`
	CreatedAt time.Time          `json:"created_at"`
	UpdatedAt time.Time          `json:"updated_at"`
	EndedAt   *time.Time         `json:"ended_at,omitempty"`
}

type transferRow struct {
	bun.BaseModel `bun:"table:file_transfers,alias:t"`
	ID            string `bun:",pk"`
	PrinterID     string
	WorkspaceID   string
	Device        string
	Direction     Direction
	FileID        string
	Name          string
	Folder        string
	Origin        string
	Path          string
	Size          int64
	SHA256        string `bun:"sha256"`
	Print         bool
	Token         string
	UsedAt        int64
	Click         string
	Stage         wire.TransferStage
	Bytes         int64
	Total         int64
	Code          string
	Message       string
	UserID        string
	UserName      string
	CreatedAt     int64
	UpdatedAt     int64
	EndedAt       *int64
}

func (r *transferRow) transfer() Transfer {
	t := Transfer{ID: r.ID, Direction: r.Direction, FileID: r.FileID, Name: r.Name, Target: r.Origin, Path: r.Path, Print: r.Print,
		Stage: r.Stage, Bytes: r.Bytes, Total: r.Total, Code: r.Code, Message: r.Message, By: Uploader{r.UserID, r.UserName},
		CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), UpdatedAt: time.UnixMilli(r.UpdatedAt).UTC()}
	if r.EndedAt != nil {
		at := time.UnixMilli(*r.EndedAt).UTC()
		t.EndedAt = &at
	}
	return t
}

// newTransfer makes a row for what the context's actor asked for, with a token for the device.
func (s *Service) newTransfer(ctx context.Context, p *Printer, uuidOf string, d Direction, click string) (row *transferRow, token string) {
	actor, _ := workspace.ActorFrom(ctx)
	var secret [32]byte
	rand.Read(secret[:])
	token = base64.RawURLEncoding.EncodeToString(secret[:])
	now := s.now().UnixMilli()
	return &transferRow{ID: uuid.Must(uuid.NewV7()).String(), PrinterID: p.ID, Device: uuidOf, Direction: d, Token: hashToken(token), Click: click,
		UsedAt: now, Stage: wire.TransferWaiting, UserID: actor.UserID, UserName: actor.Name, CreatedAt: now, UpdatedAt: now}, token
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// insertTransfer writes a transfer down. While one is to be printed there is no other one to be printed: it would begin
// when the first print is over, whoever wanted that one, on a bed that nobody has cleared. Errors: errUnderWay.
func (s *Service) insertTransfer(ctx context.Context, row *transferRow) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if row.Print {
			another, err := tx.NewSelect().Model((*transferRow)(nil)).Where("printer_id = ? AND print AND ended_at IS NULL", row.PrinterID).Exists(ctx)
			if err != nil {
				return err
			}
			if another {
				return errUnderWay
			}
		}
		_, err := tx.NewInsert().Model(row).Exec(ctx)
		return err
	})
	if err == nil {
		s.moved.store(row.PrinterID, row.transfer())
		s.tell(row)
	}
	return err
}

// clicked gives the transfer that a click has begun already; nil: none.
func (s *Service) clicked(ctx context.Context, printerID, click string) (*transferRow, error) {
	if click == "" {
		return nil, nil
	}
	actor, _ := workspace.ActorFrom(ctx)
	var rows []*transferRow
	err := s.DB.Read.NewSelect().Model(&rows).Where("printer_id = ? AND user_id = ? AND click = ?", printerID, actor.UserID, click).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// tell has those who look hear of a transfer.
func (s *Service) tell(row *transferRow) {
	b, err := json.Marshal(row.transfer())
	if err == nil {
		s.Bus.TransferChanged.Publish(bus.TransferChanged{PrinterID: row.PrinterID, UUID: row.Device, JSON: b})
	}
}

// maxTransfers is how many of a printer's transfers are kept and shown.
const maxTransfers = 50

// Transfers gives a printer's transfers, the newest first.
func (s *Service) Transfers(ctx context.Context, printerID string) ([]Transfer, error) {
	var rows []*transferRow
	err := s.DB.Read.NewSelect().Model(&rows).Where("printer_id = ?", printerID).Order("created_at DESC", "id DESC").Limit(maxTransfers).Scan(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Transfer, 0, len(rows))
	for _, row := range rows {
		t := row.transfer()
		if live, ok := s.moved.load(row.ID); ok && row.EndedAt == nil {
			t.Bytes, t.Total, t.UpdatedAt = live.Bytes, live.Total, live.UpdatedAt
		}
		list = append(list, t)
	}
	return list, nil
}

// report is how far a transfer is, by its device or by the server itself.
type report struct {
	stage wire.TransferStage
	bytes int64
	total int64
	path  string
	code  string
	words string
}

// advance takes a report. What has ended stays so, but for one that was cancelled too late: the truth counts. Progress
// within a stage goes to those who look; stages and ends go to the disk.
func (s *Service) advance(ctx context.Context, id string, r report) error {
	s.advancing.Lock()
	defer s.advancing.Unlock()
	row := &transferRow{ID: id}
	if err := s.DB.Read.NewSelect().Model(row).WherePK().Scan(ctx); err != nil {
		return err
	}
	if row.EndedAt != nil && !(row.Code == codeCancelled && r.stage == wire.TransferDone) {
		return nil
	}
	now := s.now()
	same := row.Stage == r.stage && r.path == "" && r.code == ""
	row.Stage, row.Bytes, row.Total, row.UpdatedAt = r.stage, r.bytes, r.total, now.UnixMilli()
	row.Code, row.Message = r.code, r.words
	if r.path != "" {
		row.Path = r.path
	}
	if !same {
		if r.stage == wire.TransferDone || r.stage == wire.TransferFailed {
			at := now.UnixMilli()
			row.EndedAt, row.Token = &at, ""
		}
		err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model(row).Column("stage", "bytes", "total", "path", "code", "message", "updated_at", "ended_at", "token").WherePK().Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	if row.EndedAt != nil {
		s.moved.forget(row.PrinterID, id)
		s.ended(ctx, row)
		if row.Direction == ToLibrary && r.stage == wire.TransferFailed {
			s.dropLater()
		}
		s.over.tell(id)
	} else {
		s.moved.store(row.PrinterID, row.transfer())
	}
	s.tell(row)
	return nil
}

// Current gives the file that is on its way to a printer, or from it; false: none is.
func (s *Service) Current(printerID string) (Transfer, bool) { return s.moved.current(printerID) }

// recall takes up the transfers that were under way when the server ended.
func (s *Service) recall(ctx context.Context) error {
	var rows []*transferRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("ended_at IS NULL").Scan(ctx); err != nil {
		return fmt.Errorf("read the transfers: %w", err)
	}
	for _, row := range rows {
		s.moved.store(row.PrinterID, row.transfer())
	}
	return nil
}

func (s *Service) fail(ctx context.Context, id, code, words string) {
	if err := s.advance(context.WithoutCancel(ctx), id, report{stage: wire.TransferFailed, code: code, words: words}); err != nil {
		s.log.Error("the end of a transfer was not kept", "transfer", id, "error", err)
	}
}

// dropLater removes what came of a transfer that failed, once whoever works on it has seen that: it takes room of the
// library.
func (s *Service) dropLater() {
	s.work.Go(func(ctx context.Context) { // while the server stops: at the next start
		if err := s.dropEnded(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("what came of a transfer could not be removed", "error", err)
		}
	})
}

// Progress takes what a device says of a transfer of its own. Errors: ErrInvalid; others mean that it could not be stored.
func (s *Service) Progress(ctx context.Context, printerID string, payload []byte) error {
	var m wire.Transfer
	if len(payload) > wire.MaxSmall || json.Unmarshal(payload, &m) != nil || m.ID == "" || m.Bytes < 0 || m.Total < 0 || !m.Stage.Valid() {
		return ErrInvalid
	}
	row := &transferRow{ID: m.ID}
	err := s.DB.Read.NewSelect().Model(row).WherePK().Scan(ctx)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("read a transfer: %w", err)
	case err != nil || row.PrinterID != printerID:
		return ErrInvalid // it may be of before a removal: never to be taken
	case row.Direction == ToLibrary && m.Stage == wire.TransferDone:
		return nil // the server itself knows what has come into the library
	}
	r := report{stage: m.Stage, bytes: m.Bytes, total: m.Total}
	if m.Total > 0 {
		r.bytes = min(m.Bytes, m.Total)
	}
	r.path, _ = wire.CleanText(m.Path, wire.MaxPath)
	if m.Stage == wire.TransferFailed {
		if r.code, _ = wire.CleanText(m.Code, 40); r.code == "" {
			r.code = "failed"
		}
		r.words, _ = wire.CleanText(m.Message, 300)
	}
	return s.advance(ctx, m.ID, r)
}

var (
	errNoTransfer = problem.New(http.StatusNotFound, "no_transfer", "There is no such transfer.")
	errEnded      = problem.New(http.StatusConflict, "already_ended", "This transfer has ended already.")
)

// Cancel ends a transfer that the context's actor may control. What the device has begun with OctoPrint goes on.
func (s *Service) Cancel(ctx context.Context, deviceUUID, id string) error {
	printerID, _, err := s.Printers.Authorize(ctx, deviceUUID, workspace.PrinterControl)
	if err != nil {
		return err
	}
	row := &transferRow{ID: id}
	if err := s.DB.Read.NewSelect().Model(row).WherePK().Scan(ctx); err != nil || row.PrinterID != printerID {
		return errNoTransfer
	}
	if row.EndedAt != nil {
		return errEnded
	}
	return s.advance(context.WithoutCancel(ctx), id, report{stage: wire.TransferFailed, code: codeCancelled, words: "Somebody ended it."})
}
