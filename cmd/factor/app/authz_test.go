package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// actors are who asks, in the order of a row's verdicts.
var actors = []string{"owner", "operator", "viewer", "other", "nobody", "admin", "device", "plugin", "ended", "token", "code"}

// Verdicts. in: let in, whatever becomes of the request then; the others are how somebody is kept out.
const (
	in      = "in"
	sign    = "401" // not signed in
	no      = "403" // may know of it, may not do it
	hidden  = "404" // may not know of it
	session = "ses" // signed in, but this wants a browser's session
)

// Rows that many routes share.
var (
	everybody = row{"everybody", []string{in, in, in, in, in, in, in, in, in, in, in}}
	people    = row{"people", []string{in, in, in, in, sign, in, sign, no, sign, in, no}}
	browsers  = row{"browsers", []string{in, in, in, in, sign, in, sign, no, sign, session, no}}
	admins    = row{"administrators", []string{no, no, no, no, sign, in, sign, no, sign, no, no}}
	lookers   = row{"who sees the workspace", []string{in, in, in, hidden, sign, hidden, sign, no, sign, in, no}}
	owners    = row{"who owns the workspace", []string{in, no, no, hidden, sign, hidden, sign, no, sign, in, no}}
	oneself   = row{"whose it is", []string{in, hidden, hidden, hidden, sign, hidden, sign, no, sign, in, no}}
	inBrowser = row{"whose it is, in a browser", []string{in, hidden, hidden, hidden, sign, hidden, sign, no, sign, session, no}}
	plugins   = row{"plugins", []string{sign, sign, sign, sign, sign, sign, sign, in, sign, in, in}}
	accounts  = row{"people and plugins", []string{in, in, in, in, sign, in, sign, in, sign, in, in}}
	operators = row{"who controls", []string{in, in, no, hidden, sign, hidden, sign, no, sign, in, no}}
	enrolling = row{"who owns the workspace, or has a code", []string{in, no, no, hidden, sign, hidden, sign, no, sign, in, in}}
	devices   = row{"devices", []string{sign, sign, sign, sign, sign, sign, sign, sign, sign, sign, sign}}
	nothing   = row{"nothing is there", []string{hidden, hidden, hidden, hidden, hidden, hidden, hidden, hidden, hidden, hidden, hidden}}
)

type row struct {
	name     string
	verdicts []string
}

