package file

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// The published plugin gets files in pieces over MQTT (octoprint/gcode_in) and says at the end whether it has one
// (octoprint/gcode_out). It prints what it gets unless it is told where to put it, with the first message and the last;
// it overwrites a file of the same name, even the one being printed; it says nothing to what it does not like. So
// everything here is told, names are made unique before, and silence is an answer.

const (
	maxPublished   = 100_000_000 // bytes; it takes 100 MB
	publishedPiece = 48 << 10    // bytes, 64 KB in base64: at most 2,084 pieces, of the 10,000 that it takes
)

// Times of a transfer in pieces; tests shorten them.
type publishedTimes struct {
	stall  time.Duration // in which not one more piece goes out: the device is gone
	answer time.Duration // after the last piece: writing to an SD card is slow
	begin  time.Duration // from the word to print until the printer is seen to
	pace   time.Duration // between two tries when the queue is full
}

var usualTimes = publishedTimes{stall: time.Minute, answer: 330 * time.Second, begin: time.Minute, pace: 50 * time.Millisecond}

// ErrQueueFull is what Devices.Publish gives when a device has not taken yet what waits for it.
var ErrQueueFull = errors.New("the device's queue is full")

type gcodeIn struct {
	Action       string `json:"action"`
	JobID        string `json:"job_id"`
	Filename     string `json:"filename,omitempty"`
	TotalChunks  int    `json:"total_chunks,omitempty"`
	UploadTarget string `json:"upload_target,omitempty"`
	Target       string `json:"target,omitempty"`
	Seq          *int   `json:"seq,omitempty"`
	Data         string `json:"data_b64,omitempty"`
	Origin       string `json:"origin,omitempty"`
}

// gcodeOut is what it says at the end.
type gcodeOut struct {
	Type     string `json:"type"`
	JobID    string `json:"job_id"`
	Success  bool   `json:"success"`
	Filename string `json:"filename"`
	Error    string `json:"error"`
}

var errUnderWay = problem.New(http.StatusConflict, "transfer_under_way", "A file is on its way to this printer already. Wait until it is there, or end its transfer.")

// printPublished begins a transfer to the published plugin.
func (s *Service) printPublished(ctx context.Context, t *transferRow, c content) (Transfer, error) {
	if c.size > maxPublished {
		return Transfer{}, errPublished
	}
	name, err := s.freeName(ctx, t, c.name)
	if err != nil {
		return Transfer{}, err
	}
	t.Name = name
	s.pieceMu.Lock()
	ended, ok := s.work.Begin()
	if !ok || s.pieces[t.Device] != nil {
		s.pieceMu.Unlock()
		if ok {
			ended()
		}
		return Transfer{}, errUnderWay
	}
	answers := make(chan gcodeOut, 1)
	s.pieces[t.Device] = &piecewise{id: t.ID, answers: answers}
	s.pieceMu.Unlock()
	done := func() {
		s.pieceMu.Lock()
		delete(s.pieces, t.Device)
		s.pieceMu.Unlock()
		ended()
	}
	if err := s.insertTransfer(ctx, t); err != nil {
		done()
		return Transfer{}, err
	}
	shown := t.transfer()
	go func() {
		defer done()
		s.bringPublished(t, c, answers)
	}()
	return shown, nil
}

// piecewise is a transfer in pieces that is under way.
type piecewise struct {
	id      string
	answers chan gcodeOut
}

// freeName finds a name that the device has not, by its last list and by what was brought to it since.
func (s *Service) freeName(ctx context.Context, t *transferRow, name string) (string, error) {
	paths, err := s.Printers.DeviceFiles(ctx, t.PrinterID, t.Origin)
	if err != nil {
		return "", err
	}
	var brought []string
	err = s.DB.Read.NewSelect().Model((*transferRow)(nil)).Column("name").Where("printer_id = ? AND origin = ? AND direction = ?", t.PrinterID, t.Origin, ToPrinter).Scan(ctx, &brought)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for _, path := range slices.Concat(paths, brought) {
		taken[strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])] = true
	}
	for n := 1; ; n++ {
		if free := wire.NumberedName(name, n); !taken[strings.ToLower(free)] {
			return free, nil
		}
	}
}

