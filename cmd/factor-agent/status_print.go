package main

import (
	"fmt"
	"io"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/local"
)

// statusWords are the pieces of the status for people.
type statusWords struct {
	title                                     string // name, uuid, version, for how long, memory
	server, octoprint, printer, queue, errors string
	connected, away, attempts, watched, since string
	waiting, unwritten, none, times, often    string
	health                                    map[string]string
}

// printStatus prints the status for people.
func (w *words) printStatus(out io.Writer, s *local.Status, now time.Time) {
	t := &w.status
	ago := func(at time.Time) string { return now.Sub(at).Round(time.Second).String() }
	fmt.Fprintf(out, t.title, s.Name, s.UUID, s.Version, ago(s.StartedAt), size(s.RSS))
	line := func(label, text string) { fmt.Fprintf(out, "  %s: %s\n", label, text) }

	text := fmt.Sprintf(t.connected, ago(s.Server.Since), s.Server.Transport)
	if !s.Server.Connected {
		text = fmt.Sprintf(t.away, ago(s.Server.Since)) + fmt.Sprintf(t.attempts, s.Server.Attempts)
		if s.Server.Error != "" {
			text += ": " + s.Server.Error
		}
	}
	if s.Server.Watched {
		text += t.watched
	}
	line(t.server, s.Server.URL+"  "+text)

	text = fmt.Sprintf(t.since, t.health[s.OctoPrint.Health], ago(s.OctoPrint.Since))
	if s.OctoPrint.Version != "" {
		text = s.OctoPrint.Version + "  " + text
	}
	if s.OctoPrint.Error != "" {
		text += ": " + s.OctoPrint.Error
	}
	line(t.octoprint, s.OctoPrint.URL+"  "+text)

	text = s.Printer.Status
	if s.Printer.Text != "" {
		text += " (" + s.Printer.Text + ")"
	}
	if s.Printer.Completion != nil && s.Printer.Job != "" {
		text += fmt.Sprintf("  %.1f %%  %s", *s.Printer.Completion, s.Printer.File)
	}
	line(t.printer, text)

	text = t.none
	if s.Queue.Length > 0 {
		text = fmt.Sprintf(t.waiting, s.Queue.Length, size(s.Queue.Bytes))
	}
	if s.Queue.Waiting > 0 {
		text += fmt.Sprintf(t.unwritten, s.Queue.Waiting)
	}
	if s.Queue.Error != "" {
		text += ": " + s.Queue.Error
	}
	line(t.queue, text)

	for _, c := range s.Errors {
		text := fmt.Sprintf(t.times, ago(c.At)) + "  " + c.Text
		if c.Count > 1 {
			text += "  (" + fmt.Sprintf(t.often, c.Count) + ")"
		}
		line(t.errors, text)
	}
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.0f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}