// table says for every route who is let in. A route that is missing here fails the test: decide who may use it.
var table = map[string]struct {
	row
	body string
}{
	"GET /api/v1/server":                               {everybody, ""},
	"POST /api/v1/signup":                              {everybody, `{"email":"x","name":"x","password":"x"}`},
	"POST /api/v1/signup/resend":                       {everybody, `{"email":"nobody@example.com"}`},
	"GET /api/v1/invitation":                           {everybody, ""},
	"POST /api/v1/verify":                              {everybody, `{"token":"x"}`},
	"POST /api/v1/session":                             {everybody, `{"email":"nobody@example.com","password":"x"}`},
	"POST /api/v1/password/forgot":                     {everybody, `{"email":"nobody@example.com"}`},
	"POST /api/v1/password/reset":                      {everybody, `{"token":"x","password":"x"}`},
	"GET /api/v1/openapi.json":                         {everybody, ""},
	"POST /api/auth/login":                             {everybody, `{"email":"nobody@example.com","password":"x"}`},
	"GET /healthz":                                     {everybody, ""},
	"GET /readyz":                                      {everybody, ""},
	"GET /docs/":                                       {everybody, ""},
	"GET /api/v1/plugin":                               {everybody, ""},
	"GET /plugin/factor.zip":                           {everybody, ""},
	"GET /plugin/version.json":                         {everybody, ""},
	"GET /plugin/agent/{platform}":                     {everybody, ""},
	"GET /ca.crt":                                      {everybody, ""},
	"GET /mqtt":                                        {everybody, ""}, // devices log in inside: TestAuthz_Topics
	"/":                                                {everybody, ""},
	"/api/":                                            {nothing, ""},
	"GET /api/printers/summary":                        {plugins, ""},
	"POST /api/printer/register":                       {plugins, `{}`},
	"GET /metrics":                                     {admins, ""},
	"GET /api/v1/push":                                 {people, ""}, // channels: TestAuthz_Channels
	"DELETE /api/v1/session":                           {browsers, ""},
	"DELETE /api/v1/sessions":                          {browsers, ""},
	"GET /api/v1/sessions":                             {people, ""},
	"DELETE /api/v1/sessions/{id}":                     {inBrowser, ""},
	"GET /api/v1/me":                                   {people, ""},
	"PATCH /api/v1/me":                                 {people, `{}`},
	"DELETE /api/v1/me":                                {browsers, `{"password":"wrong"}`},
	"POST /api/v1/me/password":                         {browsers, `{"current":"wrong","new":"x"}`},
	"POST /api/v1/me/email":                            {browsers, `{"password":"wrong","email":"x"}`},
	"GET /api/v1/me/invitations":                       {people, ""},
	"GET /api/v1/tokens":                               {people, ""},
	"POST /api/v1/tokens":                              {browsers, `{"name":""}`},
	"DELETE /api/v1/tokens/{id}":                       {inBrowser, ""},
	"GET /api/v1/audit":                                {people, ""},
	"GET /api/v1/workspaces":                           {people, ""},
	"PATCH /api/v1/workspaces/{id}":                    {owners, `{"name":"Workshop"}`},
	"GET /api/v1/workspaces/{id}/members":              {lookers, ""},
	"POST /api/v1/workspaces/{id}/members":             {owners, `{"email":"x","role":"viewer"}`},
	"PATCH /api/v1/workspaces/{id}/members/{user_id}":  {owners, `{"role":"viewer"}`},
	"DELETE /api/v1/workspaces/{id}/members/{user_id}": {owners, ""},
	"DELETE /api/v1/workspaces/{id}/invitations/{invitation_id}": {owners, ""},
	"POST /api/v1/me/invitations/{id}/accept":                    {oneself, ""},
	"DELETE /api/v1/me/invitations/{id}":                         {oneself, ""},
	"GET /api/v1/printers":                                       {accounts, ""},
	"POST /api/v1/printers":                                      {accounts, `{"uuid":"x","name":"x"}`},
	"GET /api/v1/printers/{uuid}":                                {lookers, ""},
	"PATCH /api/v1/printers/{uuid}":                              {owners, `{"name":"P"}`},
	"DELETE /api/v1/printers/{uuid}":                             {owners, ""},
	"POST /api/v1/printers/{uuid}/token":                         {enrolling, ""},
	"POST /api/v1/printers/{uuid}/transfer":                      {owners, ""},
	"GET /api/v1/printers/{uuid}/transfer":                       {owners, ""},
	"DELETE /api/v1/printers/{uuid}/transfer":                    {owners, ""},
	"POST /api/v1/transfers/accept":                              {people, `{"code":"x"}`},
	"GET /api/v1/setup/{uuid}":                                   {people, ""},
	"POST /api/v1/setup-codes":                                   {people, ""},
	"POST /api/v1/setup-codes/redeem":                            {everybody, `{"code":"x"}`},
	"POST /api/v1/printers/{uuid}/replace":                       {owners, `{"uuid":"0b9c7b8e-1111-4222-8333-444455556666"}`},
	"GET /api/v1/printers/{uuid}/cameras":                        {lookers, ""},
	"PUT /api/v1/printers/{uuid}/cameras":                        {owners, `{"items":[]}`},
	"POST /api/v1/printers/{uuid}/attention/ack":                 {operators, ""},
	"POST /api/v1/printers/{uuid}/commands":                      {operators, `{"type":"pause"}`},
	"GET /api/v1/printers/{uuid}/commands":                       {lookers, ""},
	"GET /api/v1/printers/{uuid}/commands.csv":                   {lookers, ""},
	"GET /api/v1/audit.csv":                                      {people, ""},
	"GET /api/v1/printers/{uuid}/commands/{id}":                  {lookers, ""},
	"GET /api/v1/printers/{uuid}/controls":                       {lookers, ""},
	"POST /api/v1/printers/{uuid}/macros/{id}/run":               {operators, ""},
	"GET /api/v1/workspaces/{id}/macros":                         {lookers, ""},
	"PUT /api/v1/workspaces/{id}/macros":                         {owners, `{"items":[]}`},
	"GET /api/v1/workspaces/{id}/presets":                        {lookers, ""},
	"PUT /api/v1/workspaces/{id}/presets":                        {owners, `{"items":[]}`},
	"PUT /api/v1/printers/{uuid}/limits":                         {owners, `{"max_temperatures":{}}`},
	"GET /api/v1/printers/{uuid}/events":                         {lookers, ""},
	"GET /api/v1/printers/{uuid}/history":                        {lookers, ""},
	"GET /api/v1/printers/{uuid}/files":                          {lookers, ""},
	"GET /api/v1/printers/{uuid}/jobs":                           {lookers, ""},
	"GET /api/v1/files":                                          {people, ""}, // one's own library; others': TestAuthz_Files
	"OPTIONS /api/v1/files":                                      {people, ""},
	"POST /api/v1/files":                                         {people, ""},
	"GET /api/v1/files/usage":                                    {people, ""},
	"GET /api/v1/files/{id}":                                     {lookers, ""},
	"PATCH /api/v1/files/{id}":                                   {operators, `{"tags":[]}`},
	"DELETE /api/v1/files/{id}":                                  {owners, ""},
	"GET /api/v1/files/{id}/download":                            {lookers, ""},
	"GET /api/v1/files/{id}/thumbnails/{n}":                      {lookers, ""},
	"GET /api/v1/files/{id}/toolpath":                            {lookers, ""},
	"HEAD /api/v1/uploads/{id}":                                  {oneself, ""},
	"PATCH /api/v1/uploads/{id}":                                 {oneself, ""},
	"DELETE /api/v1/uploads/{id}":                                {oneself, ""},
	"POST /api/v1/printers/{uuid}/print":                         {operators, `{"file":"x"}`},
	"GET /api/v1/printers/{uuid}/fit":                            {lookers, ""},
	"GET /api/v1/printers/{uuid}/transfers":                      {lookers, ""},
	"DELETE /api/v1/printers/{uuid}/transfers/{id}":              {operators, ""},
	"POST /api/v1/printers/{uuid}/files/bring":                   {operators, `{"origin":"local","path":"x.gcode"}`},
	"GET /api/device/files/{token}":                              {devices, ""}, // their own log-in: TestTransfers_Devices
	"HEAD /api/device/files/{token}":                             {devices, ""},
	"PUT /api/device/files/{token}":                              {devices, ""},
	"GET /api/v1/folders":                                        {people, ""},
	"POST /api/v1/folders":                                       {people, `{"path":"a"}`},
	"PATCH /api/v1/folders":                                      {people, `{"path":"a","new_path":"b"}`},
	"DELETE /api/v1/folders":                                     {people, ""},
	"GET /api/v1/admin/users":                                    {admins, ""},
	"PATCH /api/v1/admin/users/{id}":                             {admins, `{}`},
	"DELETE /api/v1/admin/users/{id}":                            {admins, ""},
	"GET /api/v1/admin/invitations":                              {admins, ""},
	"POST /api/v1/admin/invitations":                             {admins, `{}`},
	"DELETE /api/v1/admin/invitations/{id}":                      {admins, ""},
	"POST /api/v1/admin/mail/test":                               {admins, `{"to":"x@example.com"}`},
	"GET /api/v1/admin/audit":                                    {admins, ""},
	"GET /api/v1/admin/server":                                   {admins, ""},
}

