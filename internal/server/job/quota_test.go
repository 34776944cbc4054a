package job

import (
	"fmt"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

func TestPrintsMadeUpAreBounded(t *testing.T) {
	w := open(t)
	count := func() int64 {
		n, err := w.db.Read.NewSelect().Model((*row)(nil)).Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range beginBurst + 50 {
		w.see(0, fmt.Sprintf("job-%d", i), "x.gcode", wire.StatusPrinting, 1, 1)
	}
	if n := count(); n != beginBurst {
		t.Fatalf("%d prints", n)
	}
	w.see(3*time.Minute, "later", "x.gcode", wire.StatusPrinting, 1, 1)
	if n := count(); n != beginBurst+1 {
		t.Errorf("%d prints; one more had its time", n)
	}
}
