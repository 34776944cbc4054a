package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kangbyounggwan/factor/cmd/factor/doctor"
	"github.com/kangbyounggwan/factor/internal/server/config"
)

// doctorCommand takes the settings of serve, so that it looks at the same installation. They may be wrong: it says so
// instead of refusing them.
type doctorCommand struct {
	Settings unchecked `embed:""`
	JSON     bool      `name:"json" help:"Print the findings as JSON."`
}

// unchecked is the settings without their Validate, which the command line would call.
type unchecked config.Settings

var marks = map[doctor.Grade]string{doctor.Good: "✓", doctor.Warning: "!", doctor.Bad: "✗"}

// Run ends with exit code 1 when something does not work.
func (c *doctorCommand) Run(ctx context.Context, s *streams) error {
	settings := config.Settings(c.Settings)
	found := doctor.Examine(ctx, &doctor.Patient{Settings: &settings})
	worst := doctor.Worst(found)
	if c.JSON {
		out := json.NewEncoder(s.out)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		if err := out.Encode(map[string]any{"version": version, "result": worst, "findings": found}); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintf(s.out, "%s %s\n", marks[f.Grade], s.say(f.Text.English, f.Text.Korean))
			if f.Cure != nil {
				fmt.Fprintf(s.out, "    → %s\n", s.say(f.Cure.English, f.Cure.Korean))
			}
		}
	}
	if worst == doctor.Bad {
		return errSaid
	}
	return nil
}
