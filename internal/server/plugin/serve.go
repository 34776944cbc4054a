package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// slowestDownload is how long somebody may take to fetch an agent: at 12 MB, 14 KB/s.
const slowestDownload = 15 * time.Minute

var (
	errNoAgent = problem.New(http.StatusNotFound, "no_agent_for_platform", "This server has no agent for that kind of machine. "+
		"Build one from the source (go build ./cmd/factor-agent) and tell the plugin where it is.")
	errNotMade = problem.New(http.StatusInternalServerError, "internal", "Something went wrong on the server. Its log says what.")
)

// ServeZip answers with the plugin for this server, which the asker reaches under address.
func (s *Service) ServeZip(w http.ResponseWriter, r *http.Request, address string) {
	p, err := s.For(address)
	if err != nil {
		s.fail(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="factor.zip"`)
	describe(h, p.SHA256)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Zip))
}

// ServeVersion answers with the signed list of versions.
func (s *Service) ServeVersion(w http.ResponseWriter, r *http.Request, address string) {
	p, err := s.For(address)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Listing))
}

// ServeAgent answers with the agent for the platform that the path names, such as linux-arm64.
func (s *Service) ServeAgent(w http.ResponseWriter, r *http.Request) {
	platform := r.PathValue("platform")
	f, agent, err := s.agents.open(platform)
	if errors.Is(err, fs.ErrNotExist) {
		errNoAgent.Write(w)
		return
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	defer f.Close()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slowestDownload)) // a test's recorder has none
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "factor-agent-"+platform))
	describe(h, agent.SHA256)
	http.ServeContent(w, r, "", time.Time{}, f)
}

func describe(h http.Header, sha256 string) {
	h.Set("Etag", `"`+sha256[:32]+`"`)
	h.Set("X-Checksum-Sha256", sha256)
	h.Set("Cache-Control", "no-cache")
}

func (s *Service) fail(w http.ResponseWriter, err error) {
	s.Log.Error("the plugin could not be handed out", "error", err)
	errNotMade.Write(w)
}
