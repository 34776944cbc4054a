package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

var openAPIFile = filepath.Join("..", "..", "..", "docs", "openapi.json")

// docs/openapi.json is the API as the server describes it, and never loses what it once had.
func TestOpenAPI_SnapshotOnlyGrows(t *testing.T) {
	s := mustServe(t, t.TempDir())
	var now bytes.Buffer
	if err := json.Indent(&now, s.Web.OpenAPI(), "", "  "); err != nil {
		t.Fatal(err)
	}
	now.WriteByte('\n')
	before, err := os.ReadFile(openAPIFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if bytes.Equal(before, now.Bytes()) {
		return
	}
	if len(before) > 0 {
		for _, what := range lost(mustDecode(t, before), mustDecode(t, now.Bytes())) {
			t.Errorf("/api/v1 only grows, and programs of others may use this: %s", what)
		}
	}
	if t.Failed() {
		return
	}
	if !*update {
		t.Fatal("the API changed: go test ./cmd/factor/app -run OpenAPI -update, and look at the difference")
	}
	if err := os.WriteFile(openAPIFile, now.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

type object = map[string]any

func mustDecode(t *testing.T, text []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// lost lists what programs could use by the old description and cannot by the new one: calls, parameters, fields,
// and requests that got by without a field that is needed now.
func lost(before, now object) []string {
	var list []string
	for path, calls := range child(before, "paths") {
		for method, call := range calls.(object) {
			where := strings.ToUpper(method) + " " + path
			same, ok := child(child(now, "paths"), path)[method].(object)
			if !ok {
				list = append(list, where)
				continue
			}
			list = append(list, lostParameters(where, call.(object), same)...)
		}
	}
	requests := requestSchemas(before)
	schemas := child(child(now, "components"), "schemas")
	for name, schema := range child(child(before, "components"), "schemas") {
		same, ok := schemas[name].(object)
		if !ok {
			list = append(list, "schema "+name)
			continue
		}
		for field := range child(schema.(object), "properties") {
			if _, ok := child(same, "properties")[field]; !ok {
				list = append(list, fmt.Sprintf("field %s of %s", field, name))
			}
		}
		if requests[name] {
			for _, field := range added(schema.(object)["required"], same["required"]) {
				list = append(list, fmt.Sprintf("a %s without %s", name, field))
			}
		}
	}
	slices.Sort(list)
	return list
}

func lostParameters(where string, before, now object) []string {
	var list, have []string
	for _, p := range items(now["parameters"]) {
		have = append(have, fmt.Sprint(p.(object)["name"]))
	}
	for _, p := range items(before["parameters"]) {
		if name := fmt.Sprint(p.(object)["name"]); !slices.Contains(have, name) {
			list = append(list, fmt.Sprintf("parameter %s of %s", name, where))
		}
	}
	return list
}

// requestSchemas names the schemas that are sent to the server.
func requestSchemas(o object) map[string]bool {
	names := map[string]bool{}
	for _, calls := range child(o, "paths") {
		for _, call := range calls.(object) {
			for _, content := range child(child(call.(object), "requestBody"), "content") {
				ref, _ := child(content.(object), "schema")["$ref"].(string)
				names[strings.TrimPrefix(ref, "#/components/schemas/")] = true
			}
		}
	}
	return names
}

func child(o object, name string) object {
	c, _ := o[name].(object)
	return c
}

func items(v any) []any {
	list, _ := v.([]any)
	return list
}

func added(before, now any) []string {
	var list []string
	for _, n := range items(now) {
		if !slices.Contains(items(before), n) {
			list = append(list, fmt.Sprint(n))
		}
	}
	return list
}

func TestLost(t *testing.T) {
	api := func(text string) object { return mustDecode(t, []byte(text)) }
	before := api(`{"paths":{"/a":{"get":{"parameters":[{"name":"q"}]},"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/In"}}}}}}},
		"components":{"schemas":{"In":{"required":["x"],"properties":{"x":{},"y":{}}},"Out":{"properties":{"z":{}}}}}}`)
	if got := lost(before, before); len(got) != 0 {
		t.Errorf("nothing changed: %v", got)
	}
	now := api(`{"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/In"}}}}}},"/b":{}},
		"components":{"schemas":{"In":{"required":["x","y"],"properties":{"x":{},"y":{}}},"Out":{"properties":{}}}}}`)
	want := []string{"GET /a", "a In without y", "field z of Out"}
	if got := lost(before, now); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
