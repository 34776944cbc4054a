package app

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// pathName is a {name} of a path.
var pathName = regexp.MustCompile(`\{[^}]+\}`)

// Every text of every JSON body that the API describes: a NUL, which the database takes for the end of a text, and what
// is no UTF-8 are refused with the field's name, before anything is looked up or done.
func TestTexts_NULAndInvalidUTF8(t *testing.T) {
	s := mustServe(t, t.TempDir())
	admin := s.account(t, "admin", true)
	printer, _ := admin.enrol(t, "P")
	spec := mustDecode(t, s.Web.OpenAPI())
	calls, texts := 0, 0
	for path, methods := range child(spec, "paths") {
		url := pathName.ReplaceAllString(path, printer)
		for method, call := range methods.(object) {
			schema := child(child(child(child(call.(object), "requestBody"), "content"), "application/json"), "schema")
			if len(schema) == 0 {
				continue
			}
			calls++
			for _, place := range textsOf(spec, schema, 0) {
				texts++
				for _, evil := range []string{`"a\u0000b"`, "\"a\xffb\""} {
					body := place.body(evil)
					status, answer := admin.call(t, strings.ToUpper(method), url, rawBody(body))
					var p struct{ Code, Field string }
					err := json.Unmarshal(answer, &p)
					if strings.HasSuffix(path, "/commands") { // read by rules of their own: TestCommand_CheckNamesTheField of package wire
						if err != nil || status != http.StatusUnprocessableEntity || p.Code != "invalid" {
							t.Errorf("%s %s %q: %d %s, want 422", method, path, body, status, answer)
						}
						continue
					}
					if err != nil || status != http.StatusBadRequest || p.Code != "invalid" || p.Field != place.field() {
						t.Errorf("%s %s %q: %d %s, want 400 for the field %q", method, path, body, status, answer, place.field())
					}
				}
			}
		}
	}
	if status, answer := admin.call(t, "PATCH", "/api/v1/me", rawBody(`{"name":"One","name":"Two"}`)); status != http.StatusBadRequest || !strings.Contains(string(answer), `"field":"name"`) {
		t.Errorf("a field that is there twice: %d %s", status, answer)
	}
	// The description would have to shrink for this to say nothing.
	if calls < 25 || texts < 60 {
		t.Errorf("only %d texts in %d calls", texts, calls)
	}
}

// What takes texts and is not described by the API.
func TestTexts_BesideTheAPI(t *testing.T) {
	s := mustServe(t, t.TempDir())
	owner := s.account(t, "owner", false)
	nobody := s.visitor(t)
	var login struct {
		AccessToken string `json:"access_token"`
	}
	nobody.must(t, http.StatusOK, "POST", "/api/auth/login", map[string]string{"email": "owner@example.com", "password": password}, &login)
	plugin := s.visitor(t)
	plugin.token = login.AccessToken
	for _, evil := range []string{`a\u0000b`, "a\xffb"} {
		for _, c := range []struct {
			who  *visitor
			path string
			body string
		}{
			{nobody, "/api/auth/login", `{"email":"` + evil + `@example.com","password":"x"}`},
			{nobody, "/api/auth/login", `{"email":"owner@example.com","password":"` + evil + `"}`},
			{plugin, "/api/printer/register", `{"client":{"uuid":"` + evil + `"}}`},
			{plugin, "/api/printer/register", `{"client":{"uuid":"0b9c7b8e-1111-4222-8333-444455556666"},"printer":{"name":"` + evil + `"}}`},
		} {
			if status, answer := c.who.call(t, "POST", c.path, rawBody(c.body)); status < 400 || status >= 500 {
				t.Errorf("POST %s %q: %d %s", c.path, c.body, status, answer)
			}
		}
	}
	for _, name := range []string{"a\x00b.gcode", "a\xffb.gcode"} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/api/v1/files", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Tus-Resumable", "1.0.0")
		r.Header.Set("Upload-Length", "10")
		r.Header.Set("Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte(name)))
		resp, err := owner.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("an upload called %q: %s", name, resp.Status)
		}
	}
}

// place is where a text is in a JSON body: names of objects and numbers of lists, outermost first.
type place []any

// body is a body with nothing but that text in it.
func (p place) body(text string) string {
	if len(p) == 0 {
		return text
	}
	inner := p[1:].body(text)
	if name, ok := p[0].(string); ok {
		return `{"` + name + `":` + inner + `}`
	}
	return "[" + inner + "]"
}

func (p place) field() string {
	var b strings.Builder
	for i, step := range p {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// textsOf lists the texts that a schema has a place for.
func textsOf(spec, schema object, depth int) []place {
	if depth > 8 { // schemas that hold themselves
		return nil
	}
	if ref, ok := schema["$ref"].(string); ok {
		return textsOf(spec, child(child(child(spec, "components"), "schemas"), ref[strings.LastIndexByte(ref, '/')+1:]), depth+1)
	}
	var list []place
	inside := func(step any, of object) {
		for _, p := range textsOf(spec, of, depth+1) {
			list = append(list, append(place{step}, p...))
		}
	}
	if kind, ok := schema["type"].(string); ok && kind == "string" {
		return []place{{}}
	}
	if kinds, ok := schema["type"].([]any); ok {
		for _, kind := range kinds {
			if kind == "string" {
				list = append(list, place{})
			}
		}
	}
	names := make([]string, 0)
	for name := range child(schema, "properties") {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		inside(name, child(child(schema, "properties"), name))
	}
	if items, ok := schema["items"].(object); ok {
		inside(0, items)
	}
	if values, ok := schema["additionalProperties"].(object); ok {
		inside("name", values)
	}
	return list
}
