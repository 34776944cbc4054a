package file

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Printers knows the printers and their devices.
type Printers interface {
	// Authorize gives a printer's id if the context's actor may do action to it. Errors: problems not_found, not_allowed.
	Authorize(ctx context.Context, uuid string, action workspace.Action) (printerID, workspaceID string, err error)
	// Describe tells what there is to know of a printer for a print. False: there is no such printer.
	Describe(ctx context.Context, uuid string) (Printer, bool, error)
	// DeviceLogin tells whose device comes with a UUID and a token. Errors: any.
	DeviceLogin(ctx context.Context, uuid, token string) (printerID string, err error)
	// DeviceFiles gives the paths on a printer's device, as it last said.
	DeviceFiles(ctx context.Context, printerID, origin string) ([]string, error)
}

// Commands gives commands to printers. The command service is one.
type Commands interface {
	// Do gives a command and waits for the device's answer. Errors: problems, as the click is to be answered with.
	Do(ctx context.Context, uuid string, c wire.Command) (Answer, error)
}

// Answer is what a device said to a command.
type Answer struct {
	OK      bool
	Code    wire.ResultCode
	Message string
}

// Devices reaches the devices that are connected. The gateway is one.
type Devices interface {
	Publish(uuid string, kind wire.Kind, payload []byte, qos byte) error
}

// Printer is a printer as far as a print depends on it.
type Printer struct {
	ID          string
	WorkspaceID string
	Name        string
	Online      bool
	Published   bool // the published plugin: it gets files in pieces
	Transfers   bool // our agent, and it carries files
	Status      wire.Status
	Fit         gcode.Printer
}

// PrintRequest is what a person asks for.
type PrintRequest struct {
	FileID string
	Target string // local or sdcard
	Print  bool
	Anyway bool   // although it does not fit
	Click  string // Idempotency-Key
}

// analysisPatience is how long a click waits for the look into a file that was uploaded a moment ago.
const analysisPatience = 15 * time.Second

var (
	errUnanalysed = problem.New(http.StatusConflict, "analysis_waiting", "FACTOR still looks into this file. Try again in a moment, or print it anyway.")
	errDevice     = problem.New(http.StatusConflict, "device_offline", "The printer's device is not connected. Nothing was sent, and nothing waits for its return.")
	errBusy       = problem.New(http.StatusConflict, "not_now", "The printer is not idle. Send the file without printing it, or wait.")
	errOldAgent   = problem.New(http.StatusConflict, "agent_too_old", "The agent on the printer's device is too old to carry files. Update the plugin in OctoPrint.")
	errPublished  = problem.New(http.StatusRequestEntityTooLarge, "too_large", "The plugin octoprint_factor takes files up to 100 MB. Install FACTOR's own plugin for larger ones.")
)

// Fit is whether a file fits a printer.
type Fit struct {
	Ready    bool            `json:"ready" doc:"The file has been looked into; else nothing is known yet"`
	Problems []gcode.Misfit  `json:"problems" doc:"Why it should not be printed there"`
	Refused  string          `json:"refused,omitempty" doc:"Why it should not be printed anywhere: cut_off, damaged, hostile, …"`
	Message  string          `json:"message,omitempty" doc:"The same in English"`
	Warnings []gcode.Warning `json:"warnings" doc:"What a person should know before a print"`
	Model    string          `json:"printer_model,omitempty" doc:"What the file was made for, to be compared by eye"`
}

// fit compares a file with a printer.
func fit(row *fileRow, p *Printer) (Fit, error) {
	v := Fit{Problems: []gcode.Misfit{}, Warnings: []gcode.Warning{}, Ready: row.Analysis != AnalysisWaiting}
	found, err := row.finding()
	if err != nil || !v.Ready {
		return v, err
	}
	v.Refused, v.Message = found.Code, found.Message
	if r := found.Report; r != nil {
		v.Problems = append(v.Problems, r.Fits(p.Fit)...)
		v.Warnings = append(v.Warnings, r.Warnings...)
		v.Model = r.PrinterModel
	}
	return v, nil
}

// problem says why a print was not begun; nil: nothing speaks against it.
func (f *Fit) problem() error {
	if f.Refused != "" {
		return problem.New(http.StatusConflict, "file_refused", "This file should not be printed: "+f.Message)
	}
	if len(f.Problems) == 0 {
		return nil
	}
	p := problem.New(http.StatusConflict, "does_not_fit", "The file does not fit this printer. Print it anyway only if you know better.")
	for _, m := range f.Problems {
		p.Errors = append(p.Errors, problem.ValidationFail{Field: string(m.Code), Message: misfitWords(m)})
	}
	return p
}