// cast is everybody of the table on one site, and what they fight over.
type cast struct {
	*site
	who       map[string]*visitor
	workspace string // the owner's
}

func mustCast(t *testing.T) *cast {
	t.Helper()
	c := &cast{site: mustServe(t, t.TempDir()), who: map[string]*visitor{}}
	for _, name := range []string{"owner", "operator", "viewer", "other", "admin", "ended", "member"} {
		c.who[name] = c.account(t, name, name == "admin")
	}
	owner := c.who["owner"]
	var list struct{ Items []struct{ ID string } }
	owner.must(t, http.StatusOK, "GET", "/api/v1/workspaces", nil, &list)
	c.workspace = list.Items[0].ID
	c.join(t, "operator", "operator")
	c.join(t, "viewer", "viewer")
	c.join(t, "member", "viewer")
	c.who["nobody"] = c.visitor(t)
	for _, name := range []string{"device", "plugin", "token", "code"} {
		c.who[name] = c.visitor(t)
	}
	_, c.who["device"].token = owner.enrol(t, "its printer")
	var made struct{ Token string }
	owner.must(t, http.StatusCreated, "POST", "/api/v1/tokens", map[string]string{"name": "t"}, &made)
	c.who["token"].token = made.Token
	c.signPluginIn(t)
	c.signCodeIn(t)
	c.endSession(t)
	return c
}

