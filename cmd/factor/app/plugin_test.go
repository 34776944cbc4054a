package app

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"testing"
)

// What an OctoPrint fetches from a server: the plugin made for it, and a list of versions that its key has signed, the
// same after a restart.
func TestPlugin(t *testing.T) {
	dir := t.TempDir()
	var key, sha string
	for range 2 {
		s := mustServe(t, dir)
		v := s.visitor(t)
		v.url = s.secure
		status, body := v.call(t, "GET", "/plugin/factor.zip", nil)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		about := serverOf(t, body)
		if about.URL != s.secure || about.CAPEM != string(s.Certs.Authority().PEM) || about.PluginVersion == "" {
			t.Errorf("%+v", about)
		}
		if key != "" && key != about.SigningKey {
			t.Error("another key after a restart")
		}
		key = about.SigningKey
		var list struct{ Signed, Signature []byte }
		v.must(t, http.StatusOK, "GET", "/plugin/version.json", nil, &list)
		public, err := base64.StdEncoding.DecodeString(key)
		if err != nil || !ed25519.Verify(public, list.Signed, list.Signature) {
			t.Errorf("the list is not signed by the zip's key: %v", err)
		}
		var signed struct {
			SHA256 string `json:"zip_sha256"`
		}
		sum := sha256.Sum256(body)
		if err := json.Unmarshal(list.Signed, &signed); err != nil || signed.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%v %s", err, list.Signed)
		}
		sha = signed.SHA256
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(sha) != 64 {
		t.Error(sha)
	}
}

type pluginServer struct {
	URL           string
	CAPEM         string `json:"ca_pem"`
	SigningKey    string `json:"signing_key"`
	PluginVersion string `json:"plugin_version"`
}

// serverOf reads what a plugin's zip says about its server, and looks whether the rest is there.
func serverOf(t *testing.T, content []byte) (about pluginServer) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if path.Base(f.Name) != "server.json" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || json.Unmarshal(text, &about) != nil {
			t.Fatalf("%v %s", err, text)
		}
	}
	for _, name := range []string{"setup.py", "octoprint_factor_mqtt/__init__.py", "octoprint_factor_mqtt/server.json",
		"octoprint_factor_mqtt/translations/ko/LC_MESSAGES/messages.mo"} {
		if !slices.Contains(names, "factor/"+name) {
			t.Errorf("the zip lacks %s: %q", name, names)
		}
	}
	return about
}
