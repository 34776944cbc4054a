package file

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"
)

func names(files []File) string {
	var list []string
	for _, f := range files {
		list = append(list, f.Folder+"/"+f.Name)
	}
	return strings.Join(list, " ")
}

func TestList(t *testing.T) {
	now := int64(0)
	h := newHouse(t)
	for _, f := range []struct{ name, folder, tags, more string }{
		{"b.gcode", "", "PLA", ""}, {"A.gcode", "", "", "; longer\n"}, {"c_1.gcode", "Work/하나", "PLA,PETG", ""}, {"d%.gcode", "Work", "", "; the longest of them\n"},
		{"e.gcode", "Works", "", ""},
	} {
		now++
		made := h.upload("kim", cube+f.more, "filename", f.name, "folder", f.folder, "tags", f.tags)
		err := h.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewRaw("UPDATE files SET created_at = ? WHERE id = ?", now, made.ID).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		"":                          "/A.gcode /b.gcode",
		"folder=Work":               "Work/d%.gcode",
		"folder=/Work/&deep=true":   "Work/하나/c_1.gcode Work/d%.gcode",
		"deep=true":                 "/A.gcode /b.gcode Work/하나/c_1.gcode Work/d%.gcode Works/e.gcode",
		"deep=true&sort=-name":      "Works/e.gcode Work/d%.gcode Work/하나/c_1.gcode /b.gcode /A.gcode",
		"deep=true&sort=created_at": "/b.gcode /A.gcode Work/하나/c_1.gcode Work/d%.gcode Works/e.gcode",
		"sort=-size":                "/A.gcode /b.gcode",
		"deep=true&tag=PLA":         "/b.gcode Work/하나/c_1.gcode",
		"deep=true&tag=PL":          "",
		"deep=true&q=%25":           "Work/d%.gcode",
		"deep=true&q=_":             "Work/하나/c_1.gcode",
		"deep=true&q=a.G":           "/A.gcode",
	} {
		var list struct {
			Items []File
			Next  string
		}
		if a := h.call("kim", "GET", "/api/v1/files?"+strings.ReplaceAll(query, "하나", url.QueryEscape("하나")), nil, &list); names(list.Items) != want || list.Next != "" {
			t.Errorf("%s: %q, want %q (%s)", query, names(list.Items), want, a)
		}
	}
	for _, sort := range []string{"name", "-name", "created_at", "-size", "print_time"} {
		var whole, page struct {
			Items []File
			Next  string
		}
		h.call("kim", "GET", "/api/v1/files?deep=true&sort="+sort, nil, &whole)
		var seen []File
		for after := ""; ; after = page.Next {
			page.Next = ""
			h.call("kim", "GET", "/api/v1/files?deep=true&limit=2&sort="+sort+"&after="+after, nil, &page)
			if seen = append(seen, page.Items...); page.Next == "" || len(seen) > 10 {
				break
			}
		}
		if names(seen) != names(whole.Items) {
			t.Errorf("%s in pages: %q, want %q", sort, names(seen), names(whole.Items))
		}
	}
	for _, bad := range []string{"sort=x", "after=!", "after=e30", "limit=0", "folder=" + url.QueryEscape("a/../b")} {
		if a := h.call("kim", "GET", "/api/v1/files?"+bad, nil, nil); a.status != 422 {
			t.Errorf("%s: %s", bad, a)
		}
	}
	var usage struct {
		Files int
		Tags  []string
	}
	if h.call("kim", "GET", "/api/v1/files/usage", nil, &usage); usage.Files != 5 || fmt.Sprint(usage.Tags) != "[PETG PLA]" {
		t.Errorf("%+v", usage)
	}
}

func TestEdit(t *testing.T) {
	h := newHouse(t)
	h.roles["op/kim"], h.roles["viewer/kim"] = "operator", "viewer"
	f := h.upload("kim", cube, "filename", "a.gcode")
	h.upload("kim", cube, "filename", "b.gcode")
	path := "/api/v1/files/" + f.ID
	var got File
	if a := h.call("op", "PATCH", path, map[string]any{"name": " c.gcode ", "folder": "new/가", "tags": []string{"b", "a", "b"}}, &got); a.status != 200 ||
		got.Name != "c.gcode" || got.Folder != "new/가" || !slices.Equal(got.Tags, []string{"a", "b"}) {
		t.Errorf("%s", a)
	}
	for _, c := range []struct {
		user, code string
		status     int
		body       map[string]any
	}{
		{"viewer", "not_allowed", 403, map[string]any{"name": "x.gcode"}},
		{"stranger", "not_found", 404, map[string]any{"name": "x.gcode"}},
		{"kim", "name_taken", 409, map[string]any{"name": "b.gcode", "folder": ""}},
		{"kim", "name_extension", 422, map[string]any{"name": "x.bgcode"}},
		{"kim", "name_extension", 422, map[string]any{"name": "x.exe"}},
		{"kim", "name_path", 422, map[string]any{"name": "a/b.gcode"}},
		{"kim", "name_path", 422, map[string]any{"folder": ".."}},
		{"kim", "tag_invalid", 422, map[string]any{"tags": []string{"a,b"}}},
		{"kim", "too_many", 422, map[string]any{"tags": strings.Split("abcdefghijklmnopq", "")}},
	} {
		if a := h.call(c.user, "PATCH", path, c.body, nil); a.status != c.status || a.code() != c.code {
			t.Errorf("%v by %s: %s, want %s", c.body, c.user, a, c.code)
		}
	}
	if h.call("kim", "GET", path, nil, &got); got.Name != "c.gcode" || got.Folder != "new/가" {
		t.Errorf("a refusal changed it: %+v", got)
	}
}

