package file

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
)

// maxTries is how often the look into a file is begun. One that takes the server down with it is begun again after each
// start, so there must be an end to it.
const maxTries = 3

// codeCrash says that the look into a file failed on our side.
const codeCrash = "analysis_failed"

// analyse looks into the files that wait for it, the oldest first and one at a time, until ctx ends. What is not
// finished then waits for the next start.
func (s *Service) analyse(ctx context.Context) {
	for ctx.Err() == nil {
		row, err := s.nextWaiting(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("which files are to be analysed could not be read", "error", err)
		}
		if row == nil {
			select {
			case <-ctx.Done():
			case <-s.found:
			}
			continue
		}
		s.analyseOne(ctx, row)
	}
}

// nextWaiting takes the file that waits longest, and counts the try. Nil: none waits.
func (s *Service) nextWaiting(ctx context.Context) (*fileRow, error) {
	row := &fileRow{}
	err := s.DB.Read.NewSelect().Model(row).Where("analysis = ?", AnalysisWaiting).Order("created_at", "id").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return row, s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*fileRow)(nil)).Set("tries = tries + 1").Where("id = ?", row.ID).Exec(ctx)
		return err
	})
}

func (s *Service) analyseOne(ctx context.Context, row *fileRow) {
	f := finding{Code: codeCrash, Message: "The file could not be read to its end."}
	if row.Tries < maxTries {
		var err error
		if f, err = s.look(ctx, row); err != nil {
			if ctx.Err() != nil {
				s.giveBack(row)
				return
			}
			s.log.Error("a file could not be analysed", "file", row.ID, "error", err)
			if row.Tries+1 < maxTries {
				return // it is the next one again
			}
		}
	}
	if err := s.keep(ctx, row, &f); err != nil && ctx.Err() == nil {
		s.log.Error("what was found in a file could not be kept", "file", row.ID, "error", err)
	}
	s.changed(row.WorkspaceID)
	s.analysed.tell(row.ID)
}

// giveBack takes a try back that was interrupted by the server's own stop.
func (s *Service) giveBack(row *fileRow) {
	err := s.DB.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*fileRow)(nil)).Set("tries = ?", row.Tries).Where("id = ?", row.ID).Exec(ctx)
		return err
	})
	if err != nil {
		s.log.Warn("a file's analysis was interrupted", "file", row.ID, "error", err)
	}
}

// look analyses a file. A finding without a report says why it should not be printed.
func (s *Service) look(ctx context.Context, row *fileRow) (f finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a file made the analysis panic", "file", row.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			f, err = finding{Code: codeCrash, Message: "The file could not be read to its end."}, nil
		}
	}()
	content, err := os.Open(s.contentPath(row.ID))
	if err != nil {
		return finding{Code: codeCrash}, err
	}
	defer content.Close()
	report, err := gcode.Analyse(ctx, content)
	if why, ok := errors.AsType[*gcode.Error](err); ok {
		return finding{Code: string(why.Code), Message: why.Detail}, nil
	}
	if err != nil {
		return finding{Code: codeCrash, Message: "The file could not be read to its end."}, err
	}
	return finding{Report: report}, nil
}

// keep writes down what was found, the pictures first.
func (s *Service) keep(ctx context.Context, row *fileRow, f *finding) error {
	state, printTime := AnalysisFailed, (*float64)(nil)
	if f.Report != nil {
		state, printTime = AnalysisDone, f.Report.PrintTime
		for n, t := range f.Report.Thumbnails {
			if err := os.WriteFile(s.thumbPath(row.ID, n), t.Data, 0o600); err != nil {
				return err
			}
		}
	}
	report, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*fileRow)(nil)).Set("analysis = ?", state).Set("report = ?", string(report)).
			Set("print_time = ?", printTime).Where("id = ?", row.ID).Exec(ctx)
		return err
	})
}

// finding gives what was found in a file.
func (r *fileRow) finding() (f finding, err error) {
	if r.Report == "" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(r.Report), &f); err != nil {
		return f, fmt.Errorf("report on file %s: %w", r.ID, err)
	}
	return f, nil
}
