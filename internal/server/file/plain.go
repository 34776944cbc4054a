package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// content is what a printer gets of a file.
type content struct {
	path   string
	name   string
	size   int64
	sha256 string
}

// plainPath is where binary G-code lies once more as text.
func (s *Service) plainPath(id string) string { return s.contentPath(id) + ".text" }

// plainOf gives a file as OctoPrint can print it: binary G-code is turned into text once, which stays beside it.
func (s *Service) plainOf(ctx context.Context, row *fileRow) (content, error) {
	c := content{path: s.contentPath(row.ID), name: row.Name, size: row.Size, sha256: row.SHA256}
	if row.Kind != KindBinary {
		return c, nil
	}
	base, _ := wire.SplitExtension(row.Name)
	c.name, c.path = cutBytes(base, wire.MaxFileName-len(".gcode"))+".gcode", s.plainPath(row.ID)
	err := s.works.do(ctx, c.path, func() (err error) {
		if _, err := os.Stat(c.path); errors.Is(err, os.ErrNotExist) {
			if err := s.convert(ctx, row, c.path); err != nil {
				return err
			}
		}
		c.size, c.sha256, err = s.plainSum(row.ID, c.path)
		return err
	})
	return c, err
}

// plainSum sums a text up, unless that was done before.
func (s *Service) plainSum(id, path string) (size int64, sha256sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, "", err
	}
	s.sumsMu.Lock()
	sum, ok := s.plainSums[id]
	s.sumsMu.Unlock()
	if ok && sum.size == info.Size() && sum.at.Equal(info.ModTime()) {
		return sum.size, sum.sha256, nil
	}
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	sum = plainSum{size, info.ModTime(), hex.EncodeToString(h.Sum(nil))}
	s.sumsMu.Lock()
	defer s.sumsMu.Unlock()
	if s.plainSums == nil || len(s.plainSums) >= maxPlainSums {
		s.plainSums = map[string]plainSum{}
	}
	s.plainSums[id] = sum
	return sum.size, sum.sha256, nil
}

// plainSum is what is known of a file's text: 2 GB of it take seconds to be summed up.
type plainSum struct {
	size   int64
	at     time.Time
	sha256 string
}

const maxPlainSums = 1000

// convert writes binary G-code as text.
func (s *Service) convert(ctx context.Context, row *fileRow, to string) error {
	if err := s.floor(); err != nil {
		return err
	}
	t, err := takenBy(ctx, s.DB.Read, row.WorkspaceID)
	if err != nil {
		return err
	}
	left, err := s.left(ctx, s.DB.Read, row.WorkspaceID, t)
	if err != nil {
		return err
	}
	err = s.derive(row.ID, to, func(in *os.File, out io.Writer) error {
		// A file of a few KB can become 2 GB of text, so that counts, too.
		room := &bounded{w: out, left: MaxSize, full: errTooLarge, floor: s.floor}
		if left < MaxSize {
			room.left, room.full = left, errQuota
		}
		return gcode.ToText(ctx, in, room)
	})
	if err == nil {
		return nil
	}
	if why, ok := errors.AsType[*gcode.Error](err); ok {
		return problem.New(http.StatusConflict, "file_refused", "This file should not be printed: "+why.Detail)
	}
	return fmt.Errorf("turn binary G-code into text: %w", err)
}

// bounded ends what grows beyond the size of a file, or beyond the room on the disk.
type bounded struct {
	w       io.Writer
	left    int64
	full    error
	checked int64
	floor   func() error
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, b.full
	}
	if b.checked += int64(len(p)); b.checked >= syncEvery {
		b.checked = 0
		if err := b.floor(); err != nil {
			return 0, err
		}
	}
	return b.w.Write(p)
}
