package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/kangbyounggwan/factor/internal/server/account"
)

// Description is what the server tells about itself.
type Description struct {
	Mail      bool // there is a mail server
	UUIDLogin bool
	MQTTHost  func(r string) string // the host that printers connect to, given the host that the asker used
	MQTTPort  func() int
	MQTTTLS   bool
	Admin     func(ctx context.Context) (AdminServer, error)
}

// ServerInfo is GET /server: what a page must know before anybody signs in.
type ServerInfo struct {
	Version       string             `json:"version"`
	SetupRequired bool               `json:"setup_required" doc:"Nobody has an account yet: the set-up code makes the first"`
	Signup        account.SignupMode `json:"signup" enum:"setup,open,invitation" doc:"How one gets an account now"`
	Mail          bool               `json:"mail" doc:"The server can send mails"`
	UUIDLogin     bool               `json:"uuid_login" doc:"Printers may connect by UUID alone, where their owner allows it"`
	PublicURL     string             `json:"public_url" doc:"The address to share; empty: none is set"`
	MQTT          MQTTInfo           `json:"mqtt" doc:"Where printers connect"`
}

// MQTTInfo is where printers connect.
type MQTTInfo struct {
	Host          string `json:"host"`
	Port          int    `json:"port" doc:"0: only by WebSocket"`
	TLS           bool   `json:"tls"`
	WebSocketPath string `json:"websocket_path"`
}

// AdminServer is GET /admin/server: the settings in force, without secrets, and how the server is doing.
type AdminServer struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	PublicURL string    `json:"public_url"`
	DataDir   string    `json:"data_dir"`
	HTTP      string    `json:"http" doc:"Address in use, or off"`
	HTTPS     string    `json:"https"`
	MQTTS     string    `json:"mqtts"`
	MQTT      string    `json:"mqtt"`
	MailFrom  string    `json:"mail_from"`
	SMTPHost  string    `json:"smtp_host"`
	UUIDLogin bool      `json:"uuid_login"`

	WebRTC          string   `json:"webrtc" doc:"Where live cameras go out by WebRTC, UDP and TCP, or off"`
	WebRTCAddresses []string `json:"webrtc_addresses" doc:"Public addresses that browsers are told, where the server is behind NAT"`
	TURN            []string `json:"turn" doc:"Relays that browsers are told; their secret is shown nowhere"`
	RTSP            string   `json:"rtsp" doc:"Where the published plugin sends its camera, or off"`
	FFmpeg          string   `json:"ffmpeg" doc:"The program in use on this server, or off where there is none"`

	Certificate struct {
		Source   string    `json:"source" enum:"own,file,acme"`
		Names    []string  `json:"names"`
		NotAfter time.Time `json:"not_after"`
		SHA256   string    `json:"sha256"`
		// What agents and plugins are told to trust, and ask their owner to compare.
		AuthoritySHA256 string `json:"authority_sha256" doc:"Of the server's own certificate authority"`
	} `json:"certificate"`
	Counts struct {
		Users       int `json:"users"`
		Printers    int `json:"printers"`
		Online      int `json:"online" doc:"Printers connected now"`
		Connections int `json:"connections" doc:"Pages connected to the realtime push"`
	} `json:"counts"`
	Database struct {
		Bytes int64 `json:"bytes"`
	} `json:"database"`
}

type serverOutput struct{ Body ServerInfo }

type adminServerOutput struct{ Body AdminServer }

func (s *Server) register(api huma.API) {
	s.registerInstall(api)
	huma.Register(api, huma.Operation{
		OperationID: "get-server", Method: http.MethodGet, Path: "/api/v1/server", Tags: []string{"Server"},
		Summary:  "What a page must know before anybody signs in",
		Metadata: map[string]any{"access": accessPublic},
	}, s.getServer)
	huma.Register(api, huma.Operation{
		OperationID: "get-admin-server", Method: http.MethodGet, Path: "/api/v1/admin/server", Tags: []string{"Administration"},
		Summary:  "Settings in force, without secrets, and how the server is doing",
		Security: []map[string][]string{{schemeSession: {}}, {schemeToken: {}}},
		Metadata: map[string]any{"access": accessAdmin},
	}, func(ctx context.Context, _ *struct{}) (*adminServerOutput, error) {
		body, err := s.Describe.Admin(ctx)
		return &adminServerOutput{Body: body}, err
	})
}

type serverInput struct {
	host     string // without port
	hostport string
	proxied  bool // TLS ends in front of this server
}

// Resolve takes the host that the asker used.
func (in *serverInput) Resolve(ctx huma.Context) []error {
	in.hostport, in.host = ctx.Host(), hostname(ctx.Host())
	in.proxied = ctx.TLS() == nil && visitOf(ctx.Context()).secure
	return nil
}

func (s *Server) getServer(ctx context.Context, in *serverInput) (*serverOutput, error) {
	setup, err := s.Accounts.SetupRequired(ctx)
	if err != nil {
		return nil, err
	}
	mode, err := s.Accounts.SignupMode(ctx)
	if err != nil {
		return nil, err
	}
	out := &serverOutput{Body: ServerInfo{
		Version: s.Version, SetupRequired: setup, Signup: mode, Mail: s.Describe.Mail, UUIDLogin: s.Describe.UUIDLogin,
		MQTT: MQTTInfo{Host: s.Describe.MQTTHost(in.host), Port: s.Describe.MQTTPort(), TLS: s.Describe.MQTTTLS, WebSocketPath: "/mqtt"},
	}}
	if s.PublicURL != nil {
		out.Body.PublicURL = s.PublicURL.String()
	}
	return out, nil
}
