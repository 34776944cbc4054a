package enrol

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Place is a server and whom to trust for it.
type Place struct {
	URL string // https://…, or http://
	CA  string // PEM: certificates to trust besides the system's; "" for none
	// Unencrypted lets http:// be used to another machine: its owner was told that everybody on the way can read the
	// password, and wants it.
	Unencrypted bool
}

// Session is somebody signed in at a server. It holds no password. One goroutine at a time may use it.
type Session struct {
	server *server
	about  *about
	ca     string
	once   bool // by a code: good for one registration
	email  string
	name   string
}

// Listed is a printer of the account.
type Listed struct {
	UUID string `json:"uuid"`
	Name string `json:"name"`
}

// Camera is a camera as the server keeps it.
type Camera struct {
	ID        string `json:"id,omitzero"`
	Name      string `json:"name"`
	StreamURL string `json:"stream_url"`
	Rotation  int    `json:"rotation"` // degrees: 0, 90, 180 or 270
	FlipH     bool   `json:"flip_h"`
	FlipV     bool   `json:"flip_v"`
}

type user struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Login signs in by e-mail and password.
func (p Place) Login(ctx context.Context, email, password string) (*Session, error) {
	if email == "" || password == "" {
		return nil, fault(FaultCredentials, nil)
	}
	return p.open(ctx, func(s *server) (u user, err error) {
		err = s.call(ctx, http.MethodPost, "/api/v1/session", map[string]string{"email": email, "password": password}, &u)
		s.session = err == nil
		return u, err
	})
}

// Redeem signs in by a code of the server's page, for one registration.
func (p Place) Redeem(ctx context.Context, code string) (*Session, error) {
	s, err := p.open(ctx, func(s *server) (user, error) {
		var answer struct {
			AccessToken string `json:"access_token"`
			User        user   `json:"user"`
		}
		err := s.call(ctx, http.MethodPost, "/api/v1/setup-codes/redeem", map[string]string{"code": code}, &answer)
		if err == nil && answer.AccessToken == "" {
			err = fault(FaultNotFactor, errors.New("no access token in the answer"))
		}
		s.bearer = answer.AccessToken
		return answer.User, err
	})
	if s != nil {
		s.once = true
	}
	return s, err
}

func (p Place) open(ctx context.Context, login func(*server) (user, error)) (*Session, error) {
	base, err := url.Parse(p.URL)
	if err != nil || base.Host == "" || base.User != nil || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fault(FaultServerURL, errors.New("no http:// or https:// URL"))
	}
	if base.Scheme == "http" && !p.Unencrypted && !loopback(base.Hostname()) {
		return nil, fault(FaultServerURL, errors.New("http:// to another machine would show the password to everybody on the way"))
	}
	base = &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/")}
	ca := p.CA
	if ca != "" {
		if ca, err = certificates([]byte(ca)); err != nil {
			return nil, fault(FaultCertificate, err)
		}
	} else if base.Scheme == "http" { // MQTT is encrypted all the same, by the server's own CA
		if ca, err = fetchCA(ctx, base, false); err != nil {
			return nil, err
		}
	}
	roots, err := folder.Roots(ca)
	if err != nil {
		return nil, fault(FaultCertificate, err)
	}
	s, err := newServer(base, roots)
	if err != nil {
		return nil, fault(FaultServerURL, err)
	}
	about, err := s.about(ctx)
	if err == nil {
		var u user
		if u, err = login(s); err == nil {
			return &Session{server: s, about: about, ca: ca, email: plain(u.Email), name: plain(u.Name)}, nil
		}
	}
	s.close()
	return nil, err
}

// Email is the account's address.
func (s *Session) Email() string { return s.email }

// Name is the account's name.
func (s *Session) Name() string { return s.name }

// Server is the server's base URL, without a slash at its end.
func (s *Session) Server() string { return s.server.base.String() }

