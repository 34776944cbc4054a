// Package plugin hands out the OctoPrint plugin, made for this very server, and the agents that it fetches: the zip that
// people install by its address, the signed list of versions that updates go by, and the programs.
//
// The zip is the plugin's source with one file more, server.json: where the server is, whom to trust for it, the public
// half of the key that signs the list of versions, and the checksums of the agents.
package plugin

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"regexp"
	"sync"
)

// Service is the plugin of this server. Fill in the exported fields, then Initialize. mu guards the packages.
type Service struct {
	Sources      fs.FS  // of the plugin: setup.py and its package
	KeyFile      string // where the signing key is, or is to be
	CacheDir     string // where agents are unpacked
	AuthorityPEM []byte // of the server's own certificate authority
	Version      string // of this server and its agents
	Embedded     Programs
	Beside       string // an agent for this very machine, of a developer's build; "" or a file that may be missing
	Log          *slog.Logger

	version string // of the plugin
	key     ed25519.PrivateKey
	agents  agents

	mu       sync.Mutex
	packages map[string]*Package // by address
	order    []string            // addresses, the oldest first
}

// Programs are the agents inside of the server's program. Package agents has them.
type Programs struct {
	Platforms func() []string
	Open      func(platform string) (io.ReadCloser, error)
	Inside    func(platform string) string // the platform whose program it is given
}

// maxPackages is how many addresses a zip is kept ready for. A server has few names; whoever makes up ports gets his
// zip made anew each time.
const maxPackages = 16

// PackageName is the folder of the plugin's code, in the sources and in OctoPrint.
const PackageName = "octoprint_factor_mqtt"

var versionLine = regexp.MustCompile(`(?m)^VERSION = "([0-9][0-9A-Za-z.+-]*)"`)

// Initialize reads the key, making it at the server's first start, and looks whether the sources are whole.
func (s *Service) Initialize() error {
	if s.Sources == nil || s.KeyFile == "" || s.CacheDir == "" {
		return errors.New("plugin: Sources, KeyFile and CacheDir are needed")
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := fs.Stat(s.Sources, "setup.py"); err != nil {
		return fmt.Errorf("the plugin inside of this program is not whole: %w", err)
	}
	text, err := fs.ReadFile(s.Sources, PackageName+"/version.py")
	if err != nil {
		return fmt.Errorf("the plugin inside of this program is not whole: %w", err)
	}
	found := versionLine.FindSubmatch(text)
	if found == nil {
		return errors.New("the plugin inside of this program says no version")
	}
	s.version = string(found[1])
	if s.key, err = openKey(s.KeyFile); err != nil {
		return err
	}
	s.packages = map[string]*Package{}
	s.agents = agents{embedded: s.Embedded, beside: s.Beside, cache: s.CacheDir}
	return nil
}

// PluginVersion is the version of the plugin that is handed out.
func (s *Service) PluginVersion() string { return s.version }

// SigningKey gives the public half of the key that signs the list of versions, base64.
func (s *Service) SigningKey() string {
	public, _ := s.key.Public().(ed25519.PublicKey)
	return base64.StdEncoding.EncodeToString(public)
}
