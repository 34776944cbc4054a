package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/kangbyounggwan/factor/internal/line"
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
		return nil, line.At("--config", err)
	}
	return values, nil
}

func readFile(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, line.Tell("cannot read the settings file: %[1]v", "설정 파일 %[2]s을(를) 읽을 수 없습니다: %[3]s", err, path, line.Reason(err))
	}
	var raw map[string]any
	if _, err := toml.Decode(string(text), &raw); err != nil {
		// The error's own text may quote a line with a password in it: only its place is told.
		if at, ok := errors.AsType[toml.ParseError](err); ok {
			return nil, line.Tell(`%s, line %d: %s. A line reads: name = "value"`, `%s, %d번째 줄: %s. 한 줄은 이름 = "값"입니다`, path, at.Position.Line, at.Message)
		}
		return nil, line.Tell(`%s is no TOML file. A line reads: name = "value"`, `%s: TOML 파일이 아닙니다. 한 줄은 이름 = "값"입니다`, path)
	}
	values := map[string]string{}
	for key, value := range raw {
		name := strings.ReplaceAll(key, "_", "-")
		if !slices.Contains(Names(), name) {
			return nil, unknown(path, key, name)
		}
		if values[name], err = plain(value); err != nil {
			return nil, line.Tell("%[1]s: %[2]s %[3]v", "%[1]s: %[2]s: %[4]s", path, key, err, line.InKorean(err))
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
				return "", line.Tell(`must be a list of texts: ["a", "b"]`, `글 목록이어야 합니다: ["a", "b"]`)
			}
			parts[i] = s
		}
		return strings.Join(parts, ","), nil
	}
	return "", line.Tell("must be a text, a number, true, false, or a list of texts", "글, 숫자, true, false 또는 글 목록이어야 합니다")
}

// Names lists every setting.
func Names() []string {
	var names []string
	for field := range reflect.TypeFor[Settings]().Fields() {
		names = append(names, field.Tag.Get("name"))
	}
	return names
}

// unknown names the setting that was most likely meant.
func unknown(path, key, name string) error {
	if best := line.Nearest(name, Names()); best != "" {
		return line.Tell("%s: there is no setting %q. Do you mean %s?", "%s: %q 설정은 없습니다. 혹시 %s인가요?", path, key, best)
	}
	return line.Tell("%s: there is no setting %q. `factor serve --help` lists them", "%s: %q 설정은 없습니다. `factor serve --help`에 모두 있습니다", path, key)
}
