package printer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/wire"
	"github.com/klauspost/compress/zstd"
	"github.com/uptrace/bun"
)

type filesRow struct {
	bun.BaseModel `bun:"table:device_files,alias:f"`
	PrinterID     string `bun:",pk"`
	At            int64
	Data          []byte
}

// A tree of 5,000 files is 600 KB of JSON and 60 KB compressed. One coder each serves all printers: trees come rarely.
var (
	compress = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	})
	expand = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*wire.MaxFiles))
	})
)

// Files takes a device's own file tree. Errors: ErrInvalid; others mean that it could not be stored.
func (s *Service) Files(ctx context.Context, id Identity, payload []byte, at time.Time) error {
	tree, err := wire.DecodeFiles(payload)
	if err != nil {
		s.count.files.invalid.Inc()
		return ErrInvalid
	}
	t := s.twinByID(id.PrinterID)
	if t == nil {
		return nil
	}
	t.mu.Lock()
	gone := t.gone || t.device.ID != id.ID
	t.lastSeen = at
	t.mu.Unlock()
	if gone {
		return nil
	}
	b, err := json.Marshal(tree)
	if err != nil {
		return ErrInvalid
	}
	enc, err := compress()
	if err != nil {
		return err
	}
	row := filesRow{PrinterID: id.PrinterID, At: at.UnixMilli(), Data: enc.EncodeAll(b, nil)}
	err = s.DB.History.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (printer_id) DO UPDATE").
			Set("at = EXCLUDED.at").Set("data = EXCLUDED.data").Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	s.count.files.stored.Inc()
	news, err := json.Marshal(struct {
		At time.Time `json:"at"`
	}{at.UTC()})
	if err != nil {
		return err
	}
	s.Bus.DeviceFiles.Publish(bus.DeviceFiles{PrinterID: id.PrinterID, UUID: id.UUID, JSON: news})
	return nil
}

// FileTree is a device's own files as the API shows them.
type FileTree struct {
	At      *time.Time        `json:"at" doc:"When the device said so; null: it never did"`
	Local   []wire.DeviceFile `json:"local"`
	SDCard  []wire.DeviceFile `json:"sdcard"`
	Omitted int               `json:"omitted" doc:"Files that are not in these lists"`
}

// FileTree gives what a printer's device last said of its files.
func (s *Service) FileTree(ctx context.Context, printerID string) (FileTree, error) {
	none := FileTree{Local: []wire.DeviceFile{}, SDCard: []wire.DeviceFile{}}
	row := filesRow{PrinterID: printerID}
	err := s.DB.History.Read.NewSelect().Model(&row).WherePK().Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	dec, err := expand()
	if err != nil {
		return none, err
	}
	b, err := dec.DecodeAll(row.Data, nil)
	if err != nil {
		return none, err
	}
	var tree wire.Files
	if err := json.Unmarshal(b, &tree); err != nil {
		return none, err
	}
	return FileTree{At: moment(fromMillis(row.At)), Local: tree.Local, SDCard: tree.SDCard, Omitted: tree.Omitted}, nil
}
