package camera

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

const (
	onvifPath   = "/onvif/device_service"
	onvifAnswer = 256 << 10 // bytes of an answer
)

// onvif asks a camera by ONVIF for the address of its stream, and follows that.
func (f *follow) onvif(ctx context.Context) error {
	c := &onvifCamera{client: newClient(), at: f.url}
	defer c.client.CloseIdleConnections()
	u, err := c.streamURL(ctx)
	if err != nil {
		return err
	}
	f.url = u
	f.alive()
	return f.rtsp(ctx)
}

// onvifCamera is a camera that is asked. Everything goes to the host that its owner named, whatever its answers say.
type onvifCamera struct {
	client *http.Client
	at     *url.URL
	offset time.Duration // of its clock: a login counts for a few seconds
}

// streamURL asks for the best profile's stream.
func (c *onvifCamera) streamURL(ctx context.Context) (*url.URL, error) {
	device := c.service(c.at.RequestURI())
	if c.at.Path == "" || c.at.Path == "/" {
		device = c.service(onvifPath)
	}
	var a onvifReply
	// Its clock is asked without a login. Cameras that do not tell it have a right one, or take any.
	if err := c.ask(ctx, device, `<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>`, false, &a); err == nil {
		if now, ok := a.clock(); ok {
			c.offset = time.Until(now)
		}
	} else if errors.As(err, new(net.Error)) || ctx.Err() != nil {
		return nil, err
	}
	if err := c.ask(ctx, device, `<GetCapabilities xmlns="http://www.onvif.org/ver10/device/wsdl"><Category>Media</Category></GetCapabilities>`, true, &a); err != nil {
		return nil, err
	}
	media := device
	if m, err := url.Parse(strings.TrimSpace(a.Media)); err == nil && strings.HasPrefix(m.Path, "/") {
		media = c.service(m.RequestURI())
	}
	if err := c.ask(ctx, media, `<GetProfiles xmlns="http://www.onvif.org/ver10/media/wsdl"/>`, true, &a); err != nil {
		return nil, err
	}
	token := a.profile()
	if token == "" {
		return nil, failure(UnsupportedCodec)
	}
	if err := c.ask(ctx, media, `<GetStreamUri xmlns="http://www.onvif.org/ver10/media/wsdl"><StreamSetup>`+
		`<Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast</Stream><Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP</Protocol></Transport>`+
		`</StreamSetup><ProfileToken>`+escaped(token)+`</ProfileToken></GetStreamUri>`, true, &a); err != nil {
		return nil, err
	}
	return c.stream(a.URI)
}

