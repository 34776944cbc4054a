package app

import (
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// oneMove is the shortest thing to print.
const oneMove = "G28\nG1 X1\n"

// request asks to upload a file; pairs are more metadata.
func (v *visitor) request(t *testing.T, name string, size int, content string, pairs ...string) *http.Response {
	t.Helper()
	var meta []string
	for pairs := append([]string{"filename", name}, pairs...); len(pairs) > 0; pairs = pairs[2:] {
		meta = append(meta, pairs[0]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[1])))
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", v.url+"/api/v1/files", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Tus-Resumable", "1.0.0")
	r.Header.Set("Upload-Length", strconv.Itoa(size))
	r.Header.Set("Upload-Metadata", strings.Join(meta, ","))
	if content != "" {
		r.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	resp, err := v.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// tryUpload begins an upload and gives what is answered.
func (v *visitor) tryUpload(t *testing.T, name string, size int, pairs ...string) (int, []byte) {
	t.Helper()
	resp := v.request(t, name, size, "", pairs...)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

// beginUpload begins an upload and gives its address.
func (v *visitor) beginUpload(t *testing.T, name string, size int) string {
	t.Helper()
	return v.uploadOf(t, v.request(t, name, size, ""))
}

// bring puts a file into the visitor's library and gives its id.
func (v *visitor) bring(t *testing.T, name string) string {
	t.Helper()
	return v.bringText(t, name, oneMove)
}

func (v *visitor) bringText(t *testing.T, name, content string) string {
	t.Helper()
	return strings.TrimPrefix(v.uploadOf(t, v.request(t, name, len(content), content)), "/api/v1/uploads/")
}

func (v *visitor) uploadOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("upload: %d %s", resp.StatusCode, text)
	}
	return resp.Header.Get("Location")
}
