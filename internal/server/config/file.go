package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/kangbyounggwan/factor/internal/server/config/line"
)

// File is the flag --config: a TOML file whose keys are the names of the settings.
//
//	public-url = "https://factor.example.com"
//	uuid-login = true
//	trusted-proxies = ["10.0.0.0/8"]
type File string

// Read gives what the file says, by the settings' names, each value as it would stand on the command line. Without a
// file that is nothing.
func (f File) Read() (map[string]string, error) {
	if f == "" {
		return nil, nil
	}
	values, err := readFile(string(f))
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return values, nil
}

func readFile(path string) (map[string]string, error) {
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
	values := map[string]string{}
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
	if best := line.Nearest(name, Names()); best != "" {
		return ". Do you mean " + best + "?"
	}
	return ". `factor serve --help` lists them"
}