// stream is the address that a camera gives for its stream, on its own host and with its owner's login.
func (c *onvifCamera) stream(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || (u.Scheme != "rtsp" && u.Scheme != "rtsps") || u.Host == "" {
		return nil, failure(NotAStream)
	}
	host := c.at.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u = &url.URL{Scheme: u.Scheme, User: c.at.User, Host: host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if checked, err := parse(u.String()); err == nil {
		return checked, nil
	}
	return nil, failure(NotAStream)
}

func (c *onvifCamera) service(uri string) *url.URL {
	u := &url.URL{Scheme: "http", Host: c.at.Host}
	if at, err := url.Parse(uri); err == nil {
		u.Path, u.RawQuery = path.Clean("/"+at.Path), at.RawQuery
	}
	return u
}

// onvifReply is what matters of the answers.
type onvifReply struct {
	XMLName xml.Name
	UTC     *struct {
		Hour   int `xml:"Time>Hour"`
		Minute int `xml:"Time>Minute"`
		Second int `xml:"Time>Second"`
		Year   int `xml:"Date>Year"`
		Month  int `xml:"Date>Month"`
		Day    int `xml:"Date>Day"`
	} `xml:"Body>GetSystemDateAndTimeResponse>SystemDateAndTime>UTCDateTime"`
	Media    string `xml:"Body>GetCapabilitiesResponse>Capabilities>Media>XAddr"`
	Profiles []struct {
		Token    string `xml:"token,attr"`
		Encoding string `xml:"VideoEncoderConfiguration>Encoding"`
	} `xml:"Body>GetProfilesResponse>Profiles"`
	URI   string     `xml:"Body>GetStreamUriResponse>MediaUri>Uri"`
	Fault *onvifCode `xml:"Body>Fault>Code"`
}

type onvifCode struct {
	Value   string     `xml:"Value"`
	Subcode *onvifCode `xml:"Subcode"`
}

// refused tells whether a fault says that the login is wrong or missing.
func (f *onvifCode) refused() bool {
	for n := 0; f != nil && n < 4; f, n = f.Subcode, n+1 {
		if strings.HasSuffix(f.Value, "NotAuthorized") || strings.HasSuffix(f.Value, "FailedAuthentication") {
			return true
		}
	}
	return false
}

func (a *onvifReply) clock() (time.Time, bool) {
	if u := a.UTC; u != nil && u.Year > 1970 && u.Year < 2200 {
		return time.Date(u.Year, time.Month(u.Month), u.Day, u.Hour, u.Minute, u.Second, 0, time.UTC), true
	}
	return time.Time{}, false
}

// profile chooses what needs no transcoding; cameras list their best picture first.
func (a *onvifReply) profile() string {
	for _, encoding := range []string{"H264", "JPEG", "H265", ""} {
		for _, p := range a.Profiles {
			if p.Token != "" && strings.EqualFold(p.Encoding, encoding) {
				return p.Token
			}
		}
	}
	return ""
}

func readONVIF(in io.Reader) (*onvifReply, error) {
	b, err := io.ReadAll(io.LimitReader(in, onvifAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > onvifAnswer:
		return nil, failure(TooLarge)
	}
	a := &onvifReply{}
	if xml.NewDecoder(bytes.NewReader(b)).Decode(a) != nil || a.XMLName.Local != "Envelope" {
		return nil, failure(NotAStream)
	}
	return a, nil
}

// ask does one call: with a login in the message (WS-Security), and if the camera wants that, in the HTTP request too.
func (c *onvifCamera) ask(ctx context.Context, at *url.URL, body string, login bool, into *onvifReply) error {
	res, err := c.post(ctx, at, body, login, "")
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusUnauthorized && login && c.at.User != nil {
		with := *at
		with.User = c.at.User
		if answer := digest(res.Header.Values("WWW-Authenticate"), &with, http.MethodPost); answer != "" {
			res.Body.Close()
			if res, err = c.post(ctx, at, body, login, answer); err != nil {
				return err
			}
		}
	}
	defer res.Body.Close()
	a, err := readONVIF(res.Body)
	switch {
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden, err == nil && a.Fault.refused():
		return failure(RefusedLogin)
	case res.StatusCode == http.StatusNotFound:
		return failure(NotFound)
	case err != nil:
		return err
	case res.StatusCode != http.StatusOK, a.Fault != nil:
		return failure(NotAStream)
	}
	*into = *a
	return nil
}

func (c *onvifCamera) post(ctx context.Context, at *url.URL, body string, login bool, authorization string) (*http.Response, error) {
	head := ""
	if login && c.at.User != nil {
		head = "<s:Header>" + c.token(time.Now().Add(c.offset)) + "</s:Header>"
	}
	message := `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">` + head + "<s:Body>" + body + "</s:Body></s:Envelope>"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), strings.NewReader(message))
	if err != nil {
		return nil, failure(BadURL)
	}
	r.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	r.Header.Set("User-Agent", "factor-agent")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	return res, nil
}

// token is a WS-UsernameToken with a password digest: Base64(SHA-1(nonce + created + password)).
func (c *onvifCamera) token(now time.Time) string {
	const ns = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
	var nonce [16]byte
	rand.Read(nonce[:])
	created := now.UTC().Format("2006-01-02T15:04:05.000Z")
	password, _ := c.at.User.Password()
	sum := sha1.New()
	sum.Write(nonce[:])
	io.WriteString(sum, created+password)
	return `<w:Security s:mustUnderstand="1" xmlns:w="` + ns + `wssecurity-secext-1.0.xsd" xmlns:u="` + ns + `wssecurity-utility-1.0.xsd"><w:UsernameToken>` +
		`<w:Username>` + escaped(c.at.User.Username()) + `</w:Username>` +
		`<w:Password Type="` + ns + `username-token-profile-1.0#PasswordDigest">` + base64.StdEncoding.EncodeToString(sum.Sum(nil)) + `</w:Password>` +
		`<w:Nonce EncodingType="` + ns + `soap-message-security-1.0#Base64Binary">` + base64.StdEncoding.EncodeToString(nonce[:]) + `</w:Nonce>` +
		`<u:Created>` + created + `</u:Created></w:UsernameToken></w:Security>`
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}
