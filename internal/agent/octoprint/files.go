package octoprint

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	maxTreeDepth = 32
	maxTreeBytes = wire.MaxFiles - 256<<10 // of paths and what JSON adds to them, so that the message stays within its limit
	perFile      = 64                      // bytes that a file takes in the message besides its path
)

// Files asks for every printable file. The answer is read as a stream: with 1,500 files it has some megabytes.
func (c *Client) Files(ctx context.Context) (wire.Files, error) {
	r, err := c.open(ctx, http.MethodGet, "/api/files?recursive=true", nil)
	if err != nil {
		return wire.Files{}, err
	}
	defer r.Close()
	files, err := readFiles(r)
	if err != nil {
		return wire.Files{}, fmt.Errorf("OctoPrint /api/files: %w", withoutURL(err))
	}
	return files, nil
}

// Card lists what the printer's SD card has, as OctoPrint has last asked for it.
func (c *Client) Card(ctx context.Context) ([]wire.DeviceFile, error) {
	r, err := c.open(ctx, http.MethodGet, "/api/files/sdcard", nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	files, err := readFiles(r)
	if err != nil {
		return nil, fmt.Errorf("OctoPrint /api/files/sdcard: %w", withoutURL(err))
	}
	return files.SDCard, nil
}

// tree gathers files while the answer streams by.
type tree struct {
	d     *jsontext.Decoder
	files wire.Files
	bytes int
}

func readFiles(r io.Reader) (wire.Files, error) {
	t := tree{d: jsontext.NewDecoder(io.LimitReader(r, maxTree), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		files: wire.Files{Local: []wire.DeviceFile{}, SDCard: []wire.DeviceFile{}}}
	if t.d.PeekKind() != '{' {
		return wire.Files{}, ErrNotOctoPrint
	}
	found := false
	err := members(t.d, func(name string) error {
		if name != "files" {
			return t.d.SkipValue()
		}
		found = true
		return elements(t.d, func() error { return t.entry(0) })
	})
	if err == nil && !found {
		err = ErrNotOctoPrint
	}
	return t.files, err
}

// entry reads a file or a folder with what is in it.
func (t *tree) entry(depth int) error {
	var kind, path, origin text
	var size, date number
	folder := false
	err := members(t.d, func(name string) error {
		switch name {
		case "type":
			return kind.UnmarshalJSONFrom(t.d)
		case "path":
			return path.UnmarshalJSONFrom(t.d)
		case "origin":
			return origin.UnmarshalJSONFrom(t.d)
		case "size":
			return size.UnmarshalJSONFrom(t.d)
		case "date":
			return date.UnmarshalJSONFrom(t.d)
		case "children":
			folder = true
			if depth >= maxTreeDepth {
				return t.d.SkipValue()
			}
			return elements(t.d, func() error { return t.entry(depth + 1) })
		}
		return t.d.SkipValue()
	})
	if err != nil || folder || kind != "machinecode" || path == "" {
		return err
	}
	cost := 2*len(path) + perFile // a quote or a backslash takes two bytes
	if len(t.files.Local)+len(t.files.SDCard) >= wire.MaxTreeSize || t.bytes+cost > maxTreeBytes {
		t.files.Omitted++
		return nil
	}
	t.bytes += cost
	f := wire.DeviceFile{Path: string(path)}
	if n := size.count(); n != nil {
		f.Size = *n
	}
	if n := date.between(0, 1e11); n != nil {
		f.Date = *n
	}
	if origin == "sdcard" {
		t.files.SDCard = append(t.files.SDCard, f)
	} else {
		t.files.Local = append(t.files.Local, f)
	}
	return nil
}
