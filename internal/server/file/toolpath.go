package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/klauspost/compress/gzip"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// maxToolpath is the largest file that is drawn: at 200 MB/s a page waits some seconds for it.
const maxToolpath = 512 << 20 // bytes

var errNotDrawn = problem.New(http.StatusUnprocessableEntity, "too_large", "The file is too large to be drawn.")

// toolpathPath is where the way of a file's nozzle lies, gzipped, once somebody has looked at it.
func (s *Service) toolpathPath(id string) string { return s.contentPath(id) + ".toolpath" }

// serveToolpath answers GET /files/{id}/toolpath. It is drawn at the first look, and kept.
func (s *Service) serveToolpath(w http.ResponseWriter, r *http.Request, id string) {
	row, err := s.authorize(r.Context(), id, workspace.FileView)
	if err == nil && row.Size > maxToolpath {
		err = errNotDrawn
	}
	if err == nil {
		err = s.works.do(r.Context(), s.toolpathPath(id), func() error { return s.needToolpath(r.Context(), row) })
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	f, err := os.Open(s.toolpathPath(id))
	if err != nil {
		s.refuse(w, fmt.Errorf("open a tool path: %w", err))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		s.refuse(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Encoding", "gzip") // every browser takes it, and no other asks
	h.Set("ETag", `"`+row.SHA256[:32]+`-`+gcode.ToolpathMagic+`"`)
	h.Set("Cache-Control", "private, max-age=86400")
	http.ServeContent(&patient{ResponseWriter: w}, r, "", info.ModTime(), f)
}

func (s *Service) needToolpath(ctx context.Context, row *fileRow) error {
	to := s.toolpathPath(row.ID)
	if drawn, err := isToolpath(to); drawn || err != nil {
		return err
	}
	if err := s.floor(); err != nil {
		return err
	}
	err := s.derive(row.ID, to, func(in *os.File, out io.Writer) error {
		zipped, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(zipped, pieceSize)
		if err := gcode.Toolpath(ctx, in, w, 0); err != nil {
			return err
		}
		return errors.Join(w.Flush(), zipped.Close())
	})
	if err == nil {
		return nil
	}
	if why, ok := errors.AsType[*gcode.Error](err); ok {
		return problem.New(http.StatusUnprocessableEntity, string(why.Code), why.Detail)
	}
	return fmt.Errorf("draw a tool path: %w", err)
}

// isToolpath says whether a tool path lies there in the form that this program writes: an earlier one wrote another.
func isToolpath(path string) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return false, nil
	}
	magic := make([]byte, len(gcode.ToolpathMagic))
	_, err = io.ReadFull(unzipped, magic)
	return err == nil && string(magic) == gcode.ToolpathMagic, nil
}