func TestDelete(t *testing.T) {
	h := newHouse(t)
	h.roles["op/kim"] = "operator"
	f := h.upload("kim", cube, "filename", "a.gcode")
	own := h.upload("op", cube, "filename", "b.gcode", "workspace", "kim")
	if err := os.WriteFile(h.thumbPath(f.ID, 0), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := h.call("op", "DELETE", "/api/v1/files/"+f.ID, nil, nil); a.code() != "not_allowed" {
		t.Errorf("an operator deletes the owner's: %s", a)
	}
	if a := h.call("op", "DELETE", "/api/v1/files/"+own.ID, nil, nil); a.status != 204 {
		t.Errorf("an operator deletes his own: %s", a)
	}
	if a := h.call("kim", "DELETE", "/api/v1/files/"+f.ID, nil, nil); a.status != 204 {
		t.Errorf("%s", a)
	}
	if a := h.call("kim", "DELETE", "/api/v1/files/"+f.ID, nil, nil); a.status != 404 {
		t.Errorf("again: %s", a)
	}
	if left, _ := os.ReadDir(h.Dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFolders(t *testing.T) {
	h := newHouse(t)
	h.roles["viewer/kim"] = "viewer"
	h.upload("kim", cube, "filename", "a.gcode", "folder", "가/나/다")
	h.upload("kim", cube, "filename", "b.gcode", "folder", "가나")
	under := h.create("kim", len(cube), "filename", "c.gcode", "folder", "가/나").header.Get("Location")
	folder := func(want string) {
		t.Helper()
		var list struct{ Items []Folder }
		h.call("kim", "GET", "/api/v1/folders", nil, &list)
		var got []string
		for _, f := range list.Items {
			got = append(got, fmt.Sprint(f.Path, ":", f.Files))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	folder("가:1 가/나:1 가/나/다:1 가나:1")
	for _, c := range []struct {
		method, path string
		body         map[string]string
		status       int
		code         string
	}{
		{"POST", "", map[string]string{"path": "라/마"}, 200, ""},
		{"POST", "", map[string]string{"path": "라/마"}, 200, ""},
		{"POST", "", map[string]string{"path": "../x"}, 422, "name_path"},
		{"POST", "", map[string]string{"path": ""}, 422, "name_empty"},
		{"PATCH", "", map[string]string{"path": "가", "new_path": "가/x"}, 409, "inside_itself"},
		{"PATCH", "", map[string]string{"path": "가", "new_path": "가나"}, 409, "name_taken"},
		{"PATCH", "", map[string]string{"path": "없음", "new_path": "x"}, 404, "no_folder"},
		{"PATCH", "", map[string]string{"path": "가", "new_path": "a/b/c/d/e/f/g"}, 422, "too_deep"},
		{"PATCH", "", map[string]string{"path": "가", "new_path": "라/가"}, 200, ""},
		{"DELETE", "?path=" + url.QueryEscape("라"), nil, 409, "not_empty"},
		{"DELETE", "?path=" + url.QueryEscape("라/마"), nil, 204, ""},
		{"DELETE", "?path=" + url.QueryEscape("라/마"), nil, 404, "no_folder"},
		{"DELETE", "", nil, 422, "invalid"},
	} {
		var body any
		if c.body != nil {
			body = c.body
		}
		if a := h.call("kim", c.method, "/api/v1/folders"+c.path, body, nil); a.status != c.status || a.code() != c.code {
			t.Errorf("%s %s %v: %s, want %d %s", c.method, c.path, c.body, a, c.status, c.code)
		}
	}
	folder("가나:1 라:1 라/가:1 라/가/나:1 라/가/나/다:1")
	h.patch("kim", under, 0, cube) // what was under way went along
	var list struct{ Items []File }
	if h.call("kim", "GET", "/api/v1/files?folder="+url.QueryEscape("라/가/나"), nil, &list); names(list.Items) != "라/가/나/c.gcode" {
		t.Errorf("%s", names(list.Items))
	}
	for _, method := range []string{"POST", "PATCH"} {
		body := map[string]string{"path": "x"}
		if method == "PATCH" {
			body["new_path"] = "y"
		}
		if a := h.call("viewer", method, "/api/v1/folders?workspace=kim", body, nil); a.status != http.StatusForbidden {
			t.Errorf("%s by a viewer: %s", method, a)
		}
	}
}

func TestDeleteWorkspaces(t *testing.T) {
	h := newHouse(t)
	h.upload("kim", cube, "filename", "a.gcode", "folder", "x")
	h.create("kim", 5, "filename", "b.gcode")
	theirs := h.upload("lee", cube, "filename", "a.gcode")
	err := h.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return h.DeleteWorkspaces(ctx, tx, "kim", []string{"kim"})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.WorkspacesDeleted("kim", []string{"kim"})
	if left := mustDir(t, h.Dir); len(left) != 1 || left[0].Name() != theirs.ID {
		t.Errorf("%v", left)
	}
}

func mustDir(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
