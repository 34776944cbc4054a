package plugin

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Package is the plugin's zip for one address of the server, and the list of versions that goes with it.
type Package struct {
	Zip     []byte
	SHA256  string // of Zip, hex
	Listing []byte // version.json

	agents map[string]Agent // that it was made with
}

// serverFile is server.json, from which the plugin knows where it belongs.
type serverFile struct {
	URL           string           `json:"url"`
	CAPEM         string           `json:"ca_pem"`
	SigningKey    string           `json:"signing_key"` // Ed25519, base64
	PluginVersion string           `json:"plugin_version"`
	Agents        map[string]Agent `json:"agents"`
}

// listing is what the signature of version.json is over. encoding/json writes fields in this order and maps by their
// sorted keys: the same list has the same bytes.
type listing struct {
	Version      string           `json:"version"`
	ZipURL       string           `json:"zip_url"`
	ZipSHA256    string           `json:"zip_sha256"`
	AgentVersion string           `json:"agent_version"`
	Agents       map[string]Agent `json:"agents"`
}

// signedListing is version.json. A program believes what is in Signed, once the signature over these very bytes is right.
type signedListing struct {
	listing
	Signed    string `json:"signed"`    // the listing as JSON, base64
	Signature string `json:"signature"` // Ed25519 over those bytes, base64
}

// For gives the package for an address of this server, scheme and host without a slash at the end. The same address,
// sources and agents give the same bytes.
func (s *Service) For(address string) (*Package, error) {
	agents, err := s.agents.list()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.packages[address]; p != nil && sameAgents(p.agents, agents) {
		return p, nil
	}
	p, err := s.pack(address, agents)
	if err != nil {
		return nil, fmt.Errorf("make the plugin's zip: %w", err)
	}
	if s.packages[address] == nil {
		s.order = append(s.order, address)
	}
	s.packages[address] = p
	if len(s.order) > maxPackages {
		delete(s.packages, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
	return p, nil
}

// Facts is what a page tells about what is handed out.
type Facts struct {
	Version   string   // of the plugin
	SHA256    string   // of the zip for that address, hex
	Platforms []string // of the agents, sorted
}

// Facts describes the package for an address.
func (s *Service) Facts(address string) (Facts, error) {
	p, err := s.For(address)
	if err != nil {
		return Facts{}, err
	}
	platforms := slices.AppendSeq(make([]string, 0, len(p.agents)), maps.Keys(p.agents))
	slices.Sort(platforms)
	return Facts{Version: s.version, SHA256: p.SHA256, Platforms: platforms}, nil
}

func sameAgents(a, b map[string]Agent) bool {
	if len(a) != len(b) {
		return false
	}
	for platform, agent := range a {
		if b[platform] != agent {
			return false
		}
	}
	return true
}

func (s *Service) pack(address string, agents map[string]Agent) (*Package, error) {
	about, err := json.MarshalIndent(serverFile{
		URL: address, CAPEM: string(s.AuthorityPEM), SigningKey: s.SigningKey(), PluginVersion: s.version, Agents: agents,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	p := &Package{agents: agents}
	if p.Zip, err = s.zip(append(about, '\n')); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(p.Zip)
	p.SHA256 = hex.EncodeToString(sum[:])
	l := listing{Version: s.version, ZipURL: address + "/plugin/factor.zip", ZipSHA256: p.SHA256, AgentVersion: s.Version, Agents: agents}
	signed, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	p.Listing, err = json.Marshal(signedListing{
		listing: l, Signed: base64.StdEncoding.EncodeToString(signed), Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, signed)),
	})
	return p, err
}

// zipTime stands in every entry: the time of making would make each zip another one. Before 1980 no zip can tell, and
// in no time zone is this before that.
var zipTime = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// zipRoot is the folder that everything in the zip is in, as pip likes it.
const zipRoot = "factor/"

func (s *Service) zip(about []byte) ([]byte, error) {
	files := map[string][]byte{PackageName + "/server.json": about}
	err := fs.WalkDir(s.Sources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !belongs(name) {
			return err
		}
		files[name], err = fs.ReadFile(s.Sources, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, name := range names {
		h := &zip.FileHeader{Name: zipRoot + name, Method: zip.Deflate, Modified: zipTime}
		h.SetMode(0o644)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// belongs tells whether a file of the sources is for OctoPrint: not what a developer's machine left there, nor a
// server.json of some other server.
func belongs(name string) bool {
	if name == PackageName+"/server.json" || strings.Contains("/"+name, "/__pycache__/") || strings.Contains("/"+name, "/.") {
		return false
	}
	switch path.Ext(name) {
	case ".go", ".pyc", ".pot":
		return false
	}
	return true
}
