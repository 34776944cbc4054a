package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// routes is a mux that remembers its patterns, so that a test can ask for each whether it is guarded.
type routes struct {
	*http.ServeMux
	patterns []string
	err      error
}

// HandleFunc is what huma registers its operations with.
func (m *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(handler))
}

// Handle adds a route. The mux panics for two patterns that overlap without one being the narrower; that is kept
// as an error.
func (m *routes) Handle(pattern string, handler http.Handler) {
	defer func() {
		if p := recover(); p != nil && m.err == nil {
			m.err = fmt.Errorf("route %s: %v", pattern, p)
		}
	}()
	m.ServeMux.Handle(pattern, handler)
	m.patterns = append(m.patterns, pattern)
}

func (s *Server) buildRoutes(pages *pages) error {
	s.routes = &routes{ServeMux: http.NewServeMux()}
	m := s.routes
	if err := s.buildAPI(m); err != nil {
		return err
	}
	m.HandleFunc("GET /api/v1/openapi.json", s.serveOpenAPI)
	if s.Push != nil {
		m.Handle("GET /api/v1/push", onlyUsers(s.Push))
	}
	if s.MQTT != nil {
		m.Handle("GET /mqtt", s.MQTT)
	}
	if s.Link != nil {
		m.Handle("GET /api/device/link", s.Link)
	}
	m.HandleFunc("POST /api/auth/login", s.pluginLogin)
	if s.Plugin != nil {
		m.Handle("GET /api/printers/summary", onlyPlugin(s.Plugin.PluginSummary))
		m.Handle("POST /api/printer/register", onlyPlugin(s.Plugin.PluginRegister))
	}
	m.HandleFunc("GET /healthz", serveHealth)
	m.HandleFunc("GET /readyz", s.serveReady)
	m.Handle("GET /metrics", s.metrics())
	m.HandleFunc("GET /ca.crt", s.serveAuthority)
	s.downloadRoutes(m)
	if err := s.docsRoutes(m); err != nil {
		return err
	}
	m.HandleFunc("/api/", s.refuseUnknownCall)
	m.Handle("/", pages)
	return m.err
}

// apiVersion is of the API, not of the program: /api/v1 only grows.
const apiVersion = "1"

// The ways to log in, as OpenAPI names them.
const (
	schemeSession = "session"
	schemeToken   = "token"
)

// init sets what huma has for the whole process: how it says no. What a handler did not mean to say is kept for the log.
func init() {
	huma.NewError = problem.Huma
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		if status >= 500 && ctx != nil {
			visitOf(ctx.Context()).cause = errors.Join(errs...)
		}
		return problem.Huma(status, msg, placed(errs)...)
	}
}

func (s *Server) buildAPI(m *routes) error {
	config := huma.DefaultConfig("FACTOR", apiVersion)
	config.Info.Description = "Watch and control 3D printers. Errors are RFC 9457 problems with a stable `code`. Times are RFC 3339 in " +
		"UTC, temperatures °C, lengths mm, durations s. What changes comes over the WebSocket `/api/v1/push`, which speaks the " +
		"centrifuge JSON protocol: channels `printer:{uuid}`, `events:{uuid}`, `transfers:{uuid}` and `files:{uuid}`."
	config.Info.License = &huma.License{Name: "AGPL-3.0-only", Identifier: "AGPL-3.0-only"}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		schemeSession: {Type: "apiKey", In: "cookie", Name: "factor_session", Description: "The cookie that POST /api/v1/session sets"},
		schemeToken:   {Type: "http", Scheme: "bearer", Description: "An API token, fct_…"},
	}
	api := humago.New(m, config)
	api.UseMiddleware(guard)
	s.register(api)
	for _, c := range s.Capabilities {
		c.Register(api)
	}
	for _, path := range api.OpenAPI().Paths {
		for _, op := range operations(path) {
			if !slices.Contains(accessLevels, access(op)) {
				return fmt.Errorf("the call %s says to nobody who may make it: metadata access is %q", op.OperationID, access(op))
			}
		}
	}
	var err error
	s.spec, err = api.OpenAPI().MarshalJSON()
	return err
}

// Who may make a call, in the metadata "access" of its operation. For members the call itself asks workspace.Can.
const (
	accessPublic = "public"
	accessPlugin = "plugin" // a user, or a plugin by its access token
	accessUser   = "user"
	accessMember = "member"
	accessAdmin  = "admin"
)

var accessLevels = []string{accessPublic, accessPlugin, accessUser, accessMember, accessAdmin}

func access(op *huma.Operation) string {
	a, _ := op.Metadata["access"].(string)
	return a
}

func operations(p *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{p.Get, p.Put, p.Post, p.Delete, p.Options, p.Head, p.Patch, p.Trace}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

// guard refuses calls before their handlers are asked, by what the operation says of itself.
func guard(ctx huma.Context, next func(huma.Context)) {
	if err := allow(ctx.Context(), access(ctx.Operation())); err != nil {
		_, w := humago.Unwrap(ctx)
		writeProblem(w, err)
		return
	}
	next(ctx)
}

func allow(ctx context.Context, level string) (err error) {
	switch level {
	case accessPublic:
	case accessPlugin:
		_, err = workspace.RequireAccount(ctx)
	case accessAdmin:
		_, err = workspace.RequireAdmin(ctx)
	default:
		_, err = workspace.RequireUser(ctx)
	}
	return err
}

// onlyUsers lets people in who are signed in with all their rights.
func onlyUsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := workspace.RequireUser(r.Context()); err != nil {
			writeProblem(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyPlugin lets the 1.x plugin in, and API tokens; pages have calls of their own.
func onlyPlugin(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, ok := workspace.ActorFrom(r.Context())
		if !ok || (actor.Via != workspace.ViaPlugin && actor.Via != workspace.ViaToken) {
			writeProblem(w, problem.ErrNotSignedIn)
			return
		}
		next(w, r)
	})
}

var (
	errNoCall   = problem.New(http.StatusNotFound, "not_found", "There is no such call. /api/v1/openapi.json lists them.")
	errNoMethod = problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "This call does not take that method. The header Allow lists those it takes.")
)

// refuseUnknownCall answers what no route of the API takes, and tells the methods where the path is one.
func (s *Server) refuseUnknownCall(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := s.routes.Handler(probe); strings.HasPrefix(pattern, method+" ") {
			allow = append(allow, method)
		}
	}
	if len(allow) == 0 {
		writeProblem(w, errNoCall)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	writeProblem(w, errNoMethod)
}

func (s *Server) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(s.spec)
}
