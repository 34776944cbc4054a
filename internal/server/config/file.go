package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"
)

// File is the flag --config: a TOML file whose keys are the names of the settings.
//
//	public-url = "https://factor.example.com"
//	uuid-login = true
//	trusted-proxies = ["10.0.0.0/8"]
type File string

// BeforeResolve reads the file before kong looks for values that the command line did not give.
func (f File) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	path, ok := ctx.FlagValue(trace.Flag).(File)
	if !ok || path == "" {
		return nil
	}
	values, err := readFile(string(path))
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	ctx.AddResolver(values)
	return nil
}

// fileValues is what a settings file says, by the settings' names.
type fileValues map[string]string

func readFile(path string) (fileValues, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the settings file: %w", err)
	}
	var raw map[string]any
	if _, err := toml.Decode(string(text), &raw); err != nil {
		// The error's own text may quote a line with a password in it: only its place is told.
		if at, ok := errors.AsType[toml.ParseError](err); ok {
			return nil, fmt.Errorf(`%s, line %d: %s. A line reads: name = "value"`, path, at.Position.Line, at.Message)
		}
		return nil, fmt.Errorf(`%s is no TOML file. A line reads: name = "value"`, path)
	}
	values := fileValues{}
	for key, value := range raw {
		name := strings.ReplaceAll(key, "_", "-")
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("%s: there is no setting %q%s", path, key, suggest(name))
		}
		if values[name], err = plain(value); err != nil {
			return nil, fmt.Errorf("%s: %s %w", path, key, err)
		}
	}
	return values, nil
}

// plain writes a TOML value as it would stand on the command line.
func plain(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool, int64:
		return fmt.Sprint(v), nil
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			s, ok := item.(string)
			if !ok {
				return "", errors.New(`must be a list of texts: ["a", "b"]`)
			}
			parts[i] = s
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("must be a text, a number, true, false, or a list of texts")
}

// Validate is part of kong.Resolver; the keys are checked when the file is read.
func (fileValues) Validate(*kong.Application) error { return nil }

// Resolve gives the file's value of a flag, unless the environment has one.
func (v fileValues) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if value, ok := v[flag.Name]; ok {
		return value, nil
	}
	return nil, nil
}

// Names lists every setting.
func Names() []string {
	var names []string
	for field := range reflect.TypeFor[Settings]().Fields() {
		names = append(names, field.Tag.Get("name"))
	}
	return names
}

// suggest names the setting that was most likely meant.
func suggest(name string) string {
	best, score := "", 0
	for _, known := range Names() {
		same := 0
		for i := 0; i < len(known) && i < len(name) && known[i] == name[i]; i++ {
			same++
		}
		if same > score {
			best, score = known, same
		}
	}
	if score >= 3 || (best != "" && len(best) <= 4 && score >= 2) {
		return ". Do you mean " + best + "?"
	}
	return ". `factor serve --help` lists them"
}
