package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeFiles reads octoprint/files. Of each list MaxTreeSize files are kept and the rest is counted, so that a message of
// a million does not take more memory than what is kept of it. What has a path that cannot be shown, or asked for, is
// counted, too. Sizes and dates that no file has are left out.
func DecodeFiles(b []byte) (Files, error) {
	f := Files{Local: []DeviceFile{}, SDCard: []DeviceFile{}}
	if len(b) > MaxFiles {
		return f, ErrTooLarge
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(b), lenient)
	if dec.PeekKind() != '{' {
		return f, errors.New("files: not a JSON object")
	}
	omitted, err := f.read(dec)
	if err == nil {
		_, err = dec.ReadToken() // }
	}
	if err != nil {
		return f, fmt.Errorf("files: %w", shorten(err))
	}
	f.Omitted = max(0, f.Omitted)
	f.Omitted += min(omitted, math.MaxInt-f.Omitted)
	return f, nil
}

// read reads the fields, up to the object's end, and counts what it leaves out of the lists.
func (f *Files) read(dec *jsontext.Decoder) (omitted int, err error) {
	if _, err := dec.ReadToken(); err != nil {
		return 0, err
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return 0, err
		}
		switch name.String() {
		case "local":
			f.Local, err = readFiles(dec, &omitted)
		case "sdcard":
			f.SDCard, err = readFiles(dec, &omitted)
		case "omitted":
			err = json.UnmarshalDecode(dec, &f.Omitted, lenient)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return 0, err
		}
	}
	return omitted, nil
}

func readFiles(dec *jsontext.Decoder, omitted *int) ([]DeviceFile, error) {
	list := []DeviceFile{}
	if dec.PeekKind() == 'n' {
		return list, dec.SkipValue()
	}
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '[' {
		return nil, errors.Join(err, errors.New("is no list"))
	}
	var f DeviceFile // one for all: each would go to the heap
	for dec.PeekKind() != ']' {
		if len(list) >= MaxTreeSize {
			*omitted++
			if err := dec.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		f = DeviceFile{}
		if err := json.UnmarshalDecode(dec, &f, lenient); err != nil {
			return nil, err
		}
		if _, changed := CleanText(f.Path, MaxPath); changed || !ValidPath(f.Path) {
			*omitted++
			continue
		}
		if f.Size < 0 || f.Size > maxSize {
			f.Size = 0
		}
		if !(f.Date >= 0 && f.Date < maxUnix) {
			f.Date = 0
		}
		list = append(list, f)
	}
	_, err := dec.ReadToken()
	return list, err
}

// ValidPath tells whether a path is one of a file within OctoPrint's folders.
func ValidPath(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}
