package octoprint

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Rights are what OctoPrint's owner lets us do beyond the usual.
type Rights struct {
	Names  []string // wire.RightSystem, wire.RightTerminal
	System []wire.SystemAction
}

// rightNames are OctoPrint's names for them.
var rightNames = []struct{ theirs, ours string }{{"SYSTEM", wire.RightSystem}, {"MONITOR_TERMINAL", wire.RightTerminal}}

// Rights asks what our key's user may do.
func (c *Client) Rights(ctx context.Context) (Rights, error) {
	var user struct {
		Permissions []string `json:"permissions"`
	}
	err := c.ask(ctx, http.MethodGet, "/api/currentuser", nil, &user)
	if errors.Is(err, statusError(http.StatusNotFound)) {
		return Rights{}, nil // before OctoPrint 1.5
	}
	if err != nil {
		return Rights{}, err
	}
	var r Rights
	for _, n := range rightNames {
		if slices.Contains(user.Permissions, n.theirs) || slices.Contains(user.Permissions, "ADMIN") {
			r.Names = append(r.Names, n.ours)
		}
	}
	if !slices.Contains(r.Names, wire.RightSystem) {
		return r, nil
	}
	type spec struct {
		Source, Action, Name string
		Confirm              any
	}
	var commands struct{ Core, Plugin, Custom []spec }
	err = c.ask(ctx, http.MethodGet, "/api/system/commands", nil, &commands)
	if errors.Is(err, ErrKeyRefused) { // taken away a moment ago
		r.Names = slices.DeleteFunc(r.Names, func(n string) bool { return n == wire.RightSystem })
		return r, nil
	}
	for _, s := range slices.Concat(commands.Core, commands.Plugin, commands.Custom) {
		if len(r.System) == wire.MaxSystem {
			break
		}
		a := wire.SystemAction{Action: s.Source + "/" + s.Action, Ask: s.Confirm != nil && s.Confirm != "" && s.Confirm != false}
		if a.Name, _ = wire.CleanText(s.Name, wire.MaxText); s.Action == "divider" || len(a.Action) > wire.MaxAction {
			continue
		}
		r.System = append(r.System, a)
	}
	return r, err
}

// Same tells whether both are the same.
func (r *Rights) Same(s *Rights) bool {
	return slices.Equal(r.Names, s.Names) && slices.Equal(r.System, s.System)
}
