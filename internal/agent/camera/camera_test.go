package camera

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "camera" && len(os.Args) > 1 && os.Args[1] == Command {
		if err := Child(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// still makes a JPEG.
func still(t testing.TB, width, height int, noise bool) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	seed := uint32(1)
	for y := range height {
		for x := range width {
			c := color.RGBA{uint8(x), uint8(y), 100, 255}
			if noise {
				seed = seed*1664525 + 1013904223
				c.R, c.G, c.B = uint8(seed>>24), uint8(seed>>16), uint8(seed>>8)
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bare takes the Huffman tables out of a JPEG, as USB cameras do.
func bare(frame []byte) []byte {
	return bytes.Replace(frame, tables(), nil, 1)
}

func site(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// multipart answers with pictures, each written by write, until the reader has enough.
func multipart(kind string, write func(w io.Writer, frame []byte), frame []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		for range 60 {
			write(w, frame)
			if http.NewResponseController(w).Flush() != nil || r.Context().Err() != nil {
				return
			}
		}
	}
}

func TestLook_MJPEG(t *testing.T) {
	frame := still(t, 64, 48, false)
	for name, c := range map[string]struct {
		kind  string
		write func(io.Writer, []byte)
		frame []byte
	}{
		"AsItShouldBe": {"multipart/x-mixed-replace; boundary=frame", func(w io.Writer, f []byte) {
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(f), f)
		}, frame},
		"NoLength": {"multipart/x-mixed-replace;boundary=frame", func(w io.Writer, f []byte) {
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n", f)
		}, frame},
		"BoundaryWithDashes": {"multipart/x-mixed-replace;boundary=--frame", func(w io.Writer, f []byte) {
			fmt.Fprintf(w, "--frame\nContent-type: image/jpeg\n\n%s\n", f)
		}, frame},
		"WrongBoundaryAndLength": {"multipart/x-mixed-replace;boundary=a:b", func(w io.Writer, f []byte) {
			fmt.Fprintf(w, "--other\r\nContent-Length: 7\r\n\r\n%s", f)
		}, frame},
		"NoBoundary": {"multipart/x-mixed-replace", func(w io.Writer, f []byte) { w.Write(f) }, frame},
		"NoType":     {"application/octet-stream", func(w io.Writer, f []byte) { fmt.Fprintf(w, "--x\r\n\r\n%s", f) }, frame},
		"NoTables":   {"multipart/x-mixed-replace; boundary=frame", func(w io.Writer, f []byte) { fmt.Fprintf(w, "--frame\r\n\r\n%s", f) }, bare(frame)},
	} {
		t.Run(name, func(t *testing.T) {
			r := Look(context.Background(), site(t, multipart(c.kind, c.write, c.frame))+"/?action=stream")
			if !r.OK || r.Kind != MJPEG || r.Width != 64 || r.Height != 48 || r.FPS <= 0 {
				t.Fatalf("%+v", r)
			}
			pictured(t, r)
		})
	}
}

// pictured decodes the picture of a result.
func pictured(t *testing.T, r Result) image.Image {
	t.Helper()
	content, ok := strings.CutPrefix(r.Picture, "data:image/jpeg;base64,")
	if !ok || len(r.Picture) > 200<<10 {
		t.Fatalf("%d bytes, %.40s", len(r.Picture), r.Picture)
	}
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestLook_Snapshot(t *testing.T) {
	large := still(t, 1000, 800, true)
	url := site(t, func(w http.ResponseWriter, r *http.Request) { w.Write(large) })
	r := Look(context.Background(), url)
	if !r.OK || r.Kind != JPEG || r.Width != 1000 || r.Height != 800 || r.FPS != 0 {
		t.Fatalf("%+v", r)
	}
	if b := pictured(t, r).Bounds(); b.Dx() >= 1000 {
		t.Errorf("%d bytes of picture were not made smaller: %v", len(large), b)
	}
}

func TestLook_Faults(t *testing.T) {
	frame := still(t, 16, 16, false)
	text := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	away := httptest.NewServer(nil)
	away.Close()
	for name, c := range map[string]struct{ url, code string }{
		"Empty":     {"", BadURL},
		"File":      {"file:///etc/passwd", BadURL},
		"NoHost":    {"http:///x", BadURL},
		"Away":      {away.URL, Unreachable},
		"Name":      {"http://no-such-camera.invalid/", NameNotFound},
		"LinkLocal": {"http://169.254.169.254/latest/meta-data", AddressRefused},
		"Mapped":    {"http://[::ffff:169.254.169.254]/", AddressRefused},
		"Any":       {"http://0.0.0.0:1/", AddressRefused},
		"RTSPLink":  {"rtsp://169.254.169.254/", AddressRefused},
		"HLSLink":   {"http://169.254.169.254/a.m3u8", AddressRefused},
		"Login":     {site(t, text(401, "text/html", "")), RefusedLogin},
		"NotFound":  {site(t, text(404, "text/html", "")), NotFound},
		"Page":      {site(t, text(200, "text/html", "<html>secret</html>")), NotAStream},
		"Redirect": {site(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}), AddressRefused},
		"ToFile": {site(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}), NotAStream},
		"Endless":    {site(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }), NotAStream},
		"CutOff":     {site(t, text(200, "image/jpeg", string(frame[:len(frame)/2]))), NotAStream},
		"NoPictures": {site(t, text(200, "multipart/x-mixed-replace", strings.Repeat("--x\r\n\r\nhello\r\n", 1000))), NotAStream},
		"Garbage":    {site(t, text(200, "image/jpeg", "\xff\xd8\xff\xdb\x00\x02\xff\xd9")), UnsupportedCodec},
		"Huge":       {site(t, text(200, "image/jpeg", "\xff\xd8\xff\xda\x00\x02"+strings.Repeat("x", maxFrame))), TooLarge},
		"NotRTSP":    {strings.Replace(site(t, text(200, "text/html", "")), "http", "rtsp", 1), NotAStream},
		"NotHLS":     {site(t, text(200, "text/html", "")) + "/a.m3u8", NotAStream},
		"HLSLogin":   {site(t, text(401, "text/html", "")) + "/a.m3u8", RefusedLogin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Look(context.Background(), strings.Replace(c.url, "://127", "://user:secret@127", 1))
			if r.OK || r.Code != c.code || r.Message == "" || r.Cure == "" {
				t.Errorf("%+v, want %s", r, c.code)
			}
			if b, _ := json.Marshal(r); bytes.Contains(b, []byte("secret")) {
				t.Errorf("tells too much: %s", b)
			}
		})
	}
}

func TestLook_Silence(t *testing.T) {
	hold := make(chan struct{})
	url := site(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(hold) })
	if r := Look(context.Background(), url); r.Code != Timeout {
		t.Errorf("%+v", r)
	}
}

