package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/config"
)

// Both READMEs name every setting with its default, and none that is not there.
func TestReadmesNameEverySetting(t *testing.T) {
	settings := map[string]string{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.Settings]()) {
		if name := field.Tag.Get("name"); name != "" && !hidden(field) {
			settings["--"+name] = field.Tag.Get("default")
		}
	}
	if len(settings) < 10 {
		t.Fatalf("found %d settings: the test looks at nothing", len(settings))
	}
	for _, file := range []string{"README.md", "README.ko.md"} {
		rows := settingRows(t, file)
		for name, fallback := range settings {
			shown, ok := rows[name]
			if !ok {
				t.Errorf("%s: no row for %s", file, name)
			} else if fallback != "" && !strings.Contains(shown, "`"+fallback+"`") {
				t.Errorf("%s: %s has the default %q, the row says %s", file, name, fallback, shown)
			}
		}
		for name := range rows {
			if _, ok := settings[name]; !ok {
				t.Errorf("%s: %s is not a setting", file, name)
			}
		}
	}
}

// A link to a file of the tree leads to one.
func TestDocLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	var files []string
	for _, folder := range []string{"../../docs", "../../docs/*", "../.."} {
		found, err := filepath.Glob(folder + "/*.md")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		for _, match := range link.FindAllStringSubmatch(read(t, file), -1) {
			target := filepath.Join(filepath.Dir(file), match[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(file), match[1])
			}
		}
	}
}

// settingRows gives the default column of each row of a README's table of settings, by flag.
func settingRows(t *testing.T, file string) map[string]string {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| ((?:`--[a-z-]+`(?:, )?)+) \\| ([^|]+) \\|")
	rows := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(read(t, filepath.Join("../..", file)), -1) {
		for name := range strings.SplitSeq(match[1], ", ") {
			rows[strings.Trim(name, "`")] = match[2]
		}
	}
	return rows
}

func hidden(field reflect.StructField) bool {
	_, ok := field.Tag.Lookup("hidden")
	return ok
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(fmt.Errorf("read document: %w", err))
	}
	return string(text)
}
