package web

import (
	"net/http"

	"github.com/kangbyounggwan/factor/internal/server/web/docs"
)

func (s *Server) docsRoutes(m *routes) error {
	if s.Docs == nil {
		return nil
	}
	site := &docs.Site{Files: s.Docs, Pages: s.Pages, Tokens: s.Styles}
	if err := site.Initialize(); err != nil {
		return err
	}
	m.Handle("GET "+docs.Prefix, site.Handler(func(r *http.Request) string { return preferred(r.Header.Get("Accept-Language")) }))
	return nil
}
