package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kangbyounggwan/factor/internal/line"
)

func mustParse(t *testing.T, args ...string) *Settings {
	t.Helper()
	s, err := parse(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, args ...string) (*Settings, error) {
	t.Helper()
	var settings Settings
	var file struct {
		Config File `name:"config" env:"FACTOR_CONFIG"`
	}
	l := line.Line{Name: "factor", Options: &file, File: func() (map[string]string, error) { return file.Config.Read() },
		Commands: []*line.Command{{Name: "serve", Options: &settings}}}
	_, err := l.Parse(append([]string{"serve"}, args...))
	return &settings, err
}

func mustWrite(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "factor.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettings_Defaults(t *testing.T) {
	s := mustParse(t)
	for _, c := range []struct{ name, got, want string }{
		{"data", s.Data, "./data"}, {"http", s.HTTP.String(), "127.0.0.1:8080"}, {"https", s.HTTPS.String(), ":8443"},
		{"mqtts", s.MQTTS.String(), ":8883"}, {"mqtt", s.MQTT.String(), "off"}, {"uuid-login", s.UUIDLogin.String(), "off"},
		{"rtsp", s.RTSP.String(), ":8554"}, {"webrtc", s.WebRTC.String(), ":8189"},
	} {
		if c.got != c.want {
			t.Errorf("--%s is %q by default, want %q", c.name, c.got, c.want)
		}
	}
}

func TestSettings_FlagBeforeEnvironmentBeforeFile(t *testing.T) {
	file := mustWrite(t, "http = \"127.0.0.1:1\"\nhttps = \"127.0.0.1:2\"\nmqtts = \"127.0.0.1:3\"\n"+
		"uuid-login = true\ntrusted_proxies = [\"10.0.0.1\", \"fd00::/8\"]\naudit-days = 7\n")
	t.Setenv("FACTOR_CONFIG", file)
	t.Setenv("FACTOR_HTTP", "127.0.0.1:11")
	t.Setenv("FACTOR_HTTPS", "127.0.0.1:12")
	s := mustParse(t, "--http", "127.0.0.1:21")
	if s.HTTP != "127.0.0.1:21" || s.HTTPS != "127.0.0.1:12" || s.MQTTS != "127.0.0.1:3" {
		t.Errorf("flag %s, variable %s, file %s", s.HTTP, s.HTTPS, s.MQTTS)
	}
	if !s.UUIDLogin || s.AuditDays != 7 || len(s.Proxies()) != 2 {
		t.Errorf("from the file: %v %d %v", s.UUIDLogin, s.AuditDays, s.Proxies())
	}
}

func TestOnOff_Forms(t *testing.T) {
	for _, c := range []struct {
		args string
		want OnOff
	}{
		{"--uuid-login", true}, {"--uuid-login=on", true}, {"--uuid-login on", true}, {"--uuid-login=off", false},
		{"--uuid-login off", false}, {"--uuid-login --mqtt off", true},
	} {
		if s := mustParse(t, strings.Fields(c.args)...); s.UUIDLogin != c.want {
			t.Errorf("%s: %v", c.args, s.UUIDLogin)
		}
	}
}

func TestBytes_Forms(t *testing.T) {
	for text, want := range map[string]Bytes{"20GB": 20e9, "500 mb": 500e6, "1.5TB": 1.5e12, "1024": 1024, "off": 0, "0": 0, "7b": 7} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%s: %d %v", text, b, err)
		}
		var again Bytes
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%s is shown as %s", text, b)
		}
	}
	for _, text := range []string{"", "much", "-1GB", "1e30TB", "NaN", "20 apples"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %d", text, b)
		}
	}
}

var hangul = regexp.MustCompile(`\p{Hangul}`)

