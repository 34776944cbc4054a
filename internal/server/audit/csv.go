package audit

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"
)

// csvColumns are those of an export, in their order.
var csvColumns = []string{"time", "actor", "actor_id", "on_behalf_of", "via", "address", "action", "target_kind", "target_id", "target", "result", "detail"}

// csvPage is how many entries are read at once, csvMost how many an export has at most: a year of a busy workshop.
const (
	csvPage = 500
	csvMost = 200_000
)

// ExportCSV writes the entries of a query, newest first, as RFC 4180 with a byte order mark, by which spreadsheets know
// that it is UTF-8. addresses says whether the reader may know where from somebody did something.
func (l *Log) ExportCSV(ctx context.Context, w io.Writer, q Query, addresses bool) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvColumns); err != nil {
		return err
	}
	q.Limit = csvPage
	for written := 0; written < csvMost; {
		page, err := l.List(ctx, q)
		if err != nil {
			return err
		}
		for _, i := range page.Items {
			if !addresses {
				i.Address = ""
			}
			if err := out.Write(i.csv()); err != nil {
				return err
			}
		}
		out.Flush()
		if err := out.Error(); err != nil {
			return fmt.Errorf("export the audit: %w", err)
		}
		if written += len(page.Items); page.Next == "" {
			return nil
		}
		q.Before = page.Next
	}
	return nil
}

func (i *LogItem) csv() []string {
	cells := []string{i.At.Format(time.RFC3339), i.Actor, i.ActorID, i.OnBehalfOf, i.Via, i.Address, i.Action,
		i.Target.Kind, i.Target.ID, i.Target.Name, string(i.Result), string(i.Detail)}
	for n := range cells {
		cells[n] = harmless(cells[n])
	}
	return cells
}

// harmless keeps a spreadsheet from taking a text for a formula, which may send the sheet's other cells elsewhere (OWASP,
// CSV injection): an apostrophe in front makes it text.
func harmless(s string) string {
	if strings.HasPrefix(strings.TrimLeft(s, " \u00a0"), "\t") || strings.IndexAny(strings.TrimLeft(s, " \u00a0"), "=+-@\r\n|%＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}
