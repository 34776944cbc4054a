package job

import (
	"context"
	"fmt"
	"testing"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// TestCrowd has every printer of a large fleet begin a print at once, while the server is told to stop.
func TestCrowd(t *testing.T) {
	const printers = 3*writeAtOnce + 1
	w := open(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for i := range printers {
		w.Observe(fmt.Sprintf("p%d", i), &wire.Snapshot{Job: wire.Job{ID: wire.NewUUID()}}, wire.StatusPrinting, w.at)
	}
	w.Run(ctx)
	w.Close(t.Context())
	if n, err := w.db.Read.NewSelect().Model((*row)(nil)).Count(t.Context()); err != nil || n != printers || len(w.told) != printers {
		t.Errorf("%d rows, %d told, want %d (%v)", n, len(w.told), printers, err)
	}
}

// TestOneBadRowCostsNoOther has the database refuse one print of several that are written together.
func TestOneBadRowCostsNoOther(t *testing.T) {
	w := open(t)
	err := w.db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TRIGGER no BEFORE INSERT ON jobs WHEN NEW.printer_id = 'p2' BEGIN SELECT RAISE(ABORT, 'no'); END")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		w.Observe(fmt.Sprintf("p%d", i), &wire.Snapshot{Job: wire.Job{ID: wire.NewUUID()}}, wire.StatusPrinting, w.at)
	}
	w.Close(t.Context())
	if n, _ := w.db.Read.NewSelect().Model((*row)(nil)).Count(t.Context()); n != 4 || len(w.told) != 4 {
		t.Errorf("%d rows, %d told, want 4", n, len(w.told))
	}
}
