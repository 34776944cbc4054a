package agent

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// commander has the OctoPrint that we know now do what the server asks.
type commander struct{ *Agent }

// Command is command.Printer's. What the printer's state does not allow is refused here, too: the server's picture of it
// may be a second old.
func (c commander) Command(ctx context.Context, cmd *wire.Command) error {
	adapter := c.adapter.Load()
	if adapter == nil {
		return &octoprint.Refusal{Code: wire.ResultNotNow, Text: "the agent does not know an OctoPrint yet"}
	}
	if cmd.Type == wire.CommandPause {
		if err := c.begun(ctx, cmd); err != nil {
			return err
		}
	}
	c.mu.Lock()
	connected, status := c.view.Health == octoprint.Connected, c.view.Snapshot.Status
	c.mu.Unlock()
	if rule, ok := wire.RuleOf(cmd.Type); ok && connected {
		h := rule.Hinders(status, false)
		if cmd.Type == wire.CommandSystem && status.Active() && strings.HasPrefix(cmd.Action, "core/") {
			h = wire.HindrancePrinting // it would end the print
		}
		if h != wire.Unhindered {
			return &octoprint.Refusal{Code: wire.ResultNotNow, Text: "the printer's state does not allow it: " + string(h)}
		}
	}
	err := adapter.Client.Command(ctx, cmd)
	var refusal *octoprint.Refusal
	if cmd.Type == wire.CommandSystem && errors.As(err, &refusal) {
		adapter.Recheck() // the right may have been taken away
	}
	return err
}

// startStep is how often it is looked whether a print has begun.
const startStep = 50 * time.Millisecond

// begun waits until a print that is starting has begun, for as long as the command is good: OctoPrint would lose a pause.
func (c commander) begun(ctx context.Context, cmd *wire.Command) error {
	for waited := false; ; waited = true {
		c.mu.Lock()
		starting := c.view.Health == octoprint.Connected && c.view.Snapshot.State.Starting()
		c.mu.Unlock()
		if !starting && !waited {
			return nil
		}
		if now, known := c.link.Now(); !known || float64(now.UnixMilli())/1000 >= cmd.Expires {
			return &octoprint.Refusal{Code: wire.ResultStarting, Text: "the printer is just starting the print: try again in a moment"}
		}
		if !starting {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(startStep):
		}
	}
}

// setTerminal says whether somebody looks at the terminal.
func (a *Agent) setTerminal(wanted bool) {
	if a.terminal.Swap(wanted) == wanted {
		return
	}
	if adapter := a.adapter.Load(); adapter != nil {
		adapter.Terminal(wanted)
	}
}

// Bytes of lines in one message of the terminal, and messages in one go: a printing printer says more than anybody reads.
const (
	terminalBytes    = 10 << 10
	terminalMessages = 2
)

// Terminal sends the newest lines, as many as fit.
func (r *receiver) Terminal(lines []string, skipped int) {
	skipped += r.unsent
	parts := [][]string{}
	end, size := len(lines), 0
	for i := len(lines) - 1; i >= 0; i-- {
		n := len(lines[i])*2 + 4 // quotes and backslashes take two bytes each in JSON
		if size+n > terminalBytes {
			parts = append(parts, lines[i+1:end])
			end, size = i+1, 0
			if len(parts) == terminalMessages {
				break
			}
		}
		size += n
	}
	if len(parts) < terminalMessages && end > 0 {
		parts = append(parts, lines[:end])
		end = 0
	}
	skipped += end
	r.unsent = 0
	for i := len(parts) - 1; i >= 0; i-- {
		payload, err := json.Marshal(wire.Terminal{Lines: parts[i], Skipped: skipped})
		if err != nil || !r.link.Lines(payload) {
			r.unsent += skipped + len(parts[i])
		}
		skipped = 0
	}
}
