package plugin

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const address = "https://factor.example.com"

func sources() fstest.MapFS {
	return fstest.MapFS{
		"setup.py":                          {Data: []byte("# octoprint_setuptools\n")},
		"embed.go":                          {Data: []byte("package plugin\n")},
		"octoprint_factor_mqtt/__init__.py": {Data: []byte("x = 1\n"), ModTime: time.Now()},
		"octoprint_factor_mqtt/version.py":  {Data: []byte("\"\"\"v\"\"\"\n\nVERSION = \"1.2.3\"\n")},
		"octoprint_factor_mqtt/server.json": {Data: []byte("of another server")},
		"octoprint_factor_mqtt/__pycache__/__init__.cpython-311.pyc": {Data: []byte("compiled")},
		"octoprint_factor_mqtt/.mypy_cache/x":                        {Data: []byte("left")},
	}
}

// programs are agents as a release build has them inside.
func programs(agents map[string]string) Programs {
	return Programs{
		Inside: func(platform string) string { return platform },
		Platforms: func() []string {
			var list []string
			for platform := range agents {
				list = append(list, platform)
			}
			return list
		},
		Open: func(platform string) (io.ReadCloser, error) {
			text, ok := agents[platform]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return io.NopCloser(strings.NewReader(text)), nil
		},
	}
}

