package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Refusal says why OctoPrint did not do something, or why it is not known whether it did.
type Refusal struct {
	Code wire.ResultCode
	Text string // for people
}

func (r *Refusal) Error() string { return r.Text }

// ResultCode is what becomes of a command that was refused so.
func (r *Refusal) ResultCode() wire.ResultCode { return r.Code }

// request is one REST call.
type request struct {
	method, path string
	body         any
}

func post(path string, body map[string]any) request { return request{http.MethodPost, path, body} }

func gcode(line string) request {
	return post("/api/printer/command", map[string]any{"command": line})
}

// controls are the calls that make up each command. Their bounds have been checked.
var controls = map[wire.CommandType]func(*wire.Command) []request{
	wire.CommandPause: func(*wire.Command) []request {
		return []request{post("/api/job", map[string]any{"command": "pause", "action": "pause"})}
	},
	wire.CommandResume: func(*wire.Command) []request {
		return []request{post("/api/job", map[string]any{"command": "pause", "action": "resume"})}
	},
	wire.CommandCancel: func(*wire.Command) []request {
		return []request{post("/api/job", map[string]any{"command": "cancel"})}
	},
	wire.CommandHome:           home,
	wire.CommandMove:           move,
	wire.CommandSetTemperature: setTemperature,
	// OctoPrint's own calls for speed and flow take 50…200 and 75…125 % only.
	wire.CommandSetFeedRate: func(c *wire.Command) []request { return []request{gcode("M220 S" + whole(*c.Factor))} },
	wire.CommandSetFlowRate: func(c *wire.Command) []request { return []request{gcode("M221 S" + whole(*c.Factor))} },
	wire.CommandSetFanSpeed: func(c *wire.Command) []request {
		if *c.Speed == 0 {
			return []request{gcode("M107")}
		}
		return []request{gcode("M106 S" + whole(max(1, *c.Speed*255/100)))}
	},
	wire.CommandExtrude: extrude,
	wire.CommandSelectTool: func(c *wire.Command) []request {
		return []request{post("/api/printer/tool", map[string]any{"command": "select", "tool": tool(*c.Tool)})}
	},
	// OctoPrint sends M112 at once, past its queue and without waiting for the printer's ok (util/comm.py,
	// _gcode_M112_queuing), turns the heaters off behind it and closes the connection.
	wire.CommandEmergencyStop: func(*wire.Command) []request { return []request{gcode("M112")} },
	wire.CommandConnect: func(*wire.Command) []request {
		return []request{post("/api/connection", map[string]any{"command": "connect"})}
	},
	wire.CommandDisconnect: func(*wire.Command) []request {
		return []request{post("/api/connection", map[string]any{"command": "disconnect"})}
	},
	wire.CommandSystem: func(c *wire.Command) []request {
		source, action, _ := strings.Cut(c.Action, "/")
		return []request{post("/api/system/commands/"+url.PathEscape(source)+"/"+url.PathEscape(action), map[string]any{})}
	},
	wire.CommandGCode: lines,
	wire.CommandPrint: func(c *wire.Command) []request {
		return []request{post(filePath(c), map[string]any{"command": "select", "print": true})}
	},
	wire.CommandDeleteFile: func(c *wire.Command) []request { return []request{{method: http.MethodDelete, path: filePath(c)}} },
}

// Command has OctoPrint do what a command says. Errors: *Refusal.
func (c *Client) Command(ctx context.Context, command *wire.Command) error {
	calls := controls[command.Type]
	if calls == nil {
		return &Refusal{wire.ResultFailed, "this agent does not know the command " + string(command.Type)}
	}
	list := calls(command)
	for i, r := range list {
		err := c.do(ctx, r)
		if err == nil {
			continue
		}
		var refusal *Refusal
		if command.Lines != nil && errors.As(err, &refusal) {
			return &Refusal{refusal.Code, fmt.Sprintf("line %d of %d, %s: %s", i+1, len(list), command.Lines[i], refusal.Text)}
		}
		return err
	}
	return nil
}

func home(c *wire.Command) []request {
	axes := strings.Split(strings.ToLower(c.Axes), "")
	return []request{post("/api/printer/printhead", map[string]any{"command": "home", "axes": axes})}
}

// move is OctoPrint's jog, or lines of our own where filament moves along, which it cannot.
func move(c *wire.Command) []request {
	axes := []struct {
		name string
		to   *float64
	}{{"x", c.X}, {"y", c.Y}, {"z", c.Z}, {"e", c.E}}
	if c.E == nil {
		body := map[string]any{"command": "jog", "absolute": c.Mode == wire.MoveAbsolute}
		for _, a := range axes {
			if a.to != nil {
				body[a.name] = thousandths(*a.to)
			}
		}
		if c.FeedRate != nil {
			body["speed"] = int(*c.FeedRate)
		}
		return []request{post("/api/printer/printhead", body)}
	}
	line := "G1"
	for _, a := range axes {
		if a.to != nil {
			line += " " + strings.ToUpper(a.name) + strconv.FormatFloat(thousandths(*a.to), 'f', -1, 64)
		}
	}
	feed := 1000.0
	if c.FeedRate != nil {
		feed = *c.FeedRate
	}
	line += " F" + whole(feed)
	return []request{post("/api/printer/command", map[string]any{"commands": []string{"G91", line, "G90"}})}
}