func TestSettings_Refused(t *testing.T) {
	const password = "hunter2hunter2"
	for name, c := range map[string]struct {
		args []string
		file string
		want string
	}{
		"AddressWithoutPort":  {args: []string{"--http", "localhost"}, want: "--http"},
		"AddressPortTooLarge": {args: []string{"--mqtts", ":70000"}, want: "--mqtts"},
		"NothingToOpen":       {args: []string{"--http", "off", "--https", "off"}, want: "--https"},
		"SamePortTwice":       {args: []string{"--https", ":8080"}, want: "--https: has the same port 8080 as --http"},
		"PublicURLScheme":     {args: []string{"--public-url", "factor.example.com"}, want: "--public-url"},
		"PublicURLPath":       {args: []string{"--public-url", "https://a.example/factor"}, want: "--public-url"},
		"ProxyNoAddress":      {args: []string{"--trusted-proxies", "proxy"}, want: "--trusted-proxies"},
		"KeyMissing":          {args: []string{"--tls-cert", "/nowhere.pem"}, want: "--tls-key"},
		"CertificateMissing":  {args: []string{"--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"}, want: "--tls-cert: cannot be read"},
		"ACMEAddress":         {args: []string{"--acme-domain", "10.0.0.1"}, want: "--acme-domain"},
		"SMTPScheme":          {args: []string{"--smtp", "http://u:" + password + "@h:25", "--mail-from", "a@b.c"}, want: "--smtp"},
		"SMTPUnreadable":      {args: []string{"--smtp", "smtp://u:" + password + "%zz@h", "--mail-from", "a@b.c"}, want: "--smtp"},
		"SMTPSlash":           {args: []string{"--smtp", "smtp://u:" + password + "/x@h", "--mail-from", "a@b.c"}, want: "--smtp"},
		"MailFromMissing":     {args: []string{"--smtp", "smtp://u:" + password + "@h:25"}, want: "--mail-from"},
		"TURNScheme":          {args: []string{"--turn", "https://t.example", "--turn-secret", password}, want: "--turn: \"https://t.example\" must begin"},
		"TURNLogin":           {args: []string{"--turn", "turn:u:p@t.example", "--turn-secret", password}, want: "--turn: "},
		"TURNPort":            {args: []string{"--turn", "turn:t.example:99999", "--turn-secret", password}, want: "--turn: "},
		"TURNQuery":           {args: []string{"--turn", "turn:t.example?transport=sctp", "--turn-secret", password}, want: "transport=tcp"},
		"TURNHeader":          {args: []string{"--turn", "turn:t.example>", "--turn-secret", password}, want: "--turn: "},
		"TURNSecretMissing":   {args: []string{"--turn", "turn:t.example"}, want: "--turn-secret: is missing"},
		"TURNMissing":         {args: []string{"--turn-secret", password}, want: "--turn: is missing"},
		"TURNWithoutWebRTC":   {args: []string{"--turn", "turn:t.example", "--turn-secret", password, "--webrtc", "off"}, want: "--turn: needs WebRTC"},
		"AuditDays":           {args: []string{"--audit-days", "0"}, want: "--audit-days"},
		"LogLevel":            {args: []string{"--log-level", "loud"}, want: "--log-level"},
		"SwitchWord":          {args: []string{"--uuid-login=maybe"}, want: "--uuid-login"},
		"FileUnknownKey":      {file: "smtq = \"smtp://u:" + password + "@h\"\n", want: "smtp"},
		"FileNotTOML":         {file: "data = \"x\"\nsmtp smtp://u:" + password + "@h\n", want: "line 2"},
		"FileWrongType":       {file: "data = 1.5\n", want: "data"},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if c.file != "" {
				args = append(args, "--config", mustWrite(t, c.file))
			}
			_, err := parse(t, args...)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the error holds the password: %q", err)
			}
			for said := range strings.SplitSeq(line.InKorean(err), "\n") {
				if !hangul.MatchString(said) || strings.Contains(said, password) || strings.Contains(said, "%!") || strings.Contains(err.Error(), "%!") {
					t.Errorf("in Korean: %q; in English: %q", said, err)
				}
			}
		})
	}
}

func TestSettings_TURN(t *testing.T) {
	s := mustParse(t, "--turn", "turn:turn.example.com:3478,turns:turn.example.com:443?transport=tcp,turn:192.0.2.1,turn:[2001:db8::1]:3478?transport=udp,stun:stun.example.com",
		"--turn-secret", "geheim")
	if len(s.TURN) != 5 || s.TURNSecret.Reveal() != "geheim" || strings.Contains(fmt.Sprint(s), "geheim") || strings.Contains(fmt.Sprintf("%+v %#v", *s, *s), "geheim") {
		t.Errorf("%v", s)
	}
}

func TestSettings_LogHidesSecrets(t *testing.T) {
	s := mustParse(t, "--smtp", "smtps://user:geheim@mail.example.com:465", "--mail-from", "factor@example.com")
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("settings", "settings", s, "smtp", s.SMTP)
	if strings.Contains(out.String(), "geheim") {
		t.Errorf("logged: %s", out.String())
	}
	if !strings.Contains(out.String(), "mail.example.com:465") {
		t.Errorf("the host is not told: %s", out.String())
	}
}

func TestNames_AreFlags(t *testing.T) {
	for _, name := range Names() {
		if name == "" {
			t.Error("a setting has no name")
		}
	}
}
