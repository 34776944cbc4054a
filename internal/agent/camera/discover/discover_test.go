package discover

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
)

func TestMain(m *testing.M) {
	if os.Getenv("FACTOR_TEST_CHILD") == "discover" && len(os.Args) > 1 && os.Args[1] == Command {
		if err := Child(context.Background(), os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// onvifAnswer is what a camera answers to a probe, shortened to what matters.
const onvifAnswer = `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">
<SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>
<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Bed%20Cam onvif://www.onvif.org/hardware/IPC-C22</d:Scopes>
<d:XAddrs>http://169.254.169.254:8000/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>`

func mdnsAnswer(t testing.TB) []byte {
	t.Helper()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true})
	add := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	head := func(name string) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: 10}
	}
	add(b.StartAnswers())
	for _, s := range []struct{ kind, name, path string }{
		{"_rtsp._tcp.local.", "Garage", "path=live/main?x=1"},
		{"_http._tcp.local.", "esp32-cam", ""},
		{"_http._tcp.local.", "OctoPrint", "path=/"},
	} {
		add(b.PTRResource(head(s.kind), dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(s.name + "." + s.kind)}))
		add(b.SRVResource(head(s.name+"."+s.kind), dnsmessage.SRVResource{Port: 8554, Target: dnsmessage.MustNewName("cam.local.")}))
		add(b.TXTResource(head(s.name+"."+s.kind), dnsmessage.TXTResource{TXT: []string{"a=b", s.path}}))
	}
	m, err := b.Finish()
	add(err)
	return m
}

// TestAsk asks somebody who answers as cameras do, and as others do that should not.
func TestAsk(t *testing.T) {
	for name, c := range map[string]struct {
		read  func([]byte, net.IP) []Offer
		query func() []byte
		reply []byte
		want  []Offer
	}{
		"ONVIF": {matches, probe, []byte(onvifAnswer), []Offer{{"onvif", "Bed Cam IPC-C22", "onvif://127.0.0.1:8000/", false}}},
		"MDNS": {mdnsReply, mdnsQuery, mdnsAnswer(t), []Offer{{"mdns", "Garage", "rtsp://127.0.0.1:8554/live/main?x=1", true},
			{"mdns", "esp32-cam", "http://127.0.0.1:8554/", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			camera, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer camera.Close()
			go func() {
				question := make([]byte, maxReply)
				for {
					n, from, err := camera.ReadFrom(question)
					if err != nil {
						return
					}
					if n < 20 {
						t.Errorf("asked %q", question[:n])
					}
					camera.WriteTo([]byte("nonsense"), from)
					camera.WriteTo(c.reply, from)
				}
			}()
			conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			var found []Offer
			ask(ctx, conn, service{camera.LocalAddr().(*net.UDPAddr), c.query, c.read}, func(o Offer) {
				if found = append(found, o); len(found) == len(c.want) {
					cancel()
				}
			})
			if found = tidy(found); !slices.Equal(found, c.want) {
				t.Errorf("%+v", found)
			}
		})
	}
}

func TestTidy(t *testing.T) {
	list := tidy([]Offer{{From: "onvif", Name: "a\x1b[31m", URL: "rtsp://1/"}, {From: "v4l2", Name: "z", URL: "v4l2:///dev/video0"},
		{From: "onvif", Name: "b", URL: "rtsp://1/"}, {From: "mdns", Name: strings.Repeat("한", 200), URL: "http://2/"}})
	if len(list) != 3 || list[0].From != "v4l2" || list[1].From != "mdns" || strings.Contains(list[2].Name, "\x1b") || len([]rune(list[1].Name)) > maxName {
		t.Errorf("%+v", list)
	}
}

// TestApart finds what there is on this machine, be it nothing: it ends by itself and says a list.
func TestApart(t *testing.T) {
	t.Setenv("FACTOR_TEST_CHILD", "discover")
	found, err := Apart(os.Args[0])(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range found {
		if camera.Check(o.URL) != "" || o.Name == "" {
			t.Errorf("%+v", o)
		}
	}
	if _, err := Apart("/nonexistent")(context.Background()); err == nil {
		t.Error("found without a program")
	}
}

func FuzzMatches(f *testing.F) {
	f.Add([]byte(onvifAnswer))
	f.Add([]byte("<Envelope><Body><ProbeMatches><ProbeMatch><Types>NetworkVideoTransmitter</Types><Scopes>onvif://www.onvif.org/name/%zz</Scopes>"))
	f.Fuzz(func(t *testing.T, reply []byte) { offered(t, matches(reply, net.IPv4(192, 168, 0, 9))) })
}

func FuzzMDNS(f *testing.F) {
	f.Add(mdnsAnswer(f))
	f.Add([]byte{0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 0x0c})
	f.Fuzz(func(t *testing.T, reply []byte) { offered(t, mdnsReply(reply, net.IPv4(192, 168, 0, 9))) })
}

// offered: whatever is answered, nobody but the one who answers is offered.
func offered(t *testing.T, list []Offer) {
	for _, o := range list {
		rest, ok := strings.CutPrefix(o.URL[strings.Index(o.URL, ":")+1:], "//192.168.0.9")
		if !ok || (rest != "" && rest[0] != ':' && rest[0] != '/') {
			t.Fatalf("%+v", o)
		}
		if _, err := json.Marshal(o); err != nil {
			t.Fatal(err)
		}
	}
}