// signCodeIn signs a plugin in by a code of the owner's.
func (c *cast) signCodeIn(t *testing.T) {
	t.Helper()
	var made struct{ Code string }
	c.who["owner"].must(t, http.StatusCreated, "POST", "/api/v1/setup-codes", nil, &made)
	var login struct {
		AccessToken string `json:"access_token"`
	}
	c.who["nobody"].must(t, http.StatusOK, "POST", "/api/v1/setup-codes/redeem", map[string]string{"code": made.Code}, &login)
	c.who["code"].token = login.AccessToken
}

func (c *cast) signPluginIn(t *testing.T) {
	t.Helper()
	var login struct {
		AccessToken string `json:"access_token"`
	}
	c.who["plugin"].must(t, http.StatusOK, "POST", "/api/auth/login", map[string]string{"email": "owner@example.com", "password": password}, &login)
	c.who["plugin"].token = login.AccessToken
}

// join makes somebody a member of the owner's workspace.
func (c *cast) join(t *testing.T, name, role string) {
	t.Helper()
	c.who[name].must(t, http.StatusNoContent, "POST", "/api/v1/me/invitations/"+c.invite(t, name, role)+"/accept", nil, nil)
}

func (c *cast) invite(t *testing.T, name, role string) string {
	t.Helper()
	status, body := c.who["owner"].call(t, "POST", "/api/v1/workspaces/"+c.workspace+"/members", map[string]string{"email": name + "@example.com", "role": role})
	if status >= 300 {
		t.Fatalf("invite %s: %d %s", name, status, body)
	}
	var list struct{ Items []struct{ ID string } }
	c.who[name].must(t, http.StatusOK, "GET", "/api/v1/me/invitations", nil, &list)
	if len(list.Items) == 0 {
		t.Fatalf("%s has no invitation", name)
	}
	return list.Items[0].ID
}

