package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"sync"
	"syscall"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// syncEvery is how many bytes an upload may lose when the server is killed: after so many, what came is made durable
// and counted. Less costs more: each is an fsync and a commit.
const syncEvery = 8 << 20

const pieceSize = 256 << 10

var pieces = sync.Pool{New: func() any { b := make([]byte, pieceSize); return &b }}

// writer appends to an upload's file. What is beyond row.Synced is not counted yet.
type writer struct {
	service *Service
	row     *uploadRow
	file    *os.File
	hash    hash.Hash
	at      int64 // bytes written and hashed
	head    []byte
}

// WriteChunk is tusd's: it appends what comes, and returns when that is durable. Errors: problems disk_full, not_gcode;
// then the bytes before stay, or the upload has ended.
func (u *upload) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	if u.row == nil {
		return 0, nil
	}
	u.service.locks.reads(u.row.ID)
	n, err := u.service.appendTo(context.WithoutCancel(ctx), u.row, src)
	return n, tusError(err)
}

// appendTo appends src to an upload and tells how many bytes of it are counted now.
func (s *Service) appendTo(ctx context.Context, row *uploadRow, src io.Reader) (int64, error) {
	begun := row.Synced
	w, err := s.openWriter(row)
	if err != nil {
		return 0, err
	}
	defer w.file.Close()
	err = w.copy(ctx, src)
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Status == http.StatusUnprocessableEntity { // its content
		return 0, errors.Join(err, s.drop(ctx, row.ID))
	}
	if syncErr := w.checkpoint(ctx); syncErr != nil && err == nil {
		err = syncErr
	}
	return row.Synced - begun, err
}

func (s *Service) openWriter(row *uploadRow) (*writer, error) {
	if err := s.floor(); err != nil {
		return nil, err
	}
	h, err := row.digest()
	if err != nil {
		return nil, err
	}
	how := os.O_RDWR
	if row.Synced == 0 { // the server was killed before it made the file
		how |= os.O_CREATE
	}
	f, err := os.OpenFile(s.partPath(row.ID), how, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errNoUpload // somebody cleaned up by hand
	}
	if err != nil {
		return nil, fmt.Errorf("open an upload: %w", err)
	}
	// What a killed server left beyond what it counted may be anything after a power cut.
	if err := f.Truncate(row.Synced); err != nil {
		return nil, errors.Join(fmt.Errorf("cut an upload: %w", err), f.Close())
	}
	if _, err := f.Seek(row.Synced, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("go on with an upload: %w", err), f.Close())
	}
	return &writer{service: s, row: row, file: f, hash: h, at: row.Synced}, nil
}

func (w *writer) copy(ctx context.Context, src io.Reader) error {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	src = io.LimitReader(src, w.row.Size-w.at)
	for {
		n, err := src.Read(*piece)
		if n > 0 {
			if err := w.write((*piece)[:n]); err != nil {
				return err
			}
			if w.at-w.row.Synced >= syncEvery {
				if err := w.checkpoint(ctx); err != nil {
					return err
				}
				if err := w.service.floor(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read an upload: %w", err)
		}
	}
}

func (w *writer) write(b []byte) error {
	if w.at < headSize { // what it is shows at its beginning
		if len(w.head) == 0 && w.at > 0 {
			w.head = make([]byte, w.at)
			if _, err := w.file.ReadAt(w.head, 0); err != nil {
				return fmt.Errorf("read an upload: %w", err)
			}
		}
		w.head = append(w.head, b...)
		if err := checkHead(w.row.Name, w.head, int64(len(w.head)) >= w.row.Size); err != nil {
			return err
		}
	}
	if kindOf(w.row.Name) == KindText && bytes.IndexByte(b, 0) >= 0 {
		return errBinary
	}
	n, err := w.file.Write(b)
	w.hash.Write(b[:n])
	w.at += int64(n)
	if errors.Is(err, syscall.ENOSPC) {
		return errDiskFull
	}
	if err != nil {
		return fmt.Errorf("write an upload: %w", err)
	}
	return nil
}

// checkpoint makes durable what was written, and counts it.
func (w *writer) checkpoint(ctx context.Context) error {
	state, err := digestState(w.hash)
	if err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("make an upload durable: %w", err)
	}
	now := w.service.now().UnixMilli()
	err = w.service.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*uploadRow)(nil)).Set("synced = ?", w.at).Set("hash = ?", state).Set("used_at = ?", now).
			Where("id = ?", w.row.ID).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("count an upload: %w", err)
	}
	w.row.Synced, w.row.Hash, w.row.UsedAt = w.at, state, now
	return nil
}
