package audit

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
)

func TestExportCSV(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l := newLog(t, &now)
	names := []string{"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\tx", " =1+1", "＝1", "Kim, \"the\" 김\nline", "plain"}
	for i := range 1200 { // several pages
		e := Entry{WorkspaceID: "w", Actor: names[i%len(names)], Address: "192.0.2.1", Action: "command.gcode",
			Target: Target{Kind: "printer", ID: "p", Name: "프린터"}, Detail: map[string]string{"line": "=1"}}
		if err := l.Record(t.Context(), nil, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Record(t.Context(), nil, Entry{WorkspaceID: "other", Actor: "secret", Action: "command.pause"}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.ExportCSV(t.Context(), &out, Query{WorkspaceIDs: []string{"w"}, TargetID: "p", Action: "command."}, true); err != nil {
		t.Fatal(err)
	}
	text, found := strings.CutPrefix(out.String(), "\uFEFF")
	if !found || strings.Contains(text, "secret") {
		t.Error("no mark of UTF-8, or another's entry")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 1201 || fmt.Sprint(rows[0]) != fmt.Sprint(csvColumns) {
		t.Fatalf("%v, %d rows", err, len(rows))
	}
	seen := map[string]bool{}
	for _, r := range rows[1:] {
		seen[r[1]] = true
		for _, cell := range r {
			if c := strings.TrimLeft(cell, " "); c != "" && strings.ContainsRune("=+-@\t\r＝", []rune(c)[0]) {
				t.Fatalf("a spreadsheet takes %q for a formula", cell)
			}
		}
		if r[5] != "192.0.2.1" || r[9] != "프린터" || r[10] != "ok" {
			t.Fatalf("%q", r)
		}
	}
	if !seen["plain"] || !seen["'=HYPERLINK(\"http://x\")"] || !seen["Kim, \"the\" 김\nline"] {
		t.Errorf("%v", seen)
	}
	out.Reset()
	if err := l.ExportCSV(t.Context(), &out, Query{WorkspaceIDs: []string{"w"}}, false); err != nil || strings.Contains(out.String(), "192.0.2.1") {
		t.Errorf("%v: who may not know sees addresses", err)
	}
}

func TestFinish(t *testing.T) {
	now := time.Now()
	l := newLog(t, &now)
	id := "0195c0de-0000-7000-8000-000000000001"
	if err := l.Record(t.Context(), nil, Entry{ID: id, WorkspaceID: "w", Actor: "Kim", Action: "command.pause", Result: Pending}); err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context(), l.DB.Read, id, Failed, map[string]string{"code": "not_now"}); err == nil {
		t.Fatal("written by a reader")
	}
	err := l.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return l.Finish(ctx, tx, id, Failed, map[string]string{"code": "not_now"})
	})
	got := l.mustList(t, Query{WorkspaceIDs: []string{"w"}, ID: id})
	if err != nil || len(got) != 1 || got[0].Result != Failed || string(got[0].Detail) != `{"code":"not_now"}` || got[0].Actor != "Kim" {
		t.Fatalf("%v %+v", err, got)
	}
	for _, q := range []Query{{ActorID: "nobody"}, {TargetID: "none"}, {Action: "printer."}} {
		q.WorkspaceIDs = []string{"w"}
		if got := l.mustList(t, q); len(got) != 0 {
			t.Errorf("%+v finds %+v", q, got)
		}
	}
}
