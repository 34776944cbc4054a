package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/file/gcode"
)

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func TestUpload_InPieces(t *testing.T) {
	h := newHouse(t)
	a := h.create("kim", len(cube), "filename", "정육면체.gcode", "folder", "시험/하나", "tags", "PLA, 시험", "sha256", sumOf(cube))
	location := a.header.Get("Location")
	if a.status != 201 || !strings.HasPrefix(location, uploadsPath) || a.header.Get("Upload-Expires") == "" || a.header.Get("Tus-Resumable") != "1.0.0" {
		t.Fatalf("%s %v", a, a.header)
	}
	for at := 0; at < len(cube); at += 20 {
		if a := h.head("kim", location); a.status != 200 || a.header.Get("Upload-Offset") != fmt.Sprint(at) || a.header.Get("Upload-Length") != fmt.Sprint(len(cube)) {
			t.Fatalf("at %d: %s %v", at, a, a.header)
		}
		if a := h.patch("kim", location, at, cube[at:min(at+20, len(cube))]); a.status != 204 {
			t.Fatalf("at %d: %s", at, a)
		}
	}
	// Whoever lost the last answer asks again, and learns that all has come.
	if a := h.head("kim", location); a.status != 200 || a.header.Get("Upload-Offset") != fmt.Sprint(len(cube)) {
		t.Errorf("complete: %s %v", a, a.header)
	}
	var list struct{ Items []File }
	if h.call("kim", "GET", "/api/v1/files?folder=시험/하나", nil, &list); len(list.Items) != 1 {
		t.Fatalf("%+v", list)
	}
	f := list.Items[0]
	if f.Name != "정육면체.gcode" || f.Folder != "시험/하나" || f.SHA256 != sumOf(cube) || f.Size != int64(len(cube)) || f.Kind != KindText ||
		fmt.Sprint(f.Tags) != "[PLA 시험]" || f.UploadedBy.Name != "kim" || f.Analysis.State != AnalysisWaiting {
		t.Errorf("%+v", f)
	}
	if a := h.do("kim", "GET", "/api/v1/files/"+f.ID+"/download", nil); string(a.body) != cube || a.header.Get("ETag") != `"`+f.SHA256+`"` {
		t.Errorf("%s", a)
	}
	if a := h.do("kim", "GET", "/api/v1/files/"+f.ID+"/download", nil, "Range: bytes=2-5"); a.status != 206 || string(a.body) != cube[2:6] {
		t.Errorf("%s", a)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "*.part")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUpload_WithItsCreation(t *testing.T) {
	h := newHouse(t)
	a := h.do("kim", "POST", "/api/v1/files", strings.NewReader(cube), tusVersion, fmt.Sprintf("Upload-Length: %d", len(cube)),
		metadata("filename", "cube.gcode"), "Content-Type: application/offset+octet-stream")
	if a.status != 201 || a.header.Get("Upload-Offset") != fmt.Sprint(len(cube)) {
		t.Fatalf("%s", a)
	}
	if a := h.call("kim", "GET", "/api/v1/files/"+strings.TrimPrefix(a.header.Get("Location"), uploadsPath), nil, nil); a.status != 200 {
		t.Errorf("%s", a)
	}
}

func TestUpload_NamesOnceTaken(t *testing.T) {
	h := newHouse(t)
	for _, want := range []string{"cube.gcode", "cube (2).gcode", "cube (3).gcode"} {
		if f := h.upload("kim", cube, "filename", "cube.gcode"); f.Name != want {
			t.Errorf("%s, want %s", f.Name, want)
		}
	}
	long := strings.Repeat("가", 83) + ".gcode" // 255 bytes
	h.upload("kim", cube, "filename", long)
	if f := h.upload("kim", cube, "filename", long); len(f.Name) > 255 || !strings.HasSuffix(f.Name, " (2).gcode") {
		t.Errorf("%d bytes: %s", len(f.Name), f.Name)
	}
	// macOS writes letters and their marks apart.
	if f := h.upload("kim", cube, "filename", "가.gcode"); f.Name != "가.gcode" {
		t.Errorf("%q", f.Name)
	}
}

func TestUpload_OnlyWhoBeganIt(t *testing.T) {
	h := newHouse(t)
	h.roles["lee/kim"], h.roles["viewer/kim"] = "operator", "viewer"
	location := h.create("kim", len(cube), "filename", "cube.gcode").header.Get("Location")
	for _, user := range []string{"lee", "viewer", "stranger"} {
		for name, a := range map[string]answer{
			"HEAD": h.head(user, location), "PATCH": h.patch(user, location, 0, cube),
			"DELETE": h.do(user, "DELETE", location, nil, tusVersion),
		} {
			if a.status != 404 {
				t.Errorf("%s by %s: %s", name, user, a)
			}
		}
	}
	if a := h.head("kim", location); a.header.Get("Upload-Offset") != "0" {
		t.Errorf("%v", a.header)
	}
	if a := h.create("viewer", 10, "filename", "x.gcode", "workspace", "kim"); a.status != 403 || a.code() != "not_allowed" {
		t.Errorf("a viewer uploads: %s", a)
	}
	if a := h.create("stranger", 10, "filename", "x.gcode", "workspace", "kim"); a.status != 404 {
		t.Errorf("a stranger uploads: %s", a)
	}
	// Whose right ends meanwhile does not go on.
	theirs := h.create("lee", len(cube), "filename", "x.gcode", "workspace", "kim").header.Get("Location")
	delete(h.roles, "lee/kim")
	if a := h.patch("lee", theirs, 0, cube); a.status != 404 {
		t.Errorf("without a right: %s", a)
	}
	if a := h.do("kim", "DELETE", location, nil, tusVersion); a.status != 204 {
		t.Errorf("end: %s", a)
	}
	if a := h.head("kim", location); a.status != 404 {
		t.Errorf("ended: %s", a)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUpload_Refusals(t *testing.T) {
	h := newHouse(t)
	const length, named = "Upload-Length: 5", "Upload-Metadata: filename eC5nY29kZQ==" // x.gcode
	for _, c := range []struct {
		name   string
		a      answer
		status int
		code   string
	}{
		{"NoName", h.create("kim", 5), 422, "name_empty"},
		{"PathInName", h.create("kim", 5, "filename", "../../etc/x.gcode"), 422, "name_path"},
		{"ControlInName", h.create("kim", 5, "filename", "a\x00.gcode"), 422, "name_character"},
		{"HidingName", h.create("kim", 5, "filename", "a\u202eedoc.gcode"), 422, "name_character"},
		{"LongName", h.create("kim", 5, "filename", strings.Repeat("a", 256)+".gcode"), 422, "name_too_long"},
		{"Model", h.create("kim", 5, "filename", "cube.stl"), 422, "name_extension"},
		{"PathInFolder", h.create("kim", 5, "filename", "x.gcode", "folder", "a/../b"), 422, "name_path"},
		{"DeepFolder", h.create("kim", 5, "filename", "x.gcode", "folder", strings.Repeat("a/", 9)+"a"), 422, "too_deep"},
		{"Tag", h.create("kim", 5, "filename", "x.gcode", "tags", strings.Repeat("a", 50)), 422, "tag_invalid"},
		{"Sum", h.create("kim", 5, "filename", "x.gcode", "sha256", "xyz"), 422, "sha256_invalid"},
		{"Empty", h.create("kim", 0, "filename", "x.gcode"), 422, "empty"},
		{"Large", h.create("kim", 2<<30+1, "filename", "x.gcode"), 413, "too_large"},
		{"Override", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, "X-HTTP-Method-Override: DELETE"), 400, "not_supported"},
		{"Concatenation", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, "Upload-Length: 5", "Upload-Concat: partial"), 400, "not_supported"},
		{"LaterLength", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, "Upload-Defer-Length: 1"), 400, "not_supported"},
		{"NoVersion", h.do("kim", "POST", "/api/v1/files", nil, "Upload-Length: 5"), 412, "tus_version"},
		{"NoLength", h.do("kim", "POST", "/api/v1/files", nil, tusVersion), 400, "invalid"},
		{"Checksum", h.do("kim", "POST", "/api/v1/files", strings.NewReader(cube), tusVersion, length, named, "Upload-Checksum: sha1 AAAA"), 400, "not_supported"},
		{"NameTwice", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, length, named+",filename eS5nY29kZQ=="), 400, "invalid"},
		{"NoBase64", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, length, named+",folder !!"), 400, "invalid"},
		{"SpaceInBase64", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, length, named+",sha256 YQ== YQ=="), 400, "invalid"},
		{"NoKey", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, length, named+",,tags YQ=="), 400, "invalid"},
		{"MetadataTwice", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, length, named, "Upload-Metadata: sha256 YQ=="), 400, "invalid"},
		{"LengthTwice", h.do("kim", "POST", "/api/v1/files", nil, tusVersion, length, "Upload-Length: 7", named), 400, "invalid"},
		{"Nobody", h.create("", 5, "filename", "x.gcode"), 401, "not_signed_in"},
		{"Unknown", h.patch("kim", uploadsPath+"01900000-0000-7000-8000-000000000000", 0, "x"), 404, "not_found"},
		{"Path", h.patch("kim", uploadsPath+"..%2F..%2Fmain.db", 0, "x"), 404, "not_found"},
	} {
		if c.a.status != c.status || c.a.code() != c.code || c.a.header.Get("Content-Type") != problemType {
			t.Errorf("%s: %s (%s), want %d %s", c.name, c.a, c.a.header.Get("Content-Type"), c.status, c.code)
		}
	}
	if n, err := h.DB.Read.NewSelect().Model((*uploadRow)(nil)).Count(t.Context()); err != nil || n != 0 {
		t.Errorf("%d uploads begun, %v", n, err)
	}
	// What clients have of their own is no fault.
	own := h.do("kim", "POST", "/api/v1/files", nil, tusVersion, "Upload-Length: "+strconv.Itoa(len(cube)), named+",filetype,relativePath bnVsbA==")
	location := own.header.Get("Location")
	if own.status != http.StatusCreated {
		t.Errorf("other keys: %s", own)
	}
	if a := h.patch("kim", location, 7, "x"); a.status != 409 || a.code() != "offset" {
		t.Errorf("another offset: %s", a)
	}
	if a := h.patch("kim", location, 0, cube+"more"); a.status != 413 {
		t.Errorf("more than said: %s", a)
	}
	if a := h.do("kim", "PATCH", location, strings.NewReader("x"), tusVersion, "Upload-Offset: 0", "Content-Type: text/plain"); a.status != 415 {
		t.Errorf("another type: %s", a)
	}
	if n, err := h.DB.Read.NewSelect().Model((*fileRow)(nil)).Count(t.Context()); err != nil || n != 0 {
		t.Errorf("%d files, %v", n, err)
	}
}

