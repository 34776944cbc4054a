package file

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// A device gets and gives files over HTTP, with its own UUID and token (Basic) and a token in the path that is good for
// one file, one device, and an hour after its last use.

// ErrInvalid says that what a device sent will never be acceptable: acknowledge it, so that it does not come again.
var ErrInvalid = errors.New("invalid message about a transfer")

var errToken = problem.New(http.StatusGone, "token_ended", "This transfer has ended.")

// deviceTransfer gives the transfer that a device comes with a token for.
func (s *Service) deviceTransfer(r *http.Request, d Direction) (*transferRow, error) {
	deviceUUID, password, ok := r.BasicAuth()
	if !ok {
		return nil, problem.ErrNotSignedIn
	}
	printerID, err := s.Printers.DeviceLogin(r.Context(), deviceUUID, password)
	if err != nil {
		return nil, problem.ErrNotSignedIn
	}
	row := &transferRow{}
	err = s.DB.Read.NewSelect().Model(row).Where("token = ?", hashToken(r.PathValue("token"))).Scan(r.Context())
	switch {
	case err != nil || row.Token == "" || row.PrinterID != printerID || row.Device != deviceUUID || row.Direction != d || row.EndedAt != nil:
		return nil, errToken
	case s.now().UnixMilli()-row.UsedAt > TokenAge.Milliseconds():
		return nil, errToken
	}
	if err := s.stillWanted(r.Context(), row); err != nil {
		return nil, err
	}
	return row, s.use(r.Context(), row)
}

// stillWanted asks whether whoever wanted a transfer may still have it: a printer that has gone to another account takes
// no orders of its former owner's any more, and brings him no files. Errors: errToken.
func (s *Service) stillWanted(ctx context.Context, row *transferRow) error {
	p, err := s.describe1(ctx, row.Device)
	if err != nil {
		return err
	}
	by := workspace.Actor{UserID: row.UserID, Name: row.UserName, Via: workspace.ViaSession}
	library := workspace.FileView
	if row.Direction == ToLibrary {
		library = workspace.FileEdit
	}
	err = s.Access.Can(ctx, by, workspace.PrinterControl, workspace.Target{WorkspaceID: p.WorkspaceID, PrinterID: p.ID})
	if err == nil {
		err = s.Access.Can(ctx, by, library, workspace.Target{WorkspaceID: row.WorkspaceID})
	}
	if problem.Code(err) != "" {
		return errToken
	}
	return err
}

// use has the token's hour begin anew. Once a minute is enough.
func (s *Service) use(ctx context.Context, row *transferRow) error {
	now := s.now().UnixMilli()
	if now-row.UsedAt < 60_000 {
		return nil
	}
	row.UsedAt = now
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*transferRow)(nil)).Set("used_at = ?", now).Where("id = ?", row.ID).Exec(ctx)
		return err
	})
}

// serveFetch answers GET /api/device/files/{token}, with Range.
func (s *Service) serveFetch(w http.ResponseWriter, r *http.Request) {
	t, err := s.deviceTransfer(r, ToPrinter)
	if err != nil {
		s.refuse(w, err)
		return
	}
	row, err := s.find(r.Context(), s.DB.Read, t.FileID)
	if err != nil {
		s.refuse(w, errToken)
		return
	}
	if row.SHA256 != t.SHA256 { // it was turned into text
		row.SHA256 = t.SHA256
		s.servePath(w, r, row, s.plainPath(row.ID))
	} else {
		s.servePath(w, r, row, s.contentPath(row.ID))
	}
	if err := s.use(context.WithoutCancel(r.Context()), t); err != nil {
		s.log.Warn("the use of a token was not kept", "error", err)
	}
}