func misfitWords(m gcode.Misfit) string {
	where := ""
	switch {
	case m.Axis != "":
		where = " along " + strings.ToUpper(m.Axis)
	case m.Tool != nil:
		where = fmt.Sprintf(" (tool %d)", *m.Tool)
	}
	return fmt.Sprintf("wants %g, the printer has %g%s", m.Value, m.Limit, where)
}

// FitOf tells whether a file fits a printer. Errors: problems not_found, not_allowed.
func (s *Service) FitOf(ctx context.Context, deviceUUID, fileID string) (Fit, error) {
	if _, _, err := s.Printers.Authorize(ctx, deviceUUID, workspace.PrinterView); err != nil {
		return Fit{}, err
	}
	row, err := s.meant(ctx, fileID)
	if err != nil {
		return Fit{}, err
	}
	p, err := s.describe1(ctx, deviceUUID)
	if err != nil {
		return Fit{}, err
	}
	return fit(row, &p)
}

// meant gives the file that a call names beside its printer. Errors: problem no_file.
func (s *Service) meant(ctx context.Context, id string) (*fileRow, error) {
	row, err := s.authorize(ctx, id, workspace.FileView)
	if problem.Code(err) == ErrNotFound.Code {
		return nil, problem.Field("no_file", "file", "There is no such file.")
	}
	return row, err
}

func (s *Service) describe1(ctx context.Context, deviceUUID string) (Printer, error) {
	p, ok, err := s.Printers.Describe(ctx, deviceUUID)
	if err == nil && !ok {
		err = problem.NotFound("printer")
	}
	return p, err
}

// Print brings a file of the library to a printer, and has it printed where that is asked for. It returns once the
// device has taken the task. Errors: problems; those of commands among them.
func (s *Service) Print(ctx context.Context, deviceUUID string, in PrintRequest) (Transfer, error) {
	if _, _, err := s.Printers.Authorize(ctx, deviceUUID, workspace.PrinterControl); err != nil {
		return Transfer{}, err
	}
	row, err := s.meant(ctx, in.FileID)
	if err != nil {
		return Transfer{}, err
	}
	p, err := s.describe1(ctx, deviceUUID)
	if err != nil {
		return Transfer{}, err
	}
	s.clicks.Lock(click{p.ID, in.Click})
	defer s.clicks.Unlock(click{p.ID, in.Click})
	if earlier, err := s.clicked(ctx, p.ID, in.Click); earlier != nil || err != nil {
		if err != nil {
			return Transfer{}, err
		}
		return earlier.transfer(), nil
	}
	if row, err = s.mayPrint(ctx, row, &p, in); err != nil {
		return Transfer{}, err
	}
	content, err := s.plainOf(ctx, row)
	if err != nil {
		return Transfer{}, err
	}
	t, token := s.newTransfer(ctx, &p, deviceUUID, ToPrinter, in.Click)
	t.WorkspaceID, t.FileID, t.Name, t.Origin, t.Print = row.WorkspaceID, row.ID, content.name, in.Target, in.Print
	t.Size, t.SHA256, t.Total = content.size, content.sha256, content.size
	if p.Published {
		t.Token = ""
		return s.printPublished(ctx, t, content)
	}
	if err := s.insertTransfer(ctx, t); err != nil {
		return Transfer{}, err
	}
	answer, err := s.Commands.Do(ctx, deviceUUID, wire.Command{Type: wire.CommandFetchFile, Fetch: &wire.FetchFile{
		Transfer: t.ID, Token: token, Name: t.Name, Size: t.Size, SHA256: t.SHA256, Target: t.Origin, Print: t.Print}})
	return s.commanded(ctx, t, answer, err)
}

// commanded ends a transfer whose device did not take it.
func (s *Service) commanded(ctx context.Context, t *transferRow, answer Answer, err error) (Transfer, error) {
	if code := problem.Code(err); code == "device_timeout" {
		err = nil // it may have begun: what it does tells
	} else if err != nil {
		s.fail(ctx, t.ID, first(code, codeRefused), "The device was not reached.")
		return Transfer{}, err
	} else if !answer.OK && answer.Code != wire.ResultOutcomeUnknown {
		s.fail(ctx, t.ID, string(first(answer.Code, wire.ResultFailed)), answer.Message)
	}
	now := &transferRow{ID: t.ID}
	if err := s.DB.Read.NewSelect().Model(now).WherePK().Scan(ctx); err != nil {
		return Transfer{}, err
	}
	return now.transfer(), nil
}