// failure is how a transfer in pieces ended.
type failure struct{ code, words string }

func (f *failure) Error() string { return f.words }

// bringPublished sends a file in pieces and sees to its end.
func (s *Service) bringPublished(t *transferRow, c content, answers <-chan gcodeOut) {
	ctx := s.work.Context
	err := s.sendPieces(ctx, t, c, answers)
	if err == nil && t.Print {
		err = s.startPublished(ctx, t)
	}
	var f *failure
	switch {
	case err == nil:
		err = s.advance(context.WithoutCancel(ctx), t.ID, report{stage: wire.TransferDone, bytes: c.size, total: c.size, path: t.Path})
		if err != nil {
			s.log.Error("the end of a transfer was not kept", "transfer", t.ID, "error", err)
		}
	case errors.As(err, &f):
		s.fail(ctx, t.ID, f.code, f.words)
	case ctx.Err() != nil:
		s.fail(ctx, t.ID, codeInterrupted, "The server was stopped meanwhile. Send the file again.")
	default:
		s.log.Error("a transfer failed", "transfer", t.ID, "error", err)
		s.fail(ctx, t.ID, "internal", "Something went wrong on the server. Its log says what.")
	}
}

const codeInterrupted = "interrupted"

func (s *Service) sendPieces(ctx context.Context, t *transferRow, c content, answers <-chan gcodeOut) error {
	f, err := os.Open(c.path)
	if err != nil {
		return err
	}
	defer f.Close()
	target := map[string]string{"sdcard": "sd"}[t.Origin]
	if target == "" {
		target = "local"
	}
	total := int((c.size + publishedPiece - 1) / publishedPiece)
	begin := gcodeIn{Action: "start", JobID: t.ID, Filename: t.Name, TotalChunks: total, UploadTarget: target, Target: target}
	if err := s.sendPiece(ctx, t, &begin); err != nil {
		return err
	}
	piece := make([]byte, publishedPiece)
	for seq := range total {
		n, err := io.ReadFull(f, piece)
		if err != nil && (!errors.Is(err, io.ErrUnexpectedEOF) || seq < total-1) {
			return err
		}
		if err := s.sendPiece(ctx, t, &gcodeIn{Action: "chunk", JobID: t.ID, Seq: &seq, Data: base64.StdEncoding.EncodeToString(piece[:n])}); err != nil {
			return err
		}
		sent := min(int64(seq+1)*publishedPiece, c.size)
		if seq%16 == 0 || seq == total-1 {
			if err := s.advance(ctx, t.ID, report{stage: wire.TransferFetching, bytes: sent, total: c.size}); err != nil {
				return err
			}
			if s.isOver(ctx, t.ID) {
				_ = s.Devices.Publish(t.Device, wire.KindGcodeIn, mustJSON(gcodeIn{Action: "cancel", JobID: t.ID}), 1) // away: it drops it by itself
				return &failure{codeCancelled, "Somebody ended it."}
			}
		}
		select {
		case a := <-answers: // before its time: it does not want the rest
			return refusedBy(&a)
		default:
		}
	}
	if err := s.sendPiece(ctx, t, &gcodeIn{Action: "end", JobID: t.ID, Target: target, UploadTarget: target}); err != nil {
		return err
	}
	if err := s.advance(ctx, t.ID, report{stage: wire.TransferUploading, total: c.size}); err != nil {
		return err
	}
	timer := time.NewTimer(s.times.answer)
	defer timer.Stop()
	over := s.over.next(t.ID)
	if s.isOver(ctx, t.ID) {
		return &failure{codeCancelled, "Somebody ended it."}
	}
	select {
	case <-over:
		return &failure{codeCancelled, "Somebody ended it."}
	case a := <-answers:
		if !a.Success {
			return refusedBy(&a)
		}
		t.Path = t.Name
		if clean, changed := wire.CleanText(a.Filename, wire.MaxFileName); clean != "" && !changed {
			t.Path = clean
		}
		return nil
	case <-timer.C:
		return &failure{codeTimeout, "The plugin has not said whether it has the file. It says nothing when receiving files is turned off in its settings (receive_gcode_enabled)."}
	case <-ctx.Done():
		return ctx.Err()
	}
}