// serveOffset answers HEAD /api/device/files/{token}: how much of a file that the device sends has come.
func (s *Service) serveOffset(w http.ResponseWriter, r *http.Request) {
	t, err := s.deviceTransfer(r, ToLibrary)
	if err != nil {
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok {
			p = problem.New(http.StatusInternalServerError, "internal", "")
		}
		w.WriteHeader(p.Status)
		return
	}
	up := &uploadRow{ID: t.ID}
	if err := s.DB.Read.NewSelect().Model(up).WherePK().Scan(r.Context()); err != nil {
		up.Synced = 0
	}
	w.Header().Set("Upload-Offset", strconv.FormatInt(up.Synced, 10))
	w.WriteHeader(http.StatusNoContent)
}

// serveSend answers PUT /api/device/files/{token}: a file of the device, or the rest of one from Upload-Offset on, of
// Upload-Length bytes altogether.
func (s *Service) serveSend(w http.ResponseWriter, r *http.Request) {
	t, err := s.deviceTransfer(r, ToLibrary)
	if err != nil {
		s.refuse(w, err)
		return
	}
	size, err1 := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	offset, err2 := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err1 != nil || err2 != nil || size < 1 || offset < 0 {
		s.refuse(w, problem.New(http.StatusBadRequest, "invalid", "Send the headers Upload-Length and Upload-Offset in bytes."))
		return
	}
	if err := s.receive(w, r, t, size, offset); err != nil {
		if code := problem.Code(err); code != "" && code != "offset" && code != "disk_full" && code != errLocked.Code {
			p, _ := errors.AsType[*problem.Problem](err)
			s.fail(r.Context(), t.ID, code, p.Detail)
		}
		s.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

var errOffset = problem.New(http.StatusConflict, "offset", "The file does not go on there. Ask with HEAD how much of it has come.")

// receive takes a part of a file that a device sends; with its last byte it is a file of the library.
func (s *Service) receive(w http.ResponseWriter, r *http.Request, t *transferRow, size, offset int64) error {
	ctx := context.WithoutCancel(r.Context())
	return s.withLock(ctx, t.ID, func() error {
		up := &uploadRow{ID: t.ID}
		if err := s.DB.Read.NewSelect().Model(up).WherePK().Scan(ctx); err != nil {
			up = &uploadRow{ID: t.ID, WorkspaceID: t.WorkspaceID, UserID: t.UserID, UserName: t.UserName, Folder: t.Folder, Name: t.Name,
				Tags: "[]", Source: SourcePrinter, Size: size}
			if size > MaxSize {
				return errTooLarge
			}
			if err := s.beginAs(ctx, up); err != nil {
				return err
			}
		}
		if up.Size != size || up.Synced != offset {
			return errOffset
		}
		body := &progress{patientBody: patientBody{body: r.Body, control: http.NewResponseController(w)}, from: offset, told: func(n int64) error {
			if err := s.advance(ctx, t.ID, report{stage: wire.TransferFetching, bytes: n, total: size}); err != nil {
				s.log.Warn("progress was not kept", "error", err)
			}
			if _, ok := s.moved.load(t.ID); !ok {
				return errToken // somebody has ended it meanwhile
			}
			return nil
		}}
		_, err := s.appendTo(ctx, up, body)
		if err == nil {
			err = s.use(ctx, t)
		}
		if err != nil || up.Synced < up.Size {
			if err == nil {
				err = errOffset // cut: the device asks where to go on
			}
			return err
		}
		file, err := s.finish(ctx, up)
		if err != nil {
			return err
		}
		return s.brought(ctx, t, file)
	})
}

// brought ends a transfer whose file is in the library.
func (s *Service) brought(ctx context.Context, t *transferRow, file *fileRow) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*transferRow)(nil)).Set("file_id = ?", file.ID).Set("name = ?", file.Name).Where("id = ?", t.ID).Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.advance(ctx, t.ID, report{stage: wire.TransferDone, bytes: file.Size, total: file.Size})
}

// servePath answers with a content, whole or by Range.
func (s *Service) servePath(w http.ResponseWriter, r *http.Request, row *fileRow, path string) {
	f, err := os.Open(path)
	if err != nil {
		s.refuse(w, err)
		return
	}
	defer f.Close()
	serve(w, r, row, f)
}