func first[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

// mayPrint tells why a file must not be sent to a printer now. It gives the row as it is known now.
func (s *Service) mayPrint(ctx context.Context, row *fileRow, p *Printer, in PrintRequest) (*fileRow, error) {
	switch {
	case !p.Online:
		return row, errDevice
	case !p.Published && !p.Transfers:
		return row, errOldAgent
	case p.Published && row.Size > maxPublished:
		return row, errPublished
	case in.Print && p.Status != wire.StatusIdle:
		return row, errBusy
	}
	wait, cancel := context.WithTimeout(ctx, analysisPatience)
	defer cancel()
	row, err := s.awaitAnalysis(wait, row)
	if err != nil || in.Anyway {
		return row, err
	}
	f, err := fit(row, p)
	switch {
	case err != nil:
		return row, err
	case !f.Ready:
		return row, errUnanalysed
	}
	return row, f.problem()
}

// Bring fetches a file of a printer's device into the library. Errors: problems; those of commands among them.
func (s *Service) Bring(ctx context.Context, deviceUUID, origin, path, folder, click_ string) (Transfer, error) {
	_, workspaceID, err := s.Printers.Authorize(ctx, deviceUUID, workspace.PrinterControl)
	if err != nil {
		return Transfer{}, err
	}
	if workspaceID, err = s.requireIn(ctx, workspace.FileEdit, workspaceID); err != nil {
		return Transfer{}, err
	}
	p, err := s.describe1(ctx, deviceUUID)
	if err != nil {
		return Transfer{}, err
	}
	if folder, err = tidyFolder("folder", folder); err != nil {
		return Transfer{}, err
	}
	name, err := tidyName("path", path[strings.LastIndexByte(path, '/')+1:])
	switch {
	case err != nil:
		return Transfer{}, err
	case !p.Online:
		return Transfer{}, errDevice
	case p.Published:
		return Transfer{}, problem.New(http.StatusConflict, "not_supported", "The plugin octoprint_factor cannot give files away. Install FACTOR's own plugin.")
	case !p.Transfers:
		return Transfer{}, errOldAgent
	}
	s.clicks.Lock(click{p.ID, click_})
	defer s.clicks.Unlock(click{p.ID, click_})
	if earlier, err := s.clicked(ctx, p.ID, click_); earlier != nil || err != nil {
		if err != nil {
			return Transfer{}, err
		}
		return earlier.transfer(), nil
	}
	t, token := s.newTransfer(ctx, &p, deviceUUID, ToLibrary, click_)
	t.WorkspaceID, t.Name, t.Folder, t.Origin, t.Path = workspaceID, name, folder, origin, path
	if err := s.insertTransfer(ctx, t); err != nil {
		return Transfer{}, err
	}
	answer, err := s.Commands.Do(ctx, deviceUUID, wire.Command{Type: wire.CommandSendFile, Origin: origin, Path: path,
		Send: &wire.SendFile{Transfer: t.ID, Token: token}})
	return s.commanded(ctx, t, answer, err)
}

// ended keeps in the audit what became of a transfer.
func (s *Service) ended(ctx context.Context, row *transferRow) {
	e := audit.Entry{WorkspaceID: row.WorkspaceID, ActorID: row.UserID, Actor: row.UserName, Via: workspace.ViaSystem, Action: "file.to_printer",
		Target: audit.Target{Kind: "printer", ID: row.PrinterID}, Detail: map[string]any{"file": row.Name, "path": row.Path, "print": row.Print}}
	if row.Direction == ToLibrary {
		e.Action = "file.to_library"
	}
	if row.Stage == wire.TransferFailed {
		e.Result, e.Detail = audit.Failed, map[string]any{"file": row.Name, "code": row.Code, "print": row.Print}
	}
	if err := s.record(ctx, nil, e); err != nil {
		s.log.Error("a transfer was not recorded", "error", err)
	}
}

// endStill ends the transfers whose devices have not been heard of for TokenAge, and forgets old ones.
func (s *Service) endStill(ctx context.Context) error {
	before := s.now().Add(-TokenAge).UnixMilli()
	var ids []string
	err := s.DB.Read.NewSelect().Model((*transferRow)(nil)).Column("id").Where("ended_at IS NULL AND used_at < ? AND updated_at < ?", before, before).Scan(ctx, &ids)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, id := range ids {
		if t, ok := s.moved.load(id); ok && t.UpdatedAt.UnixMilli() >= before {
			continue
		}
		s.fail(ctx, id, codeAbandoned, "The device was not heard of for an hour.")
	}
	old := s.now().Add(-transferAge).UnixMilli()
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("DELETE FROM file_transfers WHERE ended_at < ?", old).Exec(ctx)
		return err
	})
}

// transferAge is how long ended transfers are kept; the audit has them longer.
const transferAge = 30 * 24 * time.Hour