// Printers lists the account's printers.
func (s *Session) Printers(ctx context.Context) ([]Listed, error) {
	var list struct {
		Items []struct {
			Listed
			Role string `json:"role"`
		} `json:"items"`
	}
	if err := s.server.call(ctx, http.MethodGet, "/api/v1/printers", nil, &list); err != nil {
		return nil, err
	}
	own := []Listed{}
	for _, p := range list.Items {
		if (p.Role == "" || p.Role == "owner") && wire.ValidUUID(p.UUID) {
			own = append(own, Listed{p.UUID, plain(p.Name)})
		}
	}
	return own, nil
}

// Register makes the printer known, or takes back one that the account has, and gives the folder's new config: what is
// in have about OctoPrint stays, and so does its token if it is for the same printer and renew is false. The printer
// waits for its owner to complete it on the server's page when the config says Pending. The cameras are those that the
// server has for it from now on: a printer that had some keeps them.
func (s *Session) Register(ctx context.Context, have folder.Config, uuid, name string, cameras []Camera, renew bool) (*folder.Config, []Camera, error) {
	if !wire.ValidUUID(uuid) {
		return nil, nil, fault(FaultUUID, wire.ErrUUID)
	}
	c := have
	if c.UUID != uuid || c.Server != s.Server() || renew {
		c.Token = ""
	}
	c.Server, c.UUID, c.CA = s.Server(), uuid, s.ca
	m := s.about.MQTT
	c.MQTT = folder.MQTT{Host: m.Host, Port: m.Port, TLS: m.TLS, WebsocketPath: m.WebsocketPath}
	if c.MQTT.Host == "" {
		c.MQTT.Host = s.server.base.Hostname()
	}
	body := map[string]any{"uuid": uuid, "name": name, "pending": true}
	if len(cameras) > 0 {
		body["cameras"] = cameras
	}
	var made struct {
		Name    string   `json:"name"`
		Pending bool     `json:"pending"`
		Token   string   `json:"device_token"`
		Cameras []Camera `json:"cameras"`
	}
	if err := s.server.call(ctx, http.MethodPost, "/api/v1/printers", body, &made); err != nil {
		return nil, nil, err
	}
	if made.Token == "" && c.Token == "" { // known before: a reinstallation, or an earlier try that broke off
		token, err := s.server.newToken(ctx, uuid)
		if err != nil {
			return nil, nil, err
		}
		made.Token = token
	}
	if made.Token != "" {
		c.Token = made.Token
	}
	c.Name, c.Pending = plain(made.Name), made.Pending
	return &c, made.Cameras, nil
}

// SetCamera gives a printer's camera to the server: it takes the place of the one with its name, else it is a new one.
// A session by code may not do that; false then.
func (s *Session) SetCamera(ctx context.Context, uuid string, camera Camera) (done bool, err error) {
	if s.once {
		return false, nil
	}
	path := "/api/v1/printers/" + url.PathEscape(uuid) + "/cameras"
	var list struct {
		Items []Camera `json:"items"`
	}
	if err := s.server.call(ctx, http.MethodGet, path, nil, &list); err != nil {
		return false, err
	}
	known := false
	for i, c := range list.Items {
		if c.Name == camera.Name {
			camera.ID = c.ID
			list.Items[i], known = camera, true
		}
	}
	if !known {
		list.Items = append(list.Items, camera)
	}
	if err := s.server.call(ctx, http.MethodPut, path, list, nil); err != nil {
		return false, err
	}
	return true, nil
}

// SetupURL is the page on which the owner completes a printer.
func (s *Session) SetupURL(uuid string) string {
	base := s.Server()
	if u, err := url.Parse(s.about.PublicURL); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		base = strings.TrimRight(u.String(), "/")
	}
	return fmt.Sprintf("%s/setup/%s", base, uuid)
}

// Close signs out. The printer needs its own token only.
func (s *Session) Close(ctx context.Context) {
	s.server.logout(ctx)
	s.server.close()
}