func TestUpload_WhatIsNoGcode(t *testing.T) {
	h := newHouse(t)
	prusa := "; generated by PrusaSlicer 2.7.1+x64 on 2024-01-01\nG28\nG1 X1 Y1 E1\n"
	for _, c := range []struct{ name, file, content, code string }{
		{"Zip", "x.gcode", "PK\x03\x04 and so on and so on", "not_gcode"},
		{"STL", "x.gcode", "solid cube\nfacet normal 0 0 1\n", "not_gcode"},
		{"Page", "x.gcode", "<!DOCTYPE html><p>Not found", "not_gcode"},
		{"Binary", "x.gcode", "G28\n\x00\x00\x00\x00G1 X1\n", "not_gcode"},
		{"Prose", "x.gcode", "Dear printer,\nplease print a cube.\n", "not_gcode"},
		{"CommentsAlone", "x.gcode", "; nothing\n; at all\n", "not_gcode"},
		{"BinaryUnderAnotherName", "x.gcode", "GCDE\x01\x00\x00\x00\x01\x00", "name_extension"},
		{"NoBinary", "x.bgcode", cube, "not_gcode"},
		{"BinaryCutOff", "x.bgcode", "GCDE\x01\x00\x00\x00\x01\x00\x01\x00\x00\x00\xff\x00\x00\x00", "cut_off"},
		{"BinaryBomb", "x.bgcode", "GCDE\x01\x00\x00\x00\x01\x00\x01\x00\x01\x00\xff\xff\xff\xff\x05\x00\x00\x00", "not_gcode"},
		{"PrusaCutOff", "x.gcode", prusa, "cut_off"},
		{"CuraCutOff", "x.gcode", ";FLAVOR:Marlin\n;LAYER_COUNT:20\n;LAYER:0\nG1 X1 Y1\n;LAYER:1\nG1 X2\n", "cut_off"},
		{"HalfLine", "x.gcode", "G28\nG1 X10.5 Y", "cut_off"},
		{"Prusa", "x.gcode", prusa + "; prusaslicer_config = begin\n; a = b\n; prusaslicer_config = end\n", ""},
		{"Cura", "x.gcode", ";LAYER_COUNT:2\n;LAYER:0\nG1 X1 Y1\n;LAYER:1\nG1 X2\n", ""},
		{"Klipper", "x.gcode", "START_PRINT BED=60 EXTRUDER=210\n", ""},
		{"Numbered", "x.gcode", "N1 G28*18\nN2 G1 X1*85\n", ""},
		{"NoLastNewline", "x.gcode", "G28\nG1 X10 Y20", ""},
		{"CRLF", "x.gcode", "; x\r\nG28\r\n", ""},
		{"SmallLetters", "x.gcode", "g28\ng1 x1\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.create("kim", len(c.content), "filename", c.file)
			if a.status != 201 {
				t.Fatalf("%s", a)
			}
			location := a.header.Get("Location")
			a = h.patch("kim", location, 0, c.content)
			if c.code == "" {
				if a.status != 204 {
					t.Errorf("%s", a)
				}
				return
			}
			if a.status != 422 || a.code() != c.code {
				t.Errorf("%s, want %s", a, c.code)
			}
			if a := h.head("kim", location); a.status != 404 {
				t.Errorf("it is still there: %s", a)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "*.part")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUpload_OtherSumThanSaid(t *testing.T) {
	h := newHouse(t)
	location := h.create("kim", len(cube), "filename", "x.gcode", "sha256", sumOf("else")).header.Get("Location")
	if a := h.patch("kim", location, 0, cube); a.status != 422 || a.code() != "checksum" {
		t.Errorf("%s", a)
	}
}

func TestUpload_QuotaAndFloor(t *testing.T) {
	free := int64(1000)
	h := newHouse(t, func(s *Service) {
		s.Quota, s.MinFree = 300, 500
		s.Free = func(string) (int64, error) { return free, nil }
	})
	first := h.create("kim", 200, "filename", "a.gcode")
	if first.status != 201 {
		t.Fatalf("%s", first)
	}
	if a := h.create("kim", 101, "filename", "b.gcode"); a.status != 413 || a.code() != "quota_exceeded" {
		t.Errorf("over the quota with what is under way: %s", a)
	}
	var u Usage
	if h.call("kim", "GET", "/api/v1/files/usage", nil, &u); u.Bytes != 200 || u.Free != 100 || u.Quota != 300 {
		t.Errorf("%+v", u)
	}
	if a := h.create("lee", 301, "filename", "b.gcode"); a.code() != "quota_exceeded" {
		t.Errorf("%s", a)
	}
	if a := h.create("lee", 250, "filename", "b.gcode"); a.status != 201 {
		t.Errorf("each workspace has its own: %s", a)
	}
	if a := h.create("park", 51, "filename", "c.gcode"); a.status != 507 || a.code() != "disk_full" {
		t.Errorf("below the floor, with what is under way: %s", a)
	}
	free = 499 // somebody else filled the disk
	location := first.header.Get("Location")
	if a := h.patch("kim", location, 0, "G28\n"); a.status != 507 || a.code() != "disk_full" {
		t.Errorf("%s", a)
	}
	free = 1000
	if a := h.patch("kim", location, 0, "G28\n"); a.status != 204 {
		t.Errorf("with room again it goes on: %s", a)
	}
}

func TestUpload_AbandonedOnesEnd(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(s *Service) { s.Now = func() time.Time { return now } })
	old := h.create("kim", len(cube), "filename", "old.gcode").header.Get("Location")
	used := h.create("kim", len(cube), "filename", "used.gcode").header.Get("Location")
	now = now.Add(UploadAge - time.Minute)
	h.patch("kim", used, 0, "G28\n")
	now = now.Add(2 * time.Minute)
	if err := h.endAbandoned(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := h.head("kim", old); a.status != 404 {
		t.Errorf("the old one: %s", a)
	}
	if a := h.head("kim", used); a.status != 200 || a.header.Get("Upload-Offset") != "4" {
		t.Errorf("the one in use: %s", a)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "*")); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

// A call that goes on and on keeps the others from nothing.
func TestUpload_OneThatIsWorkedOnHoldsNobodyUp(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(s *Service) { s.Now = func() time.Time { return now } })
	held := strings.TrimPrefix(h.create("kim", len(cube), "filename", "held.gcode").header.Get("Location"), uploadsPath)
	old := h.create("kim", len(cube), "filename", "old.gcode").header.Get("Location")
	now = now.Add(UploadAge + time.Minute)
	h.lockPatience = 20 * time.Millisecond
	done := make(chan struct{})
	locked := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- h.withLock(context.Background(), held, func() error { close(locked); <-done; return nil })
	}()
	<-locked
	if err := h.withLock(t.Context(), held, func() error { return nil }); !errors.Is(err, errLocked) {
		t.Errorf("%v", err)
	}
	if err := h.endAbandoned(t.Context()); err != nil {
		t.Error(err)
	}
	if a := h.head("kim", old); a.status != 404 {
		t.Errorf("the other one: %s", a)
	}
	close(done)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A binary file becomes text before it is printed, which is many times as large.
func TestQuota_CountsWhatBinaryFilesBecome(t *testing.T) {
	names, err := filepath.Glob("gcode/testdata/*.bgcode")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	sample, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := gcode.ToText(t.Context(), bytes.NewReader(sample), &text); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(s *Service) { s.Quota = int64(len(sample) + text.Len() - 1) })
	f := h.upload("kim", string(sample), "filename", "a.bgcode")
	row, err := h.find(t.Context(), h.DB.Read, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.plainOf(t.Context(), row); !errors.Is(err, errQuota) {
		t.Fatalf("beyond the quota: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(h.Dir, "*.text*")); len(left) != 0 {
		t.Errorf("%v", left)
	}
	h.Quota += int64(len(cube))
	for range 2 { // the second time by what is known of it
		c, err := h.plainOf(t.Context(), row)
		if err != nil || c.size != int64(text.Len()) || c.sha256 != sumOf(text.String()) {
			t.Fatalf("%+v %v", c, err)
		}
	}
	var u Usage
	if h.call("kim", "GET", "/api/v1/files/usage", nil, &u); u.Bytes != int64(len(sample)+text.Len()) || u.Free != u.Quota-u.Bytes {
		t.Errorf("%+v", u)
	}
	if err := os.WriteFile(h.plainPath(f.ID), []byte(cube), 0o600); err != nil { // somebody's backup came back
		t.Fatal(err)
	}
	if c, err := h.plainOf(t.Context(), row); err != nil || c.sha256 != sumOf(cube) {
		t.Fatalf("%+v %v", c, err)
	}
	if err := os.WriteFile(h.plainPath(f.ID), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := h.create("kim", len(cube), "filename", "cube.gcode"); a.code() != "quota_exceeded" {
		t.Errorf("an upload into the room that the text has taken: %s", a)
	}
}

// A server that was killed has counted less than it wrote, and what is beyond may be anything.
func TestUpload_AfterKill(t *testing.T) {
	dir := t.TempDir()
	h := openHouse(t, dir)
	location := h.create("kim", len(cube), "filename", "cube.gcode").header.Get("Location")
	id := strings.TrimPrefix(location, uploadsPath)
	h.patch("kim", location, 0, cube[:10])
	f, err := os.OpenFile(h.partPath(id), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "\x00\x00rubbish"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	h2 := openHouse(t, dir)
	if a := h2.head("kim", location); a.header.Get("Upload-Offset") != "10" {
		t.Fatalf("%s %v", a, a.header)
	}
	if a := h2.patch("kim", location, 10, cube[10:]); a.status != 204 {
		t.Fatalf("%s", a)
	}
	if a := h2.do("kim", "GET", "/api/v1/files/"+id+"/download", nil); string(a.body) != cube {
		t.Errorf("%q", a.body)
	}
}

// Killed between any two steps of finishing, the upload becomes one file.
func TestUpload_KilledWhileItFinishes(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(h *house, id string)
	}{
		{"BeforeTheName", func(*house, string) {}},
		{"BeforeTheRow", func(h *house, id string) {
			if err := os.Rename(h.partPath(id), h.contentPath(id)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		for _, again := range []string{"Asked", "Restart"} {
			t.Run(c.name+again, func(t *testing.T) {
				dir := t.TempDir()
				h := openHouse(t, dir)
				location := h.create("kim", len(cube), "filename", "cube.gcode").header.Get("Location")
				id := strings.TrimPrefix(location, uploadsPath)
				h.patch("kim", location, 0, cube[:10])
				row := &uploadRow{ID: id}
				if err := h.DB.Read.NewSelect().Model(row).WherePK().Scan(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := h.appendTo(t.Context(), row, strings.NewReader(cube[10:])); err != nil {
					t.Fatal(err)
				}
				c.do(h, id)
				h2 := openHouse(t, dir)
				if again == "Asked" {
					if a := h2.head("kim", location); a.status != 200 || a.header.Get("Upload-Offset") != fmt.Sprint(len(cube)) {
						t.Fatalf("%s", a)
					}
				} else {
					h2.finishComplete(t.Context())
				}
				if err := h2.sweepStrays(t.Context()); err != nil {
					t.Fatal(err)
				}
				var list struct{ Items []File }
				if h2.call("kim", "GET", "/api/v1/files", nil, &list); len(list.Items) != 1 || list.Items[0].ID != id {
					t.Fatalf("%+v", list)
				}
				if a := h2.do("kim", "GET", "/api/v1/files/"+id+"/download", nil); string(a.body) != cube {
					t.Errorf("%s", a)
				}
			})
		}
	}
}

func TestSweepStrays(t *testing.T) {
	h := newHouse(t)
	f := h.upload("kim", cube, "filename", "cube.gcode")
	under := h.create("kim", 10, "filename", "b.gcode").header.Get("Location")
	stray := filepath.Join(h.Dir, "01900000-0000-7000-8000-000000000000")
	foreign := filepath.Join(h.Dir, "notes.txt")
	for _, path := range []string{stray, stray + ".part", stray + ".thumb0", foreign} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.sweepStrays(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, stays := range map[string]bool{stray: false, stray + ".part": false, stray + ".thumb0": false, foreign: true,
		h.contentPath(f.ID): true, h.partPath(strings.TrimPrefix(under, uploadsPath)): true} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}

// A connection that breaks in the middle leaves what came.
func TestUpload_CutConnection(t *testing.T) {
	h := newHouse(t)
	body := strings.Repeat("G1 X1 Y1\n", 100_000)
	location := h.create("kim", len(body), "filename", "cube.gcode").header.Get("Location")
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "PATCH", h.server.URL+location, io.MultiReader(strings.NewReader(body[:300_000]), cutting{cancel, ctx}))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(body))
	for name, value := range map[string]string{"User": "kim", "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"} {
		r.Header.Set(name, value)
	}
	if resp, err := h.server.Client().Do(r); err == nil {
		resp.Body.Close()
		t.Fatal("the request was not cut")
	}
	// The server may still be at the cut request when it is asked, or come to it only then, which takes the next request's
	// place even if all of that has come: as clients do, ask again.
	for end, sent := time.Now().Add(patience), false; ; sent = true {
		var offset int
		a := h.head("kim", location)
		if _, err := fmt.Sscan(a.header.Get("Upload-Offset"), &offset); err != nil || (offset == len(body) && !sent) {
			t.Fatalf("%s %v", a, a.header)
		}
		if offset == len(body) {
			break
		}
		if a = h.patch("kim", location, offset, body[offset:]); a.status == 204 {
			break
		}
		if a.status != 409 || time.Now().After(end) {
			t.Fatalf("%s", a)
		}
	}
	var f File
	if h.call("kim", "GET", "/api/v1/files/"+strings.TrimPrefix(location, uploadsPath), nil, &f); f.SHA256 != sumOf(body) {
		t.Errorf("%+v", f)
	}
}

type cutting struct {
	cut context.CancelFunc
	ctx context.Context
}

func (c cutting) Read([]byte) (int, error) {
	c.cut()
	<-c.ctx.Done()
	return 0, c.ctx.Err()
}
