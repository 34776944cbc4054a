package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// tidyName gives a file's name as it is kept: composed (Unicode NFC, as everything but macOS writes it), without space
// around it. Errors: problems of the field.
func tidyName(field, name string) (string, error) {
	if len(name) > 4*wire.MaxFileName { // before anything is done to it
		return "", nameProblem(field, wire.NameLong)
	}
	if !utf8.ValidString(name) {
		return "", nameProblem(field, wire.NameCharacter)
	}
	name = strings.TrimSpace(norm.NFC.String(name))
	return name, nameProblem(field, wire.CheckFileName(name))
}

func nameProblem(field string, err error) error {
	if fault, ok := errors.AsType[wire.NameFault](err); ok {
		return problem.Field(string(fault), field, fault.Error())
	}
	return err
}

// tidyFolder gives a folder's path as it is kept. "" and "/" are the library itself. Errors: problems of the field.
func tidyFolder(field, path string) (string, error) {
	if len(path) > 2*wire.MaxPath {
		return "", problem.Field("name_too_long", field, "The folder's path is longer than 1,024 bytes.")
	}
	path = strings.Trim(path, "/")
	if path == "" {
		return "", nil
	}
	if !utf8.ValidString(path) {
		return "", nameProblem(field, wire.NameCharacter)
	}
	parts := strings.Split(norm.NFC.String(path), "/")
	if len(parts) > maxDepth {
		return "", problem.Field("too_deep", field, fmt.Sprintf("Folders can lie %d deep inside of each other.", maxDepth))
	}
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
		if err := wire.CheckName(parts[i]); err != nil {
			return "", nameProblem(field, err)
		}
	}
	path = strings.Join(parts, "/")
	if len(path) > wire.MaxPath {
		return "", problem.Field("name_too_long", field, "The folder's path is longer than 1,024 bytes.")
	}
	return path, nil
}

// tidyTags gives tags as they are kept: without space around them, each once, in order.
func tidyTags(field string, tags []string) ([]string, error) {
	tidy := make([]string, 0, len(tags))
	for _, tag := range tags {
		if !utf8.ValidString(tag) {
			return nil, problem.Field("tag_invalid", field, "A tag is no text.")
		}
		tag = strings.TrimSpace(norm.NFC.String(tag))
		if _, changed := wire.CleanText(tag, len(tag)); changed || strings.Contains(tag, ",") {
			return nil, problem.Field("tag_invalid", field, "A tag must not hold commas or control characters.")
		}
		if n := utf8.RuneCountInString(tag); n == 0 || n > maxTag {
			return nil, problem.Field("tag_invalid", field, fmt.Sprintf("A tag has 1 to %d characters.", maxTag))
		}
		tidy = append(tidy, tag)
	}
	slices.Sort(tidy)
	tidy = slices.Compact(tidy)
	if len(tidy) > maxTags {
		return nil, problem.Field("too_many", field, fmt.Sprintf("A file can have %d tags.", maxTags))
	}
	return tidy, nil
}

func tagsJSON(tags []string) string {
	if tags == nil {
		tags = []string{}
	}
	b, err := json.Marshal(tags)
	if err != nil {
		return "[]" // a list of texts always can be written
	}
	return string(b)
}

// nameKey is how names are searched and sorted.
func nameKey(name string) string { return strings.ToLower(name) }
