// Package config is every setting of the server. A setting is a flag (--data), an environment variable
// (FACTOR_DATA) and a key of the file that --config names (data = "…"); the flag wins over the variable, the
// variable over the file. All of them are checked at the start, each with words that name the setting and the cure.
package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
)

// Settings is what an operator decides. It is read once, at the start.
type Settings struct {
	Data string `name:"data" env:"FACTOR_DATA" default:"./data" placeholder:"DIR" help:"One folder for everything: databases, keys, certificates. Made when it is missing."`

	HTTP  Address `name:"http" env:"FACTOR_HTTP" default:"127.0.0.1:8080" help:"HTTP address. :0 takes a free port, prints it and writes it to run.json in the data folder; off turns it off."`
	HTTPS Address `name:"https" env:"FACTOR_HTTPS" default:":8443" help:"HTTPS address, or off."`
	MQTTS Address `name:"mqtts" env:"FACTOR_MQTTS" default:":8883" help:"Where printers connect: MQTT over TLS, or off."`
	MQTT  Address `name:"mqtt" env:"FACTOR_MQTT" default:"off" help:"MQTT without TLS, for a trusted network only."`

	PublicURL      string   `name:"public-url" env:"FACTOR_PUBLIC_URL" placeholder:"URL" help:"The address people open, such as https://factor.example.com. Links in mails and QR codes carry it."`
	Names          []string `name:"names" env:"FACTOR_NAMES" placeholder:"HOST,…" help:"More host names and addresses this server answers to. They go into its certificate, too."`
	TrustedProxies []string `name:"trusted-proxies" env:"FACTOR_TRUSTED_PROXIES" placeholder:"ADDRESS,…" help:"Reverse proxies (addresses or networks such as 10.0.0.0/8) whose X-Forwarded headers count."`

	TLSCert    string   `name:"tls-cert" env:"FACTOR_TLS_CERT" placeholder:"FILE" help:"Certificate with its chain (PEM) in place of the one FACTOR makes. Read again when it changes."`
	TLSKey     string   `name:"tls-key" env:"FACTOR_TLS_KEY" placeholder:"FILE" help:"Private key (PEM) of --tls-cert."`
	ACMEDomain []string `name:"acme-domain" env:"FACTOR_ACME_DOMAIN" placeholder:"HOST,…" help:"Get and renew certificates for these names from Let's Encrypt. It must reach this server at port 443 or 80."`
	ACMEServer string   `name:"acme-server" env:"FACTOR_ACME_SERVER" placeholder:"URL" help:"Another ACME authority than Let's Encrypt: the address of its directory."`
	ACMEEmail  string   `name:"acme-email" env:"FACTOR_ACME_EMAIL" placeholder:"E-MAIL" help:"Where Let's Encrypt may write to."`

	SMTP     Secret `name:"smtp" env:"FACTOR_SMTP" placeholder:"URL" help:"Mail server: smtp://user:password@host:587 (STARTTLS where the server has it) or smtps://user:password@host:465. Without it people join by invitation link."`
	MailFrom string `name:"mail-from" env:"FACTOR_MAIL_FROM" placeholder:"E-MAIL" help:"Sender of mails, such as FACTOR <factor@example.com>. Needed with --smtp."`

	UUIDLogin OnOff `name:"uuid-login" env:"FACTOR_UUID_LOGIN" default:"off" help:"Let a printer whose owner allowed it connect by its UUID alone, as the published OctoPrint plugin does out of the box. A UUID is no secret."`

	MaxConnections           int `name:"max-connections" env:"FACTOR_MAX_CONNECTIONS" default:"50000" placeholder:"N" help:"Printers connected at a time; more are told to come back later."`
	MaxConnectionsPerAddress int `name:"max-connections-per-address" env:"FACTOR_MAX_CONNECTIONS_PER_ADDRESS" default:"5000" placeholder:"N" help:"Printers connected at a time from one address."`

	MaxWebConnectionsPerAddress int `name:"max-web-connections-per-address" env:"FACTOR_MAX_WEB_CONNECTIONS_PER_ADDRESS" default:"256" placeholder:"N" help:"HTTP and HTTPS connections at a time from one address (IPv6: one /64). This machine and trusted proxies may have any number."`

	FileQuota   Bytes `name:"file-quota" env:"FACTOR_FILE_QUOTA" default:"20GB" placeholder:"SIZE" help:"How much the files of one workspace may take, such as 500MB or 20GB; off: as much as the disk has."`
	FileMinFree Bytes `name:"file-min-free" env:"FACTOR_FILE_MIN_FREE" default:"1GB" placeholder:"SIZE" help:"How much room uploads leave free on the disk of the data folder."`

	AuditDays int   `name:"audit-days" env:"FACTOR_AUDIT_DAYS" default:"365" placeholder:"DAYS" help:"How long the audit log is kept."`
	Metrics   OnOff `name:"metrics-local" env:"FACTOR_METRICS_LOCAL" default:"off" help:"Let programs on this machine read /metrics without logging in. Administrators always can."`

	LogLevel  string `name:"log-level" env:"FACTOR_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
	LogFormat string `name:"log-format" env:"FACTOR_LOG_FORMAT" default:"text" enum:"text,json" help:"text or json."`

	WebRTC        Address  `name:"webrtc" env:"FACTOR_WEBRTC" default:":8189" help:"Where live cameras go out by WebRTC: one UDP and one TCP port of this number, or off."`
	WebRTCAddress []string `name:"webrtc-address" env:"FACTOR_WEBRTC_ADDRESS" placeholder:"ADDRESS,…" help:"Public IP addresses of this server where it is behind NAT; forward the port of --webrtc there, UDP and TCP."`
	TURN          []string `name:"turn" env:"FACTOR_TURN" placeholder:"URL,…" help:"Relays such as coturn for viewers whom the port of --webrtc does not reach: turn:turn.example.com:3478, turns:turn.example.com:443?transport=tcp."`
	TURNSecret    Secret   `name:"turn-secret" env:"FACTOR_TURN_SECRET" placeholder:"SECRET" help:"What the relays of --turn know, too (coturn: static-auth-secret). Viewers get logins made of it, good for an hour."`
	RTSP          Address  `name:"rtsp" env:"FACTOR_RTSP" default:":8554" help:"Where the published OctoPrint plugin sends its camera by RTSP, or off."`
	FFmpeg        string   `name:"ffmpeg" env:"FACTOR_FFMPEG" default:"auto" placeholder:"FILE" help:"ffmpeg on this server, which makes single pictures of cameras that send H.264 alone: auto looks for it, off does without."`
}

// TLSDir is where keys and certificates are.
func (s *Settings) TLSDir() string { return filepath.Join(s.Data, "tls") }

// PluginKeyFile is the key that signs what plugins update to.
func (s *Settings) PluginKeyFile() string { return filepath.Join(s.Data, "keys", "plugin.key") }

// FilesDir is where the contents of the library are.
func (s *Settings) FilesDir() string { return filepath.Join(s.Data, "files") }

// CacheDir is for what can be made anew at any time.
func (s *Settings) CacheDir() string { return filepath.Join(s.Data, "cache") }

// Public gives the public URL, or nil where none is set. The settings must be valid.
func (s *Settings) Public() *url.URL {
	if s.PublicURL == "" {
		return nil
	}
	u, err := publicURL(s.PublicURL)
	if err != nil {
		return nil
	}
	return u
}

// Proxies gives the networks of the trusted proxies. The settings must be valid.
func (s *Settings) Proxies() []netip.Prefix {
	var list []netip.Prefix
	for _, p := range s.TrustedProxies {
		if prefix, err := network(p); err == nil {
			list = append(list, prefix)
		}
	}
	return list
}

// LogValue gives what may stand in a log: everything but the secrets.
func (s *Settings) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("data", s.Data), slog.String("http", s.HTTP.String()), slog.String("https", s.HTTPS.String()),
		slog.String("mqtts", s.MQTTS.String()), slog.String("mqtt", s.MQTT.String()),
		slog.String("public_url", s.PublicURL), slog.Bool("uuid_login", bool(s.UUIDLogin)),
		slog.String("smtp", s.SMTP.String()), slog.String("mail_from", s.MailFrom),
	}
	if len(s.TrustedProxies) > 0 {
		attrs = append(attrs, slog.String("trusted_proxies", strings.Join(s.TrustedProxies, ",")))
	}
	return slog.GroupValue(attrs...)
}

// WebRTCAddresses gives the public addresses for WebRTC. The settings must be valid.
func (s *Settings) WebRTCAddresses() []netip.Addr {
	var list []netip.Addr
	for _, text := range s.WebRTCAddress {
		if a, err := netip.ParseAddr(strings.TrimSpace(text)); err == nil {
			list = append(list, a)
		}
	}
	return list
}

// Level is the log level as slog counts it.
func (s *Settings) Level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return l
}