func mustOpen(t *testing.T, dir string, change ...func(*Service)) *Service {
	t.Helper()
	s := &Service{
		Sources: sources(), KeyFile: filepath.Join(dir, "keys", "plugin.key"), CacheDir: filepath.Join(dir, "cache"),
		AuthorityPEM: []byte("-----BEGIN CERTIFICATE-----\n"), Version: "9.8.7",
		Embedded: programs(map[string]string{"linux-amd64": "an agent", "linux-arm64": "another agent"}),
	}
	for _, c := range change {
		c(s)
	}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPack(t *testing.T, s *Service, address string) *Package {
	t.Helper()
	p, err := s.For(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unzip(t *testing.T, content []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

func TestPackage(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	p := mustPack(t, s, address)
	sum := sha256.Sum256(p.Zip)
	if p.SHA256 != hex.EncodeToString(sum[:]) {
		t.Error("the checksum is not the zip's")
	}
	files := unzip(t, p.Zip)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"factor/octoprint_factor_mqtt/__init__.py", "factor/octoprint_factor_mqtt/server.json", "factor/octoprint_factor_mqtt/version.py", "factor/setup.py"}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	var about serverFile
	if err := json.Unmarshal([]byte(files["factor/octoprint_factor_mqtt/server.json"]), &about); err != nil {
		t.Fatal(err)
	}
	agent := sha256.Sum256([]byte("an agent"))
	if about.URL != address || about.CAPEM != string(s.AuthorityPEM) || about.PluginVersion != "1.2.3" || about.SigningKey != s.SigningKey() ||
		about.Agents["linux-amd64"] != (Agent{SHA256: hex.EncodeToString(agent[:]), Size: 8}) || len(about.Agents) != 2 {
		t.Errorf("%+v", about)
	}
}

// The same server gives the same bytes after a restart, and others for another address or other agents.
func TestPackage_SameBytes(t *testing.T) {
	dir := t.TempDir()
	first := mustPack(t, mustOpen(t, dir), address)
	again := mustPack(t, mustOpen(t, dir, func(s *Service) {
		later := sources()
		for _, f := range later {
			f.ModTime = time.Now().Add(time.Hour)
		}
		s.Sources = later
	}), address)
	if !bytes.Equal(first.Zip, again.Zip) || !bytes.Equal(first.Listing, again.Listing) {
		t.Error("other bytes for the same server")
	}
	if bytes.Equal(first.Zip, mustPack(t, mustOpen(t, dir), "https://192.0.2.1:8443").Zip) {
		t.Error("the same bytes for another address")
	}
	other := mustOpen(t, dir, func(s *Service) { s.Embedded = programs(map[string]string{"linux-amd64": "a newer agent"}) })
	if bytes.Equal(first.Zip, mustPack(t, other, address).Zip) {
		t.Error("the same bytes with other agents")
	}
	if bytes.Equal(first.Zip, mustPack(t, mustOpen(t, t.TempDir()), address).Zip) {
		t.Error("the same bytes with another server's key")
	}
}

func TestListing(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	p := mustPack(t, s, address)
	var doc struct {
		listing
		Signed, Signature []byte
	}
	if err := json.Unmarshal(p.Listing, &doc); err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(s.SigningKey())
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(public, doc.Signed, doc.Signature) {
		t.Error("the signature is wrong")
	}
	var signed listing
	if err := json.Unmarshal(doc.Signed, &signed); err != nil {
		t.Fatal(err)
	}
	for _, l := range []listing{doc.listing, signed} {
		if l.Version != "1.2.3" || l.ZipURL != address+"/plugin/factor.zip" || l.ZipSHA256 != p.SHA256 || l.AgentVersion != "9.8.7" || len(l.Agents) != 2 {
			t.Errorf("%+v", l)
		}
	}
	doc.Signed[10]++
	if ed25519.Verify(public, doc.Signed, doc.Signature) {
		t.Error("a changed list is believed")
	}
}

func TestKey(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	if got := mustOpen(t, dir).SigningKey(); got != s.SigningKey() {
		t.Error("another key after a restart")
	}
	info, err := os.Stat(s.KeyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "keys", ".new-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(s.KeyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := &Service{Sources: s.Sources, KeyFile: s.KeyFile, CacheDir: s.CacheDir}
	if err := damaged.Initialize(); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a damaged key: %v", err)
	}
	if text, _ := os.ReadFile(s.KeyFile); string(text) != "no key" {
		t.Error("a damaged key was replaced")
	}
}

func TestInitialize_RefusesHalfAPlugin(t *testing.T) {
	for name, take := range map[string]func(fstest.MapFS){
		"no setup.py":   func(f fstest.MapFS) { delete(f, "setup.py") },
		"no version.py": func(f fstest.MapFS) { delete(f, "octoprint_factor_mqtt/version.py") },
		"no version":    func(f fstest.MapFS) { f["octoprint_factor_mqtt/version.py"].Data = []byte("VERSION = None\n") },
	} {
		half := sources()
		take(half)
		dir := t.TempDir()
		s := &Service{Sources: half, KeyFile: filepath.Join(dir, "k"), CacheDir: dir}
		if err := s.Initialize(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestFor_KeepsAFewAddresses(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	for port := range 3 * maxPackages {
		mustPack(t, s, address+":"+string(rune('0'+port%10))+string(rune('0'+port/10)))
	}
	if len(s.packages) > maxPackages || len(s.order) > maxPackages {
		t.Errorf("%d packages kept", len(s.packages))
	}
}

func serve(s *Service, method, path string, header ...string) *httptest.ResponseRecorder {
	m := http.NewServeMux()
	m.HandleFunc("GET /zip", func(w http.ResponseWriter, r *http.Request) { s.ServeZip(w, r, address) })
	m.HandleFunc("GET /version", func(w http.ResponseWriter, r *http.Request) { s.ServeVersion(w, r, address) })
	m.HandleFunc("GET /agent/{platform}", s.ServeAgent)
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w
}

func TestServe(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	whole := serve(s, "GET", "/zip")
	p := mustPack(t, s, address)
	etag := whole.Header().Get("Etag")
	if whole.Code != 200 || !bytes.Equal(whole.Body.Bytes(), p.Zip) || whole.Header().Get("X-Checksum-Sha256") != p.SHA256 ||
		whole.Header().Get("Content-Type") != "application/zip" || etag == "" {
		t.Errorf("%d %v", whole.Code, whole.Header())
	}
	if head := serve(s, "HEAD", "/zip"); head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("X-Checksum-Sha256") != p.SHA256 {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	if part := serve(s, "GET", "/zip", "Range", "bytes=2-5", "If-Range", etag); part.Code != 206 || part.Body.String() != string(p.Zip[2:6]) {
		t.Errorf("Range: %d", part.Code)
	}
	if same := serve(s, "GET", "/zip", "If-None-Match", etag); same.Code != 304 {
		t.Errorf("If-None-Match: %d", same.Code)
	}
	if list := serve(s, "GET", "/version"); list.Code != 200 || !bytes.Equal(list.Body.Bytes(), p.Listing) {
		t.Errorf("%d %s", list.Code, list.Body)
	}
}

func TestServeAgent(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	for range 2 { // unpacked, then from the cache
		w := serve(s, "GET", "/agent/linux-arm64")
		sum := sha256.Sum256([]byte("another agent"))
		if w.Code != 200 || w.Body.String() != "another agent" || w.Header().Get("X-Checksum-Sha256") != hex.EncodeToString(sum[:]) {
			t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
		}
	}
	if w := serve(s, "GET", "/agent/linux-arm64", "Range", "bytes=8-"); w.Code != 206 || w.Body.String() != "agent" {
		t.Errorf("Range: %d %q", w.Code, w.Body)
	}
	for _, platform := range []string{"linux-riscv64", "..%2Fplugin.key", "linux-amd64.zst"} {
		w := serve(s, "GET", "/agent/"+platform)
		var p struct{ Code string }
		if json.Unmarshal(w.Body.Bytes(), &p); w.Code != 404 || p.Code != "no_agent_for_platform" {
			t.Errorf("%s: %d %s", platform, w.Code, w.Body)
		}
	}
}

// A developer's server has no agents inside; it hands out the one that was built beside it.
func TestServeAgent_Beside(t *testing.T) {
	beside := filepath.Join(t.TempDir(), "factor-agent")
	s := mustOpen(t, t.TempDir(), func(s *Service) { s.Embedded, s.Beside = programs(nil), beside })
	if w := serve(s, "GET", "/agent/"+thisPlatform()); w.Code != 404 {
		t.Errorf("not built yet: %d", w.Code)
	}
	for _, text := range []string{"built", "built anew"} {
		if err := os.WriteFile(beside, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		w := serve(s, "GET", "/agent/"+thisPlatform())
		p := mustPack(t, s, address)
		if w.Code != 200 || w.Body.String() != text || p.agents[thisPlatform()].SHA256 != w.Header().Get("X-Checksum-Sha256") {
			t.Errorf("%d %q %+v", w.Code, w.Body, p.agents)
		}
	}
	inside := mustOpen(t, t.TempDir(), func(s *Service) { s.Beside = beside })
	if p := mustPack(t, inside, address); len(p.agents) != 2 {
		t.Errorf("a release build looks beside itself: %v", p.agents)
	}
}

// A program that two platforms are given is read for the list, and unpacked, once.
func TestServeAgent_SameForTwo(t *testing.T) {
	opened := map[string]int{}
	s := mustOpen(t, t.TempDir(), func(s *Service) {
		s.Embedded = programs(map[string]string{"linux-armv6": "small", "linux-arm64": "another"})
		s.Embedded.Inside = func(platform string) string { return strings.Replace(platform, "armv7", "armv6", 1) }
		open := s.Embedded.Open
		s.Embedded.Open = func(platform string) (io.ReadCloser, error) { opened[platform]++; return open(platform) }
		s.Embedded.Platforms = func() []string { return []string{"linux-arm64", "linux-armv6", "linux-armv7"} }
	})
	p := mustPack(t, s, address)
	if want := map[string]int{"linux-armv6": 1, "linux-arm64": 1}; !maps.Equal(opened, want) {
		t.Errorf("for the list: opened %v, want %v", opened, want)
	}
	for _, platform := range []string{"linux-armv7", "linux-armv6"} {
		w := serve(s, "GET", "/agent/"+platform)
		if w.Code != 200 || w.Body.String() != "small" || p.agents[platform].SHA256 != w.Header().Get("X-Checksum-Sha256") {
			t.Errorf("%s: %d %q %+v", platform, w.Code, w.Body, p.agents)
		}
	}
	if opened["linux-armv6"] != 2 || opened["linux-armv7"] != 0 {
		t.Errorf("with what was handed out: opened %v", opened)
	}
}
