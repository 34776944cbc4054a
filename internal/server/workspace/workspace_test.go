package workspace_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

func init() { huma.NewError = problem.Huma }

// people are the accounts of a test: each is called as its id, with an address of that name.
type people []string

func (p people) EmailKey(email string) (string, error) {
	if !strings.Contains(email, "@") {
		return "", problem.Field("email_invalid", "email", "not an address")
	}
	return strings.ToLower(email), nil
}

func (p people) PeopleByID(_ context.Context, ids []string) (map[string]workspace.Person, error) {
	found := map[string]workspace.Person{}
	for _, id := range ids {
		if slices.Contains(p, id) {
			found[id] = workspace.Person{ID: id, Name: strings.ToUpper(id), Email: id + "@example.com"}
		}
	}
	return found, nil
}

type world struct {
	t       *testing.T
	ws      *workspace.Service
	own     map[string]workspace.Workspace
	mu      sync.Mutex
	changes []string
	ended   []bus.AccessEnded
	asked   []workspace.Invite
	url     string
}

// newWorld makes a workspace for each of names, and an operator and a viewer in that of owner.
func newWorld(t *testing.T) *world {
	t.Helper()
	names := people{"owner", "operator", "viewer", "other", "admin"}
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, own: map[string]workspace.Workspace{}}
	b := &bus.Bus{}
	b.AccessEnded.Subscribe(func(e bus.AccessEnded) { w.note(func() { w.ended = append(w.ended, e) }) })
	w.ws = &workspace.Service{DB: db, Bus: b, People: names}
	w.ws.OnChange = func(_ context.Context, _ bun.IDB, c workspace.Change) error {
		w.note(func() { w.changes = append(w.changes, c.Action) })
		return nil
	}
	w.ws.OnInvite = func(_ context.Context, _ bun.Tx, in workspace.Invite) error {
		w.note(func() { w.asked = append(w.asked, in) })
		return nil
	}
	if err := w.ws.Initialize(); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
			w.own[name], err = w.ws.CreatePersonal(ctx, tx, name, strings.ToUpper(name))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	w.ws.Register(humago.New(mux, huma.DefaultConfig("test", "1")))
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(rw, r.WithContext(workspace.WithActor(r.Context(), actor(r.Header.Get("Test-Actor")))))
	}))
	t.Cleanup(srv.Close)
	w.url = srv.URL
	w.join("owner", "operator", workspace.RoleOperator)
	w.join("owner", "viewer", workspace.RoleViewer)
	return w
}

