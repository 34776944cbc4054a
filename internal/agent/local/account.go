package local

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/durable"
	"github.com/kangbyounggwan/factor/internal/agent/enrol"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	sessionLife = 30 * time.Minute
	draftName   = "uuid.draft" // a UUID that the owner chose and that is not registered yet
	serverName  = "server.json"
)

// account is somebody signed in. Used under API.entering.
type account struct {
	*enrol.Session
	until time.Time
}

// confirmed is server.json, which the plugin writes: the server that its owner installed the plugin from, or chose and
// confirmed.
type confirmed struct {
	URL string `json:"url"`
	CA  string `json:"ca_pem"`
}

func (a *API) confirmed() (c confirmed) {
	content, err := os.ReadFile(a.Folder.Join(serverName))
	if err != nil || json.Unmarshal(content, &c) != nil {
		return confirmed{}
	}
	c.URL = strings.TrimRight(c.URL, "/")
	return c
}

func (a *API) login(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Server   string `json:"server"`
		CA       string `json:"ca_pem"`
		Email    string `json:"email"`
		Password string `json:"password"`
		Code     string `json:"code"`
	}
	if t := read(r, &in); t != nil {
		say(w, t.status, t)
		return
	}
	known := a.confirmed()
	place := enrol.Place{URL: strings.TrimRight(strings.TrimSpace(in.Server), "/"), CA: in.CA}
	if place.URL == "" {
		place.URL = known.URL
	}
	if place.URL == known.URL {
		place.Unencrypted = true
		if place.CA == "" {
			place.CA = known.CA
		}
	}
	if place.URL == "" {
		say(w, http.StatusConflict, &Trouble{Code: "no_server", Message: "the address of a FACTOR server is not known yet"})
		return
	}
	a.entering.Lock()
	defer a.entering.Unlock()
	var s *enrol.Session
	var err error
	if in.Code != "" {
		s, err = place.Redeem(r.Context(), strings.TrimSpace(in.Code))
	} else {
		s, err = place.Login(r.Context(), strings.TrimSpace(in.Email), in.Password)
	}
	if err != nil {
		sayError(w, err)
		return
	}
	printers, err := s.Printers(r.Context())
	if err != nil {
		s.Close(r.Context())
		sayError(w, err)
		return
	}
	a.signOut(r.Context())
	a.mu.Lock()
	a.account = &account{s, time.Now().Add(sessionLife)}
	a.mu.Unlock()
	say(w, http.StatusOK, map[string]any{"account": map[string]string{"email": s.Email(), "name": s.Name()}, "printers": printers})
}

func (a *API) logout(w http.ResponseWriter, r *http.Request) {
	a.entering.Lock()
	defer a.entering.Unlock()
	a.signOut(r.Context())
	w.WriteHeader(http.StatusNoContent)
}

// signOut ends the session, if there is one. The caller holds entering.
func (a *API) signOut(ctx context.Context) {
	a.mu.Lock()
	left := a.account
	a.account = nil
	a.mu.Unlock()
	if left != nil {
		left.Close(ctx)
	}
}

// signedIn gives who is signed in, nil for nobody.
func (a *API) signedIn() *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.account != nil && time.Now().After(a.account.until) {
		a.account = nil // the server's side ends by itself
	}
	return a.account
}

func (a *API) newUUID(w http.ResponseWriter, _ *http.Request) { a.draft(w, wire.NewUUID()) }

func (a *API) useUUID(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UUID string `json:"uuid"`
	}
	if t := read(r, &in); t != nil {
		say(w, t.status, t)
		return
	}
	a.draft(w, strings.ToLower(strings.TrimSpace(in.UUID)))
}