func setTemperature(c *wire.Command) []request {
	to := thousandths(*c.Temperature)
	if c.Wait {
		s := strconv.FormatFloat(to, 'f', -1, 64)
		switch *c.Tool {
		case wire.ToolBed:
			return []request{gcode("M190 S" + s)}
		case wire.ToolChamber:
			return []request{gcode("M191 S" + s)}
		}
		return []request{gcode(fmt.Sprintf("M109 T%d S%s", *c.Tool, s))}
	}
	switch *c.Tool {
	case wire.ToolBed:
		return []request{post("/api/printer/bed", map[string]any{"command": "target", "target": to})}
	case wire.ToolChamber:
		return []request{post("/api/printer/chamber", map[string]any{"command": "target", "target": to})}
	}
	return []request{post("/api/printer/tool", map[string]any{"command": "target", "targets": map[string]float64{tool(*c.Tool): to}})}
}

func extrude(c *wire.Command) []request {
	body := map[string]any{"command": "extrude", "amount": thousandths(*c.Amount)}
	if c.FeedRate != nil {
		body["speed"] = int(*c.FeedRate)
	}
	list := []request{post("/api/printer/tool", body)}
	if c.Tool != nil {
		list = append([]request{post("/api/printer/tool", map[string]any{"command": "select", "tool": tool(*c.Tool)})}, list...)
	}
	return list
}

// lines sends one line after the other, so that the first one that is refused is the last one.
func lines(c *wire.Command) []request {
	texts := c.Lines
	if texts == nil {
		texts = []string{c.Line}
	}
	list := make([]request, 0, len(texts))
	for _, text := range texts {
		line, err := wire.ParseLine(text)
		if err != nil {
			continue // was checked
		}
		list = append(list, gcode(line.Text))
	}
	return list
}

func tool(n int) string { return fmt.Sprintf("tool%d", n) }

func whole(v float64) string { return strconv.Itoa(int(math.Round(v))) }

// thousandths rounds to what a printer can tell apart; OctoPrint writes smaller numbers with an exponent, which printers
// do not read.
func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }

func filePath(c *wire.Command) string {
	parts := strings.Split(c.Path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/api/files/" + c.Origin + "/" + strings.Join(parts, "/")
}

// do makes a call whose answer is a status. Errors: *Refusal.
func (c *Client) do(ctx context.Context, r request) error {
	content := ""
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return &Refusal{wire.ResultFailed, err.Error()}
		}
		content = string(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.path(r.path), strings.NewReader(content))
	if err != nil {
		return &Refusal{wire.ResultFailed, "the OctoPrint address cannot be used"}
	}
	req.Header.Set("X-Api-Key", c.key)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return &Refusal{wire.ResultFailed, "OctoPrint cannot be reached: " + withoutURL(err).Error()}
		}
		return &Refusal{wire.ResultOutcomeUnknown, "OctoPrint has not answered: " + withoutURL(err).Error()}
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // only for its words
	if res.StatusCode/100 == 2 {
		return nil
	}
	said := saidBy(answer)
	switch res.StatusCode {
	case http.StatusConflict:
		return &Refusal{wire.ResultNotNow, said}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &Refusal{wire.ResultFailed, missingRight(r.path)}
	case http.StatusNotFound:
		return &Refusal{wire.ResultFailed, "OctoPrint does not have it: " + said}
	}
	return &Refusal{wire.ResultFailed, fmt.Sprintf("OctoPrint answered with status %d: %s", res.StatusCode, said)}
}

// saidBy gives the words of a refusal: {"error": …}, or the text of a page.
func saidBy(answer []byte) string {
	var v struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &v) != nil || v.Error == "" {
		return "OctoPrint gives no reason"
	}
	text, _ := wire.CleanText(v.Error, 200)
	return text
}

// rights are what OctoPrint's access control asks for, by the beginning of a path.
var rights = []struct{ prefix, name string }{
	{"/api/job", "Print"}, {"/api/printer", "Control"}, {"/api/connection", "Connection"}, {"/api/system", "System"},
	{"/api/files", "File delete and Print"},
}

func missingRight(path string) string {
	for _, r := range rights {
		if strings.HasPrefix(path, r.prefix) {
			return "OctoPrint does not let FACTOR do this: in its settings, Access Control, tick the permission " + r.name +
				" for the user that FACTOR uses (factor, or the one of the API key)"
		}
	}
	return "OctoPrint does not let FACTOR do this"
}
