package file

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func init() { huma.NewError = problem.Huma } // as the web server sets it

const patience = 30 * time.Second

// rights is who may do what, as the tests want it: everybody owns the workspace of his own name; roles adds others.
type rights map[string]workspace.Role // user/workspace

func (r rights) Can(_ context.Context, a workspace.Actor, action workspace.Action, t workspace.Target) error {
	role := r[a.UserID+"/"+t.WorkspaceID]
	if a.UserID == t.WorkspaceID {
		role = workspace.RoleOwner
	}
	rank := map[workspace.Role]int{workspace.RoleViewer: 1, workspace.RoleOperator: 2, workspace.RoleOwner: 3}
	least := map[workspace.Action]int{workspace.FileView: 1, workspace.FileEdit: 2, workspace.FileRemove: 3, workspace.PrinterView: 1, workspace.PrinterControl: 2}[action]
	switch {
	case role == "":
		return problem.NotFound("workspace")
	case rank[role] < least:
		return problem.ErrNotAllowed
	}
	return nil
}

func (r rights) Personal(_ context.Context, userID string) (workspace.Workspace, error) {
	return workspace.Workspace{ID: userID, Personal: true}, nil
}

// house is a library with its calls, and the users who make them: user() by name.
type house struct {
	*Service
	t      testing.TB
	dir    string
	roles  rights
	server *httptest.Server
}

func newHouse(t testing.TB, change ...func(*Service)) *house {
	t.Helper()
	return openHouse(t, t.TempDir(), change...)
}

func openHouse(t testing.TB, dir string, change ...func(*Service)) *house {
	t.Helper()
	db, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{t: t, dir: dir, roles: rights{}}
	h.Service = &Service{DB: db, Bus: &bus.Bus{}, Access: h.roles, Dir: filepath.Join(dir, "files"), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range change {
		c(h.Service)
	}
	if err := h.Initialize(t.Context()); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.Register(humago.New(mux, huma.DefaultConfig("test", "1")))
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if name := r.Header.Get("User"); name != "" {
			ctx = workspace.WithActor(ctx, workspace.Actor{UserID: name, Name: name, Via: workspace.ViaSession})
		}
		mux.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(h.server.Close)
	return h
}

// answer is what a call gave.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

func (a answer) String() string { return fmt.Sprintf("%d %s %s", a.status, a.code(), a.body) }

func (h *house) do(user, method, path string, body io.Reader, headers ...string) answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("User", user)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	resp, err := h.server.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

// call makes a call with a JSON body, and reads its answer into out.
func (h *house) call(user, method, path string, body, out any) answer {
	h.t.Helper()
	var in io.Reader
	headers := []string{}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		in, headers = bytes.NewReader(text), append(headers, "Content-Type: application/json")
	}
	a := h.do(user, method, path, in, headers...)
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			h.t.Fatalf("%s %s: %s", method, path, a)
		}
	}
	return a
}

// metadata writes the header Upload-Metadata.
func metadata(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return "Upload-Metadata: " + strings.Join(parts, ",")
}

const tusVersion = "Tus-Resumable: 1.0.0"

// begin makes an upload and gives its address.
func (h *house) create(user string, size int, pairs ...string) answer {
	h.t.Helper()
	return h.do(user, "POST", "/api/v1/files", nil, tusVersion, "Upload-Length: "+strconv.Itoa(size), metadata(pairs...))
}

func (h *house) patch(user, location string, offset int, content string) answer {
	h.t.Helper()
	return h.do(user, "PATCH", location, strings.NewReader(content), tusVersion, "Upload-Offset: "+strconv.Itoa(offset), "Content-Type: application/offset+octet-stream")
}

func (h *house) head(user, location string) answer {
	h.t.Helper()
	return h.do(user, "HEAD", location, nil, tusVersion)
}

// upload uploads a whole file and gives it.
func (h *house) upload(user, content string, pairs ...string) File {
	h.t.Helper()
	a := h.create(user, len(content), pairs...)
	if a.status != http.StatusCreated {
		h.t.Fatalf("create: %s", a)
	}
	location := a.header.Get("Location")
	if a := h.patch(user, location, 0, content); a.status != http.StatusNoContent {
		h.t.Fatalf("patch: %s", a)
	}
	var f File
	if a := h.call(user, "GET", "/api/v1/files/"+strings.TrimPrefix(location, uploadsPath), nil, &f); a.status != 200 {
		h.t.Fatalf("get: %s", a)
	}
	return f
}

// cube is a small file as a slicer writes it.
const cube = "; a cube\nM104 S200\nG28\nG1 X10 Y10 E1\nG1 X20 Y10 E2\nM84\n"