func refusedBy(a *gcodeOut) error {
	words, _ := wire.CleanText(a.Error, 200)
	if words == "" {
		words = "no reason given"
	}
	return &failure{"octoprint_refused", "The plugin could not store the file: " + words}
}

// sendPiece sends one message as soon as the device has taken enough of those before.
func (s *Service) sendPiece(ctx context.Context, t *transferRow, m *gcodeIn) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for end := time.Now().Add(s.times.stall); ; {
		err := s.Devices.Publish(t.Device, wire.KindGcodeIn, b, 1)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrQueueFull):
			return &failure{codeOffline, "The printer's device went away, or does not listen for files."}
		case time.Now().After(end):
			return &failure{codeTimeout, "The printer's device has taken nothing more for a minute."}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.times.pace):
		}
	}
}

// startPublished has the printer print what it has got, and looks whether it does.
func (s *Service) startPublished(ctx context.Context, t *transferRow) error {
	if err := s.advance(ctx, t.ID, report{stage: wire.TransferStarting, path: t.Path}); err != nil {
		return err
	}
	if s.isOver(ctx, t.ID) {
		return &failure{codeCancelled, "Somebody ended it."}
	}
	origin := map[string]string{"sdcard": "sd"}[t.Origin]
	if origin == "" {
		origin = "local"
	}
	if err := s.sendPiece(ctx, t, &gcodeIn{Action: "print", JobID: t.ID, Filename: t.Path, Origin: origin}); err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(s.times.begin); ; {
		p, ok, err := s.Printers.Describe(ctx, t.Device)
		switch {
		case err != nil:
			return err
		case ok && p.Status.Active():
			return nil
		case time.Now().After(end):
			return &failure{"unconfirmed", "The file is on the device, but the printer was not seen to begin it. Look at the printer."}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *Service) isOver(ctx context.Context, id string) bool {
	row := &transferRow{ID: id}
	err := s.DB.Read.NewSelect().Model(row).WherePK().Scan(ctx)
	return err == nil && row.EndedAt != nil
}

// PieceResult takes what the published plugin says at the end of a transfer. Errors: ErrInvalid.
func (s *Service) PieceResult(deviceUUID string, payload []byte) error {
	var m gcodeOut
	if len(payload) > wire.MaxSmall || json.Unmarshal(payload, &m) != nil || m.Type != "upload_result" {
		return ErrInvalid
	}
	s.pieceMu.Lock()
	p := s.pieces[deviceUUID]
	s.pieceMu.Unlock()
	if p == nil || p.id != m.JobID {
		return ErrInvalid // of before a restart, or not ours
	}
	select {
	case p.answers <- m:
	default: // said twice
	}
	return nil
}

// settlePublished ends the transfers in pieces that a restart has cut.
func (s *Service) settlePublished(ctx context.Context) error {
	var ids []string
	err := s.DB.Read.NewSelect().Model((*transferRow)(nil)).Column("id").Where("ended_at IS NULL AND token = ''").Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("read the transfers: %w", err)
	}
	for _, id := range ids {
		s.fail(ctx, id, codeInterrupted, "The server was stopped meanwhile. Send the file again.")
	}
	return nil
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // of a struct of texts: it always can be written
	}
	return b
}
