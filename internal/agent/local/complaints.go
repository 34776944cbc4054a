package local

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// keep is how many complaints are remembered.
const keep = 10

// Complaints is a log handler that remembers the last warnings and errors besides passing everything on.
type Complaints struct {
	slog.Handler
	kept *kept
}

type kept struct {
	mu   sync.Mutex
	last []Complaint
}

// NewComplaints wraps a log handler.
func NewComplaints(next slog.Handler) *Complaints { return &Complaints{next, &kept{}} }

// Enabled also takes warnings that are not logged.
func (c *Complaints) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || c.Handler.Enabled(ctx, level)
}

// Handle remembers a record that warns.
func (c *Complaints) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		c.kept.add(r)
	}
	if !c.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return c.Handler.Handle(ctx, r)
}

// WithAttrs keeps the memory in common.
func (c *Complaints) WithAttrs(a []slog.Attr) slog.Handler {
	return &Complaints{c.Handler.WithAttrs(a), c.kept}
}

// WithGroup keeps the memory in common.
func (c *Complaints) WithGroup(name string) slog.Handler {
	return &Complaints{c.Handler.WithGroup(name), c.kept}
}

// Last gives what is remembered, the newest last.
func (c *Complaints) Last() []Complaint {
	c.kept.mu.Lock()
	defer c.kept.mu.Unlock()
	return append([]Complaint{}, c.kept.last...)
}

// trouble is the attribute that says by a code what a warning is about, so that the plugin's page can say it in the
// owner's language: one of its own table, or of another place's with that place's name before it, as in camera.not_found.
const trouble = "trouble"

func (k *kept) add(r slog.Record) {
	var text strings.Builder
	what, why := "", ""
	text.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case trouble:
			what = a.Value.String()
		case "error":
			text.WriteString(": " + a.Value.String())
			if err, ok := a.Value.Any().(error); ok {
				why = codeOf(err)
			}
		}
		return true
	})
	code := what
	if code == "" || why == codeNoSpace { // then that is all there is to do about it
		code = why
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	at := r.Time.Truncate(time.Second)
	if n := len(k.last); n > 0 && k.last[n-1].Text == text.String() {
		k.last[n-1].At, k.last[n-1].Count = at, k.last[n-1].Count+1
		return
	}
	if len(k.last) == keep {
		k.last = append(k.last[:0], k.last[1:]...)
	}
	k.last = append(k.last, Complaint{At: at, Text: text.String(), Code: code, Count: 1})
}
