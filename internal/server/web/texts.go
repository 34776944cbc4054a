package web

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonFormat is how bodies are read: as huma does, but for texts that nothing behind it can keep, and for a field that
// is there twice.
var jsonFormat = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		if bad := badText(data); bad != nil {
			return bad
		}
		return huma.DefaultJSONFormat.Unmarshal(data, v)
	},
}

// badText finds the first text of a JSON body that has a NUL in it, which the database takes for its end, or that is no
// UTF-8, which would be stored as something else than was sent; or the first name that its object has twice, of which one
// reader takes the first value and another the last.
func badText(body []byte) *huma.ErrorDetail {
	valid := utf8.Valid(body)
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowInvalidUTF8(true))
	for {
		token, err := d.ReadToken()
		if errors.Is(err, jsontext.ErrDuplicateName) {
			at := d.StackPointer()
			if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
				at = s.JSONPointer
			}
			return &huma.ErrorDetail{Location: location(at), Message: "is there twice"}
		}
		if err != nil {
			break // its end, or no JSON, which is said by who reads it
		}
		if token.Kind() != '"' {
			continue
		}
		text := token.String()
		switch {
		case strings.IndexByte(text, 0) >= 0:
			return &huma.ErrorDetail{Location: location(d.StackPointer()), Message: "has a NUL character in it, which no text here may have"}
		case !valid && strings.ContainsRune(text, utf8.RuneError):
			return &huma.ErrorDetail{Location: location(d.StackPointer()), Message: "is not written in UTF-8"}
		}
	}
	if !valid {
		return &huma.ErrorDetail{Location: "body", Message: "is not written in UTF-8"}
	}
	return nil
}

// location writes a JSON pointer as huma names fields: /items/0/name is body.items[0].name. Of a name that is at fault
// itself the object around it is told.
func location(p jsontext.Pointer) string {
	var b strings.Builder
	b.WriteString("body")
	for token := range p.Tokens() {
		switch {
		case strings.IndexByte(token, 0) >= 0 || strings.ContainsRune(token, utf8.RuneError):
			return b.String()
		case strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
		default:
			b.WriteString("." + token)
		}
	}
	return b.String()
}

// placed gives huma's refusals of a body the field that is at fault, which huma does not hand on.
func placed(errs []error) []error {
	for i, err := range errs {
		if d, ok := err.(*huma.ErrorDetail); ok && d.Location == "body" {
			if body, ok := d.Value.(string); ok {
				if bad := badText([]byte(body)); bad != nil {
					errs[i] = bad
				}
			}
		}
	}
	return errs
}