func (w *world) note(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

// actor is somebody called name; "name/via" came another way than by a session.
func actor(name string) workspace.Actor {
	name, via, found := strings.Cut(name, "/")
	if !found {
		via = "session"
	}
	if name == "" {
		return workspace.Actor{}
	}
	return workspace.Actor{UserID: name, Name: strings.ToUpper(name), Admin: name == "admin", Via: workspace.Via(via)}
}

func (w *world) join(owner, who string, role workspace.Role) {
	w.t.Helper()
	if err := w.ws.Invite(w.t.Context(), actor(owner), w.own[owner].ID, who+"@example.com", role); err != nil {
		w.t.Fatal(err)
	}
	open, err := w.ws.ReceivedBy(w.t.Context(), who)
	if err != nil || len(open) != 1 {
		w.t.Fatalf("%s is asked %v, %v", who, open, err)
	}
	if err := w.ws.Accept(w.t.Context(), actor(who), open[0].ID); err != nil {
		w.t.Fatal(err)
	}
}

// call asks the API and gives the body; it fails the test when the answer is another.
func (w *world) call(who string, status int, code, method, path, body string) map[string]any {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Test-Actor", who)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]any{}
	json.Unmarshal(raw, &got)
	if have, _ := got["code"].(string); resp.StatusCode != status || have != code {
		w.t.Fatalf("%s: %s %s: %d %s, want %d %s", who, method, path, resp.StatusCode, raw, status, code)
	}
	return got
}

func TestCan(t *testing.T) {
	w := newWorld(t)
	all := []string{"owner", "owner/token", "owner/plugin", "owner/device", "operator", "viewer", "other", "admin", "nobody/system", ""}
	// What each of all is answered, in that order: "" is yes.
	table := []struct {
		action workspace.Action
		want   []string
	}{
		//                          owner token plugin         device           operator       viewer         other        admin        system nobody
		{workspace.PrinterView, []string{"", "", "not_allowed", "not_signed_in", "", "", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.PrinterControl, []string{"", "", "not_allowed", "not_signed_in", "", "not_allowed", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.PrinterEdit, []string{"", "", "not_allowed", "not_signed_in", "not_allowed", "not_allowed", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.PrinterCreate, []string{"", "", "", "not_signed_in", "not_allowed", "not_allowed", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.PrinterRemove, []string{"", "", "not_allowed", "not_signed_in", "not_allowed", "not_allowed", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.WorkspaceView, []string{"", "", "", "not_signed_in", "", "", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.WorkspaceEdit, []string{"", "", "not_allowed", "not_signed_in", "not_allowed", "not_allowed", "not_found", "not_found", "", "not_signed_in"}},
		{workspace.ServerAdmin, []string{"not_allowed", "not_allowed", "not_allowed", "not_signed_in", "not_allowed", "not_allowed", "not_allowed", "", "", "not_signed_in"}},
		{"printer.unheard_of", []string{"not_allowed", "not_allowed", "not_allowed", "not_signed_in", "not_allowed", "not_allowed", "not_found", "not_found", "", "not_signed_in"}},
	}
	target := workspace.Target{WorkspaceID: w.own["owner"].ID, PrinterID: "some printer"}
	for _, row := range table {
		for i, who := range all {
			err := w.ws.Can(t.Context(), actor(who), row.action, target)
			if got := problem.Code(err); got != row.want[i] || (err != nil && got == "") {
				t.Errorf("%s by %q: %v, want %q", row.action, who, err, row.want[i])
			}
		}
	}
	// The 1.x plugin lists printers without opening one.
	if err := w.ws.Can(t.Context(), actor("owner/plugin"), workspace.PrinterView, workspace.Target{WorkspaceID: target.WorkspaceID}); err != nil {
		t.Errorf("the plugin's list: %v", err)
	}
	if err := w.ws.Can(t.Context(), actor("owner"), workspace.PrinterView, workspace.Target{}); problem.Code(err) != "not_found" {
		t.Errorf("no workspace: %v", err)
	}
}

func TestVisibleWorkspaces(t *testing.T) {
	w := newWorld(t)
	for who, want := range map[string][]string{
		"viewer": {"VIEWER owner true", "OWNER viewer false"}, "owner": {"OWNER owner true"}, "admin": {"ADMIN owner true"}, "": {}, "owner/device": {},
	} {
		list, err := w.ws.VisibleWorkspaces(t.Context(), actor(who))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, v := range list {
			got = append(got, v.Name+" "+string(v.Role)+" "+map[bool]string{true: "true", false: "false"}[v.Personal])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q sees %v, want %v", who, got, want)
		}
	}
}

func TestMembers_RoleChangeHoldsAtOnce(t *testing.T) {
	w := newWorld(t)
	id := w.own["owner"].ID
	can := func(who string, action workspace.Action) string {
		return problem.Code(w.ws.Can(t.Context(), actor(who), action, workspace.Target{WorkspaceID: id}))
	}
	path := "/workspaces/" + id + "/members/"
	if can("operator", workspace.PrinterControl) != "" {
		t.Fatal("an operator cannot operate")
	}
	w.call("owner", 204, "", "PATCH", path+"operator", `{"role":"viewer"}`)
	if can("operator", workspace.PrinterControl) != "not_allowed" {
		t.Error("a lower role does not hold")
	}
	w.call("owner", 204, "", "DELETE", path+"viewer", "")
	if can("viewer", workspace.PrinterView) != "not_found" {
		t.Error("a removed member still sees")
	}
	want := []bus.AccessEnded{{UserID: "operator", WorkspaceID: id}, {UserID: "viewer", WorkspaceID: id}}
	if !slices.Equal(w.ended, want) {
		t.Errorf("ended %v, want %v", w.ended, want)
	}
	w.call("owner", 409, "last_owner", "PATCH", path+"owner", `{"role":"viewer"}`)
	w.call("owner", 409, "last_owner", "DELETE", path+"owner", "")
	w.call("owner", 404, "not_found", "DELETE", path+"viewer", "")
	w.call("owner", 422, "invalid", "PATCH", path+"operator", `{"role":"king"}`)
}

func TestMembers_Rights(t *testing.T) {
	w := newWorld(t)
	base := "/workspaces/" + w.own["owner"].ID
	for _, call := range []struct{ method, path, body string }{
		{"PATCH", base, `{"name":"Mine"}`},
		{"POST", base + "/members", `{"email":"x@example.com","role":"owner"}`},
		{"PATCH", base + "/members/viewer", `{"role":"owner"}`},
		{"DELETE", base + "/members/owner", ""},
		{"DELETE", base + "/invitations/x", ""},
	} {
		for who, code := range map[string]string{"operator": "not_allowed", "viewer": "not_allowed", "other": "not_found", "admin": "not_found", "": "not_signed_in", "owner/plugin": "not_allowed"} {
			status := map[string]int{"not_allowed": 403, "not_found": 404, "not_signed_in": 401}[code]
			w.call(who, status, code, call.method, call.path, call.body)
		}
	}
	list := w.call("viewer", 200, "", "GET", base+"/members", "")["items"].([]any)
	if len(list) != 3 || list[0].(map[string]any)["email"] != nil {
		t.Errorf("a viewer sees %v", list)
	}
	if list := w.call("owner", 200, "", "GET", base+"/members", "")["items"].([]any); list[0].(map[string]any)["email"] != "owner@example.com" {
		t.Errorf("the owner sees %v", list)
	}
	w.call("viewer", 204, "", "DELETE", base+"/members/viewer", "") // anybody may leave
}

// Asking looks the same whether or not the address has an account, and shares nothing before the answer.
func TestMembers_Invitation(t *testing.T) {
	w := newWorld(t)
	base := "/workspaces/" + w.own["owner"].ID
	w.call("owner", 202, "", "POST", base+"/members", `{"email":"other@example.com","role":"operator"}`)
	w.call("owner", 202, "", "POST", base+"/members", `{"email":"nobody@example.com","role":"operator"}`)
	w.call("owner", 202, "", "POST", base+"/members", `{"email":"Other@example.com","role":"viewer"}`) // instead of the first
	w.call("owner", 409, "already_member", "POST", base+"/members", `{"email":"viewer@example.com","role":"viewer"}`)
	w.call("owner", 422, "email_invalid", "POST", base+"/members", `{"email":"nonsense","role":"viewer"}`)
	invited := w.call("owner", 200, "", "GET", base+"/members", "")["invited"].([]any)
	if len(invited) != 2 || len(w.asked) != 5 {
		t.Fatalf("invited %v, asked %d times", invited, len(w.asked))
	}
	w.call("other", 404, "not_found", "GET", base+"/members", "")
	got := w.call("other", 200, "", "GET", "/me/invitations", "")["items"].([]any)
	if len(got) != 1 || got[0].(map[string]any)["workspace"] != "OWNER" || got[0].(map[string]any)["invited_by"] != "OWNER" {
		t.Fatalf("received %v", got)
	}
	id := got[0].(map[string]any)["id"].(string)
	w.call("operator", 404, "not_found", "POST", "/me/invitations/"+id+"/accept", "") // not his
	w.call("other", 204, "", "POST", "/me/invitations/"+id+"/accept", "")
	w.call("other", 404, "not_found", "POST", "/me/invitations/"+id+"/accept", "")
	w.call("other", 200, "", "GET", base+"/members", "")
	w.call("other", 403, "not_allowed", "PATCH", base, `{"name":"Mine"}`)

	left := w.call("owner", 200, "", "GET", base+"/members", "")["invited"].([]any)
	w.call("owner", 204, "", "DELETE", base+"/invitations/"+left[0].(map[string]any)["id"].(string), "")
	w.call("owner", 202, "", "POST", base+"/members", `{"email":"admin@example.com","role":"viewer"}`)
	id = w.call("admin", 200, "", "GET", "/me/invitations", "")["items"].([]any)[0].(map[string]any)["id"].(string)
	w.call("admin", 204, "", "DELETE", "/me/invitations/"+id, "")
	w.call("admin", 404, "not_found", "GET", base+"/members", "")
}

func TestRename(t *testing.T) {
	w := newWorld(t)
	base := "/workspaces/" + w.own["owner"].ID
	got := w.call("owner", 200, "", "PATCH", base, `{"name":" 우리  공방 "}`)
	if got["name"] != "우리 공방" || got["role"] != "owner" || got["personal"] != true {
		t.Errorf("got %v", got)
	}
	w.call("owner", 422, "name_invalid", "PATCH", base, `{"name":"a\u0000b"}`)
	w.call("owner", 422, "invalid", "PATCH", base, `{"name":"x","role":"owner"}`)
}

func TestDeleteUser(t *testing.T) {
	w := newWorld(t)
	var gone workspace.Removal
	err := w.ws.DB.Write(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
		gone, err = w.ws.DeleteUser(ctx, tx, "owner")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ws.Removed(gone)
	id := w.own["owner"].ID
	if !slices.Equal(gone.WorkspaceIDs, []string{id}) || len(w.ended) != 2 {
		t.Errorf("gone %+v, ended %v", gone, w.ended)
	}
	for _, who := range []string{"owner", "operator", "viewer"} {
		if role, err := w.ws.Role(t.Context(), who, id); role != "" || err != nil {
			t.Errorf("%s is still %s, %v", who, role, err)
		}
	}
}

func TestTidyName(t *testing.T) {
	for raw, want := range map[string]string{
		"Kim": "Kim", "  김  철수 ": "김 철수", "\u1100\u1175\u11b7": "김", "👩\u200d🔧 Workshop": "👩\u200d🔧 Workshop", "O'Hara-Ünal": "O'Hara-Ünal", "\u0928\u092e\u0938\u094d\u0924\u0947": "\u0928\u092e\u0938\u094d\u0924\u0947",
		strings.Repeat("가", 80): strings.Repeat("가", 80),
	} {
		if got, err := workspace.TidyName("name", raw); got != want || err != nil {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "   ", "\u200b", "\u3164\u3164", "a\nb", "a\x00", "\x7f", "a\u202eb", "\ufeffx", "\xff", "a\ufffd", strings.Repeat("가", 81), "a" + strings.Repeat("\u0301", 40), "\ue000"} {
		if got, err := workspace.TidyName("name", raw); problem.Code(err) != "name_invalid" {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}
