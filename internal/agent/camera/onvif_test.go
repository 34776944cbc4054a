package camera

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	onvifClock = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">
<s:Body><tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time>
<tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse></s:Body></s:Envelope>`
	onvifCapabilities = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetCapabilitiesResponse xmlns="http://www.onvif.org/ver10/device/wsdl"><Capabilities>
<Media xmlns="http://www.onvif.org/ver10/schema"><XAddr>http://169.254.169.254:80/onvif/media?x=1</XAddr></Media></Capabilities></GetCapabilitiesResponse></s:Body></s:Envelope>`
	onvifProfiles = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><trt:GetProfilesResponse xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">
<trt:Profiles token="hevc"><tt:VideoEncoderConfiguration><tt:Encoding>H265</tt:Encoding></tt:VideoEncoderConfiguration></trt:Profiles>
<trt:Profiles token="main &amp; only"><tt:VideoEncoderConfiguration><tt:Encoding>H264</tt:Encoding></tt:VideoEncoderConfiguration></trt:Profiles></trt:GetProfilesResponse></s:Body></s:Envelope>`
	onvifURI = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><trt:GetStreamUriResponse xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">
<trt:MediaUri><tt:Uri>%s</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse></s:Body></s:Envelope>`
	onvifDenied = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>`
)

// onvifServer answers as cameras do whose clock is three hours slow, and that insist on a login. uri is its stream's.
type onvifServer struct {
	password string
	digest   bool // by HTTP, in place of WS-Security
	uri      string
	asked    []string
}

var onvifCall = regexp.MustCompile(`<s:Body><(\w+)`)

func (s *onvifServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	m := onvifCall.FindStringSubmatch(string(b))
	if r.Method != http.MethodPost || m == nil {
		http.Error(w, "?", http.StatusBadRequest)
		return
	}
	s.asked = append(s.asked, m[1]+" "+r.URL.RequestURI())
	now := time.Now().UTC().Add(-3 * time.Hour)
	if m[1] == "GetSystemDateAndTime" {
		fmt.Fprintf(w, onvifClock, now.Hour(), now.Minute(), now.Second(), now.Year(), now.Month(), now.Day())
		return
	}
	if s.digest && !strings.Contains(r.Header.Get("Authorization"), `username="owner"`) {
		w.Header().Set("WWW-Authenticate", `Digest realm="cam", nonce="abc", qop="auth"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if !s.digest && !s.knows(string(b), now) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, onvifDenied)
		return
	}
	switch {
	case m[1] == "GetCapabilities" && r.URL.Path == onvifPath:
		io.WriteString(w, onvifCapabilities)
	case m[1] == "GetProfiles" && r.URL.RequestURI() == "/onvif/media?x=1":
		io.WriteString(w, onvifProfiles)
	case m[1] == "GetStreamUri" && strings.Contains(string(b), "<ProfileToken>main &amp; only</ProfileToken>"):
		fmt.Fprintf(w, onvifURI, s.uri)
	default:
		http.Error(w, "?", http.StatusNotFound)
	}
}

var onvifToken = regexp.MustCompile(`<w:Username>([^<]*)</w:Username><w:Password[^>]*>([^<]*)</w:Password><w:Nonce[^>]*>([^<]*)</w:Nonce><u:Created>([^<]*)</u:Created>`)

func (s *onvifServer) knows(message string, now time.Time) bool {
	m := onvifToken.FindStringSubmatch(message)
	if m == nil || m[1] != "owner" {
		return false
	}
	at, err := time.Parse(time.RFC3339, m[4])
	nonce, bad := base64.StdEncoding.DecodeString(m[3])
	sum := sha1.Sum([]byte(string(nonce) + m[4] + s.password))
	return err == nil && bad == nil && now.Sub(at).Abs() < 30*time.Second && m[2] == base64.StdEncoding.EncodeToString(sum[:])
}

func TestONVIF_StreamURL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server onvifServer
		login  string
		want   string // or a code
	}{
		"WSSecurity": {onvifServer{password: "p&<", uri: "rtsp://10.0.0.9:8554/live?channel=1&amp;sub=0"}, "owner:p&%3C@", "rtsp://owner:p&%3C@127.0.0.1:8554/live?channel=1&sub=0"},
		"HTTPDigest": {onvifServer{password: "p", digest: true, uri: "rtsp://cam.local/live"}, "owner:p@", "rtsp://owner:p@127.0.0.1/live"},
		"Wrong":      {onvifServer{password: "p", uri: "rtsp://10.0.0.9/"}, "owner:q@", RefusedLogin},
		"NoLogin":    {onvifServer{password: "p", uri: "rtsp://10.0.0.9/"}, "", RefusedLogin},
		"OtherKind":  {onvifServer{password: "p", uri: "file:///etc/passwd"}, "owner:p@", NotAStream},
		"NoAddress":  {onvifServer{password: "p", uri: "rtsp:///live"}, "owner:p@", NotAStream},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(&c.server)
			defer server.Close()
			u, err := parse("onvif://" + c.login + strings.TrimPrefix(server.URL, "http://") + "/")
			if err != nil {
				t.Fatal(err)
			}
			client := newClient()
			defer client.CloseIdleConnections()
			got, err := (&onvifCamera{client: client, at: u}).streamURL(context.Background())
			if text := fmt.Sprint(got); err != nil && err.Error() != c.want || err == nil && text != c.want {
				t.Errorf("%s, %v after %q", text, err, c.server.asked)
			}
		})
	}
}

// Its faults are those of every camera.
func TestLook_ONVIF_Faults(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>login</html>") }))
	defer web.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < 100; i++ {
			if _, err := io.WriteString(w, strings.Repeat("<a>", 10_000)); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for address, code := range map[string]string{
		strings.TrimPrefix(web.URL, "http://"):     NotAStream,
		strings.TrimPrefix(endless.URL, "http://"): TooLarge,
		gone.Addr().String():                       Unreachable,
		"169.254.169.254":                          AddressRefused,
	} {
		if r := Look(context.Background(), "onvif://owner:secret@"+address+"/"); r.Code != code || strings.Contains(fmt.Sprint(r), "secret") {
			t.Errorf("%s: %+v", address, r)
		}
	}
}

// Whatever a camera answers, its stream is on the host that its owner named, by RTSP.
func FuzzONVIF(f *testing.F) {
	for _, seed := range []string{onvifCapabilities, onvifProfiles, onvifDenied, fmt.Sprintf(onvifURI, "rtsp://x@169.254.169.254:1/../a%2f?b#c"),
		fmt.Sprintf(onvifClock, 1, 2, 3, 2026, 13, 45), "<Envelope><Body><Fault><Code><Subcode><Subcode><Value>ter:NotAuthorized"} {
		f.Add([]byte(seed))
	}
	at, err := parse("onvif://owner:p@192.168.0.9:80/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readONVIF(strings.NewReader(string(b)))
		if err != nil {
			return
		}
		a.clock()
		a.profile()
		a.Fault.refused()
		c := &onvifCamera{at: at}
		if m, err := url.Parse(a.Media); err == nil {
			if got := c.service(m.RequestURI()); got.Host != at.Host || got.Scheme != "http" {
				t.Fatalf("%s", got)
			}
		}
		if u, err := c.stream(a.URI); err == nil && (u.Hostname() != "192.168.0.9" || !strings.HasPrefix(u.Scheme, "rtsp") || u.User.Username() != "owner") {
			t.Fatalf("%s", u)
		}
	})
}