// draft keeps a UUID over restarts until it is registered.
func (a *API) draft(w http.ResponseWriter, uuid string) {
	if !wire.ValidUUID(uuid) {
		say(w, http.StatusUnprocessableEntity, &Trouble{Code: "uuid_invalid", Message: wire.ErrUUID.Error()})
		return
	}
	if err := durable.WriteFile(a.Folder.Join(draftName), []byte(uuid+"\n")); err != nil {
		sayError(w, err)
		return
	}
	say(w, http.StatusOK, map[string]string{"uuid": uuid})
}

// drafted gives the UUID of the next registration; "" for none.
func (a *API) drafted() string {
	content, err := os.ReadFile(a.Folder.Join(draftName))
	if uuid := strings.TrimSpace(string(content)); err == nil && wire.ValidUUID(uuid) {
		return uuid
	}
	return ""
}

func (a *API) register(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UUID string `json:"uuid"`
		Name string `json:"name"`
	}
	if t := read(r, &in); t != nil {
		say(w, t.status, t)
		return
	}
	a.entering.Lock()
	defer a.entering.Unlock()
	s := a.signedIn()
	if s == nil {
		say(w, http.StatusUnauthorized, &Trouble{Code: "not_signed_in", Message: "log in first"})
		return
	}
	c, uuid, err := a.enrol(r.Context(), s, strings.ToLower(strings.TrimSpace(in.UUID)), strings.TrimSpace(in.Name))
	if err != nil {
		var e *enrol.Error
		if errors.As(err, &e) && e.Fault == enrol.FaultCredentials { // the session has ended: a code's after its registration
			a.signOut(r.Context())
			say(w, http.StatusUnauthorized, &Trouble{Code: "not_signed_in", Message: "the login has ended"})
			return
		}
		sayError(w, err)
		return
	}
	state := "registered"
	if c.Pending {
		state = "pending"
	}
	say(w, http.StatusOK, map[string]string{"uuid": uuid, "setup_url": s.SetupURL(uuid), "state": state})
}

// enrol registers under uuid, else under the draft, else under the one that there was, else under a new one.
func (a *API) enrol(ctx context.Context, s *account, uuid, name string) (*folder.Config, string, error) {
	have, registered := a.Agent.Config()
	for _, other := range []string{a.drafted(), have.UUID, wire.NewUUID()} {
		if uuid == "" {
			uuid = other
		}
	}
	if name == "" {
		name = have.Name
	}
	if name == "" { // until its owner gives it one on the page
		name = "OctoPrint"
		if host, err := os.Hostname(); err == nil && host != "" {
			name, _ = wire.CleanText("OctoPrint "+host, 100)
		}
	}
	renew := false
	if status, ok := a.Agent.Status(); ok && registered {
		renew = status.Server.Refused // the token that we have is good for nothing
	}
	// The UUID is written down before the server hears of it: whatever breaks from here on, the next try uses the same.
	if wire.ValidUUID(uuid) && uuid != have.UUID {
		if err := durable.WriteFile(a.Folder.Join(draftName), []byte(uuid+"\n")); err != nil {
			return nil, uuid, err
		}
	}
	var cameras []enrol.Camera
	saved, ok := a.camera()
	if ok {
		cameras = append(cameras, saved.Camera)
	}
	c, known, err := s.Register(ctx, have, uuid, name, cameras, renew)
	if err != nil {
		return nil, uuid, err
	}
	if err := a.Agent.Adopt(c); err != nil {
		return nil, uuid, err
	}
	if ok && slices.ContainsFunc(known, saved.sameAs) != saved.Sent {
		saved.Sent = !saved.Sent
		if err := a.keepCamera(saved); err != nil {
			return nil, uuid, err
		}
	}
	a.Folder.Forget(draftName)
	return c, uuid, nil
}

func (a *API) unregister(w http.ResponseWriter, r *http.Request) {
	a.entering.Lock()
	defer a.entering.Unlock()
	if err := a.Agent.Unregister(); err != nil {
		sayError(w, err)
		return
	}
	a.Folder.Forget(draftName)
	w.WriteHeader(http.StatusNoContent)
}
