package octoprint

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// members walks an object; each must consume its value. Anything else than an object is skipped.
func members(d *jsontext.Decoder, each func(name string) error) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := each(t.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// elements walks an array; each must consume an element. Anything else than an array is skipped.
func elements(d *jsontext.Decoder, each func() error) error {
	if d.PeekKind() != '[' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// flags are OctoPrint's state flags; members that are no booleans are left out.
type flags map[string]bool

func (f *flags) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*f = make(flags, 12)
	return members(d, func(name string) error {
		kind := d.PeekKind()
		if (kind == 't' || kind == 'f') && len(*f) < wire.MaxFlags && len(name) <= 40 {
			(*f)[name] = kind == 't'
		}
		return d.SkipValue()
	})
}

// readings are temperatures. OctoPrint sends a list of them over time; only the last of each heater is kept.
type readings map[string]reading

type reading struct{ actual, target number }

func (r *readings) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*r = nil
	return elements(d, func() error {
		return members(d, func(name string) error {
			if name == "time" || !heaterName(name) {
				return d.SkipValue()
			}
			var v reading
			err := members(d, func(field string) error {
				switch field {
				case "actual":
					return v.actual.UnmarshalJSONFrom(d)
				case "target":
					return v.target.UnmarshalJSONFrom(d)
				}
				return d.SkipValue()
			})
			if err != nil {
				return err
			}
			if *r == nil {
				*r = make(readings, 3)
			}
			if _, known := (*r)[name]; known || len(*r) < wire.MaxHeaters {
				(*r)[name] = v
			}
			return nil
		})
	})
}

// heaterName tells whether a name is like OctoPrint's: tool0…, bed, chamber, or a plugin's own short word.
func heaterName(s string) bool {
	if s == "" || len(s) > 16 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// filament is what a tool needs; OctoPrint puts a bare null in place of the object's members while nothing is loaded.
type filament struct{ length, volume number }

func (f *filament) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*f = filament{}
	return members(d, func(name string) error {
		switch name {
		case "length":
			return f.length.UnmarshalJSONFrom(d)
		case "volume":
			return f.volume.UnmarshalJSONFrom(d)
		}
		return d.SkipValue()
	})
}
