package octoprint

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// details is what push does not tell: which port and which printer profile.
type details struct {
	port     string
	baudrate float64
	profile  wire.Profile
}

// details asks for both. It is called when a connection to OctoPrint or to its printer has been opened.
func (c *Client) details(ctx context.Context) (d details, err error) {
	var conn struct {
		Current struct {
			Port     any    `json:"port"`
			Baudrate any    `json:"baudrate"` // a number, null, or "AUTO"
			Profile  string `json:"printerProfile"`
		} `json:"current"`
	}
	if err := c.ask(ctx, http.MethodGet, "/api/connection", nil, &conn); err != nil {
		return d, err
	}
	d.port, _ = conn.Current.Port.(string)
	d.baudrate, _ = conn.Current.Baudrate.(float64)

	var list struct {
		Profiles map[string]struct {
			ID        string `json:"id"`
			Name      string `json:"name"`
			Model     string `json:"model"`
			HeatedBed bool   `json:"heatedBed"`
			Extruder  struct {
				Count int `json:"count"`
			} `json:"extruder"`
			Current bool `json:"current"`
			Volume  struct {
				Width  float64 `json:"width"`
				Depth  float64 `json:"depth"`
				Height float64 `json:"height"`
				Origin string  `json:"origin"`
				Form   string  `json:"formFactor"`
			} `json:"volume"`
		} `json:"profiles"`
	}
	if err := c.ask(ctx, http.MethodGet, "/api/printerprofiles", nil, &list); err != nil {
		return d, err
	}
	for _, p := range list.Profiles {
		if p.ID != conn.Current.Profile && (!p.Current || d.profile.ID != "") {
			continue
		}
		d.profile = wire.Profile{
			ID: clipRunes(p.ID, wire.MaxText), Name: clipRunes(p.Name, wire.MaxText), Model: clipRunes(p.Model, wire.MaxText),
			HeatedBed: p.HeatedBed, Extruders: p.Extruder.Count,
			Volume: wire.Volume{Width: p.Volume.Width, Depth: p.Volume.Depth, Height: p.Volume.Height,
				Origin: clipRunes(p.Volume.Origin, 20), Form: clipRunes(p.Volume.Form, 20)},
		}
		if p.ID == conn.Current.Profile {
			break
		}
	}
	return d, nil
}

// PrintResult is how the last print of a file ended, as OctoPrint remembers it.
type PrintResult struct {
	Success   bool
	At        float64 // Unix seconds
	PrintTime float64 // s, 0 if it did not end well
}

// LastPrint asks how the last print of a file ended; nil when OctoPrint remembers none.
func (c *Client) LastPrint(ctx context.Context, origin, path string) (*PrintResult, error) {
	var file struct {
		Prints *struct {
			Last *struct {
				Date      float64 `json:"date"`
				Success   bool    `json:"success"`
				PrintTime float64 `json:"printTime"`
			} `json:"last"`
		} `json:"prints"`
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	at := "/api/files/" + url.PathEscape(origin) + "/" + strings.Join(parts, "/")
	if err := c.ask(ctx, http.MethodGet, at, nil, &file); err != nil {
		return nil, err
	}
	if file.Prints == nil || file.Prints.Last == nil {
		return nil, nil
	}
	last := file.Prints.Last
	return &PrintResult{Success: last.Success, At: last.Date, PrintTime: last.PrintTime}, nil
}