func TestLook_Login(t *testing.T) {
	frame := still(t, 16, 16, false)
	basic := site(t, func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "user" || password != "p@ss" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(401)
			return
		}
		w.Write(frame)
	})
	digested := site(t, func(w http.ResponseWriter, r *http.Request) {
		// RFC 7616, 3.4.1: the response for this nonce and cnonce-free challenge is fixed.
		if !strings.HasPrefix(r.Header.Get("Authorization"), `Digest username="user", realm="cam", nonce="n", uri="/x", response="`) {
			w.Header().Set("WWW-Authenticate", `Digest realm="cam", nonce="n"`)
			w.WriteHeader(401)
			return
		}
		w.Write(frame)
	})
	for _, url := range []string{basic + "/", digested + "/x"} {
		with := strings.Replace(url, "://", "://user:p%40ss@", 1)
		if r := Look(context.Background(), with); !r.OK {
			t.Errorf("%s: %+v", url, r)
		}
		if r := Look(context.Background(), url); r.Code != RefusedLogin {
			t.Errorf("%s: %+v", url, r)
		}
	}
}

func TestForbidden(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1": false, "192.168.0.10": false, "10.0.0.1": false, "fd12::1": false, "8.8.8.8": false,
		"169.254.1.1": true, "::ffff:169.254.1.1": true, "fe80::1": true, "224.0.0.1": true, "ff02::1": true, "0.0.0.0": true, "::": true,
		"255.255.255.255": true, "fd00:ec2::254": true, "100.100.100.200": true, "64:ff9b::a9fe:a9fe": true, "64:ff9b::808:808": false,
		"64:ff9b:1::a9fe:a9fe": true, "::ffff:0:a9fe:a9fe": true, "::a9fe:a9fe": true, "2002:a9fe:a9fe::1": true, "2002:808:808::1": false, "::1": false} {
		if got := forbidden(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestApart(t *testing.T) {
	t.Setenv(childEnv, "camera")
	frame := still(t, 32, 24, false)
	url := site(t, func(w http.ResponseWriter, r *http.Request) { w.Write(frame) })
	look := Apart(os.Args[0])
	if r := look(context.Background(), url); !r.OK || r.Width != 32 {
		t.Errorf("%+v", r)
	}
	if r := look(context.Background(), "ftp://x"); r.Code != BadURL {
		t.Errorf("%+v", r)
	}
	if r := Apart("/nonexistent")(context.Background(), url); r.OK || r.Code == "" {
		t.Errorf("%+v", r)
	}
}

// FuzzFrames: whatever comes, it ends, and what is taken for a picture begins and ends like one.
func FuzzFrames(f *testing.F) {
	frame := still(f, 8, 8, false)
	f.Add([]byte("--b\r\nContent-Length: 3\r\n\r\n" + string(frame) + "\r\n--b\r\n\r\n" + string(frame)))
	f.Add(append(append([]byte{}, frame[:40]...), frame...))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xda\x00\x02\xff\x00\xff\xd0\xff\xd9"))
	f.Fuzz(func(t *testing.T, content []byte) {
		in := &frames{in: bufio.NewReaderSize(bytes.NewReader(content), 16)}
		total := 0
		for {
			got, err := in.next()
			if err != nil {
				break
			}
			if total += len(got); !bytes.HasPrefix(got, []byte(soi)) || !bytes.HasSuffix(got, []byte{0xff, markerEOI}) || total > len(content) {
				t.Fatalf("%q of %q", got, content)
			}
			fit(got)
		}
	})
}