// endSession ends the session of the one called ended, who goes on showing its cookie.
func (c *cast) endSession(t *testing.T) {
	t.Helper()
	ended := c.who["ended"]
	r, err := http.NewRequest("GET", c.url+"/api/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	cookies := ended.http.Jar.Cookies(r.URL)
	ended.must(t, http.StatusNoContent, "DELETE", "/api/v1/session", nil, nil)
	ended.http.Jar.SetCookies(r.URL, cookies)
	if !slices.ContainsFunc(cookies, func(k *http.Cookie) bool { return k.Name == account.SessionCookie }) {
		t.Fatal("no session cookie")
	}
}

// path fills in the names of a route with things of the owner's, made anew where a call may end them. undo puts things
// back as they were.
func (c *cast) path(t *testing.T, route, actor string) (path string, undo func()) {
	t.Helper()
	undo = func() {}
	if _, path, _ = strings.Cut(route, " "); path == "" {
		path = route
	}
	owner := c.who["owner"]
	switch {
	case path == "/api/":
		return "/api/nothing", undo
	case strings.Contains(path, "/printers/{uuid}"):
		uuid, _ := owner.enrol(t, "P")
		if strings.Contains(path, "/camera") { // its device is away, which those who may look are told
			owner.must(t, http.StatusOK, "PUT", "/api/v1/printers/"+uuid+"/cameras", map[string]any{"items": []any{
				map[string]string{"name": "Cam", "stream_url": "http://192.0.2.1/"}}}, nil)
			path = strings.NewReplacer("{camera}", "Cam", "{file}", "index.m3u8", "{session}", "x").Replace(path)
		}
		undo = func() { owner.call(t, "DELETE", "/api/v1/printers/"+uuid, nil) }
		switch {
		case strings.HasSuffix(path, "/commands/{id}"):
			path = strings.Replace(path, "{id}", c.given(t, uuid), 1)
		case strings.Contains(path, "/macros/{id}"):
			var made struct{ Items []struct{ ID string } }
			owner.must(t, http.StatusOK, "PUT", "/api/v1/workspaces/"+c.workspace+"/macros",
				json.RawMessage(`{"items":[{"name":"M","lines":["M105"]}]}`), &made)
			path = strings.Replace(path, "{id}", made.Items[0].ID, 1)
		}
		return strings.Replace(path, "{uuid}", uuid, 1), undo
	case strings.Contains(path, "/files/{id}"):
		id := owner.bring(t, "x.gcode")
		undo = func() { owner.call(t, "DELETE", "/api/v1/files/"+id, nil) }
		return strings.NewReplacer("{id}", id, "{n}", "0").Replace(path), undo
	case strings.Contains(path, "/uploads/{id}"):
		location := owner.beginUpload(t, "x.gcode", 10)
		undo = func() { owner.call(t, "DELETE", location, nil) }
		return location, undo
	case strings.Contains(path, "{invitation_id}"):
		id := c.invite(t, "other", "viewer")
		undo = func() { owner.call(t, "DELETE", "/api/v1/workspaces/"+c.workspace+"/invitations/"+id, nil) }
		return c.workspacePath(path, "{invitation_id}", id), undo
	case strings.Contains(path, "{user_id}"):
		if actor == "owner" || actor == "token" { // the member may go, and comes back
			undo = func() {
				owner.call(t, "DELETE", "/api/v1/workspaces/"+c.workspace+"/members/"+c.who["member"].id, nil)
				c.join(t, "member", "viewer")
			}
		}
		return c.workspacePath(path, "{user_id}", c.who["member"].id), undo
	case strings.HasPrefix(path, "/api/v1/workspaces/{id}"):
		return strings.Replace(path, "{id}", c.workspace, 1), undo
	case path == "/api/v1/tokens/{id}":
		var made struct{ ID string }
		owner.must(t, http.StatusCreated, "POST", "/api/v1/tokens", map[string]string{"name": "t"}, &made)
		return strings.Replace(path, "{id}", made.ID, 1), undo
	case path == "/api/v1/sessions/{id}":
		c.account2(t, "owner")
		var list struct {
			Items []struct {
				ID      string
				Current bool
			}
		}
		owner.must(t, http.StatusOK, "GET", "/api/v1/sessions", nil, &list)
		i := slices.IndexFunc(list.Items, func(s struct {
			ID      string
			Current bool
		}) bool {
			return !s.Current
		})
		return strings.Replace(path, "{id}", list.Items[i].ID, 1), undo
	case strings.HasPrefix(path, "/api/v1/me/invitations/{id}"):
		return strings.Replace(path, "{id}", c.receivedByOwner(t), 1), undo
	case path == "/api/v1/admin/users/{id}":
		return strings.Replace(path, "{id}", "00000000-0000-7000-8000-000000000000", 1), undo
	case path == "/api/v1/admin/invitations/{id}":
		var made struct{ ID string }
		c.who["admin"].must(t, http.StatusCreated, "POST", "/api/v1/admin/invitations", map[string]string{}, &made)
		return strings.Replace(path, "{id}", made.ID, 1), undo
	}
	return path, undo
}

// given gives the id of a command in a printer's audit.
func (c *cast) given(t *testing.T, uuid string) string {
	t.Helper()
	place, _ := c.Printers.Place(uuid)
	e := audit.Entry{ID: wire.NewUUID(), WorkspaceID: place.WorkspaceID, Actor: "-", Action: "command.pause", Target: audit.Target{Kind: "printer", ID: place.PrinterID}}
	if err := c.Audit.Record(t.Context(), nil, e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func (c *cast) workspacePath(path, name, id string) string {
	return strings.Replace(strings.Replace(path, "{id}", c.workspace, 1), name, id, 1)
}

// receivedByOwner gives an invitation that the owner has from another one's workspace.
func (c *cast) receivedByOwner(t *testing.T) string {
	t.Helper()
	other := &cast{site: c.site, who: map[string]*visitor{"owner": c.who["other"], "guest": c.who["owner"]}}
	var list struct{ Items []struct{ ID string } }
	c.who["other"].must(t, http.StatusOK, "GET", "/api/v1/workspaces", nil, &list)
	other.workspace = list.Items[0].ID
	other.who["owner"].call(t, "DELETE", "/api/v1/workspaces/"+other.workspace+"/members/"+c.who["owner"].id, nil)
	status, body := other.who["owner"].call(t, "POST", "/api/v1/workspaces/"+other.workspace+"/members", map[string]string{"email": "owner@example.com", "role": "viewer"})
	if status >= 300 {
		t.Fatalf("%d %s", status, body)
	}
	c.who["owner"].must(t, http.StatusOK, "GET", "/api/v1/me/invitations", nil, &list)
	return list.Items[0].ID
}

// account2 signs an account in once more, elsewhere.
func (c *cast) account2(t *testing.T, name string) *visitor {
	t.Helper()
	v := c.visitor(t)
	v.id = c.who[name].id
	v.must(t, http.StatusOK, "POST", "/api/v1/session", map[string]string{"email": name + "@example.com", "password": password}, nil)
	return v
}

// verdict tells how a call was met.
func verdict(status int, body []byte) string {
	var p struct{ Code string }
	_ = json.Unmarshal(body, &p)
	switch {
	case status == http.StatusUnauthorized && p.Code == "not_signed_in":
		return sign
	case status == http.StatusForbidden && p.Code == "not_allowed":
		return no
	case status == http.StatusForbidden && p.Code == "session_required":
		return session
	case status == http.StatusNotFound && p.Code == "not_found":
		return hidden
	case status >= 500 && !strings.HasPrefix(string(body), "<!doctype html>"): // a tree without pages says so by 503
		return fmt.Sprint(status)
	}
	return in
}

// verdictOfHead is the same of an answer that has no body.
func verdictOfHead(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return sign
	case http.StatusForbidden:
		return no
	case http.StatusNotFound:
		return hidden
	}
	return in
}

func TestAuthz_Routes(t *testing.T) {
	c := mustCast(t)
	routes := c.Web.Routes()
	for route := range table {
		if !slices.Contains(routes, route) {
			t.Errorf("%s is in the table and is no route", route)
		}
	}
	slices.Sort(routes)
	for _, route := range routes {
		entry, ok := table[route]
		if !ok {
			t.Errorf("%s is missing in the table: say there who may use it", route)
			continue
		}
		t.Run(strings.ReplaceAll(route, "/", "|"), func(t *testing.T) {
			for i, actor := range actors {
				c.try(t, route, entry.body, actor, entry.verdicts[i])
			}
		})
	}
}

func (c *cast) try(t *testing.T, route, body, actor, want string) {
	t.Helper()
	method, _, ok := strings.Cut(route, " ")
	if !ok {
		method = "GET"
	}
	who := c.who[actor]
	if ends := strings.HasPrefix(route, "DELETE /api/v1/session"); ends && who.id != "" && actor != "ended" {
		who = c.account2(t, actor) // not the session that the rest of the table needs
		if route == "DELETE /api/v1/sessions" {
			defer func() {
				c.who[actor] = c.account2(t, actor)
				c.signPluginIn(t)
				c.signCodeIn(t)
			}()
		}
		if actor == "owner" && strings.Contains(route, "{id}") {
			who = c.who[actor]
		}
	}
	var in any
	if body != "" {
		in = json.RawMessage(body)
	}
	path, undo := c.path(t, route, actor)
	defer undo()
	if actor == "code" && strings.HasSuffix(route, "/token") {
		defer c.signCodeIn(t) // it was good for one
	}
	status, text := who.call(t, method, path, in)
	got := verdict(status, text)
	if method == "HEAD" { // has no body
		got = verdictOfHead(status)
	}
	if got != want {
		// An administrator is told that there is no such account, which only he may ask.
		if want == "in" && got == hidden && actor == "admin" && strings.Contains(route, "/admin/") {
			return
		}
		t.Errorf("%s: %s (%d %.200s), want %s", actor, got, status, text, want)
	}
}

// Each call about files takes the workspace that is meant.
func TestAuthz_Files(t *testing.T) {
	c := mustCast(t)
	c.who["owner"].must(t, http.StatusOK, "POST", "/api/v1/folders", map[string]string{"path": "a"}, nil)
	for _, call := range []struct {
		row
		route, body string
	}{
		{lookers, "GET /api/v1/files?", ""},
		{lookers, "GET /api/v1/files/usage?", ""},
		{lookers, "GET /api/v1/folders?", ""},
		{operators, "POST /api/v1/folders?", `{"path":"b"}`},
		{operators, "PATCH /api/v1/folders?", `{"path":"c","new_path":"d"}`},
		{operators, "DELETE /api/v1/folders?path=b&", ""},
	} {
		for i, actor := range actors {
			method, path, _ := strings.Cut(call.route, " ")
			var body any
			if call.body != "" {
				body = json.RawMessage(call.body)
			}
			status, text := c.who[actor].call(t, method, path+"workspace="+c.workspace, body)
			if got := verdict(status, text); got != call.verdicts[i] {
				t.Errorf("%s by %s: %s (%d %s), want %s", call.route, actor, got, status, text, call.verdicts[i])
			}
		}
	}
	for i, actor := range actors {
		status, text := c.who[actor].tryUpload(t, "x.gcode", 10, "workspace", c.workspace)
		if got := verdict(status, text); got != operators.verdicts[i] {
			t.Errorf("upload by %s: %s, want %s", actor, got, operators.verdicts[i])
		}
	}
}

func TestAuthz_Channels(t *testing.T) {
	c := mustCast(t)
	uuid, _ := c.who["owner"].enrol(t, "P")
	may := map[string]bool{"owner": true, "operator": true, "viewer": true, "token": true}
	connects := map[string]bool{"owner": true, "operator": true, "viewer": true, "token": true, "other": true, "admin": true}
	for _, actor := range actors {
		t.Run(actor, func(t *testing.T) {
			page, err := c.who[actor].tryWatch(t.Context())
			if (err == nil) != connects[actor] {
				t.Fatalf("connect: %v", err)
			}
			if err != nil {
				return
			}
			defer page.Close()
			for _, channel := range []string{"printer:" + uuid, "events:" + uuid, "commands:" + uuid, "terminal:" + uuid, "transfers:" + uuid, "files:" + uuid} {
				_, err := page.Subscribe(t.Context(), channel, true)
				may := may[actor] && (actor != "viewer" || channel != "terminal:"+uuid)
				if refused, is := err.(*pushclient.Refused); (err == nil) != may || (err != nil && (!is || refused.Code != 103)) {
					t.Errorf("%s: %v", channel, err)
				}
			}
			for _, name := range []string{"owner", "other"} {
				if _, err := page.Subscribe(t.Context(), "user:"+c.who[name].id, false); err == nil && name != actor {
					t.Errorf("hears what is said to %s", name)
				}
			}
		})
	}
}
