// Package app puts the server together. It is the only place that knows every part; the program and the end-to-end
// tests start the same Server.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/docs"
	"github.com/kangbyounggwan/factor/internal/server/agents"
	"github.com/kangbyounggwan/factor/internal/server/camera"
	"github.com/kangbyounggwan/factor/internal/server/command"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/file"
	"github.com/kangbyounggwan/factor/internal/server/gateway"
	"github.com/kangbyounggwan/factor/internal/server/gateway/printers"
	"github.com/kangbyounggwan/factor/internal/server/job"
	"github.com/kangbyounggwan/factor/internal/server/plugin"
	"github.com/kangbyounggwan/factor/internal/server/printer"
	"github.com/kangbyounggwan/factor/internal/server/web"
	"github.com/kangbyounggwan/factor/internal/server/web/certs"
	"github.com/kangbyounggwan/factor/internal/server/web/push"
	sources "github.com/kangbyounggwan/factor/plugin"
	pages "github.com/kangbyounggwan/factor/web"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Server is the whole server on one data folder. Run starts it and returns when it is ready; Close ends it in order.
type Server struct {
	Settings config.Settings // must be valid
	Version  string
	Log      *slog.Logger // nil: silent

	*People
	Printers *printer.Service
	Jobs     *job.Service
	Commands *command.Service
	Files    *file.Service
	Gateway  *gateway.Gateway
	Cameras  *camera.Service
	Push     *push.Server
	Plugin   *plugin.Service
	Web      *web.Server
	Certs    *certs.Keeper

	door    *printers.Door
	folder  *Folder
	open    *listeners
	metrics *prometheus.Registry
	started time.Time
	cancel  context.CancelFunc
	running sync.WaitGroup
	closers []closer
}

// closer ends a part. The parts end in the opposite order of their start.
type closer struct {
	name  string
	close func(ctx context.Context) error
}

// stopTimeout is how long an ordered stop may take, and shares of it for those who wait for others.
const (
	stopTimeout   = 4500 * time.Millisecond
	requestsShare = 2 * time.Second
	devicesShare  = 2 * time.Second
)

// Run starts the server. When it returns nil every port answers; its errors are words for the operator. ctx bounds the
// start alone.
func (s *Server) Run(ctx context.Context) (err error) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.started = time.Now()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.folder, err = OpenFolder(s.Settings.Data); err != nil {
		return err
	}
	s.onClose("data folder", func(context.Context) error { return s.folder.Close() })
	if done, err := s.folder.Tighten(); err != nil {
		s.Log.Warn("the data folder is open to others", "error", err)
	} else if done {
		s.Log.Info("the data folder was open to others on this machine, and is its owner's alone now", "path", s.folder.Path)
	}
	if s.open, err = listen(ctx, &s.Settings, s.Log); err != nil {
		return err
	}
	s.onClose("ports", func(context.Context) error { s.open.close(); return nil })

	s.metrics = prometheus.NewRegistry()
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.People, err = OpenPeople(ctx, &s.Settings, s.Log, s.metrics); err != nil {
		return err
	}
	s.onClose("databases", func(context.Context) error { return s.People.Close() })
	if err := s.startCertificates(); err != nil {
		return err
	}
	if err := s.startPrinters(ctx); err != nil {
		return err
	}
	if err := s.startFiles(ctx); err != nil {
		return err
	}
	if err := s.readyCameras(); err != nil {
		return err
	}
	background, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.onClose("background work", s.endBackground)
	for name, run := range map[string]func(context.Context) error{
		"mail": s.Mail.Run, "accounts": s.Accounts.Run, "audit": s.Audit.Run, "printers": s.Printers.Run, "jobs": s.Jobs.Run,
		"commands": s.Commands.Run,
		"files":    s.Files.Run,
		"cameras":  s.Cameras.Run,
	} {
		s.running.Go(func() {
			if err := run(background); err != nil && background.Err() == nil {
				s.Log.Error("background work ended", "part", name, "error", err)
			}
		})
	}
	s.running.Go(func() { s.Certs.Run(background) })
	if err := s.startDoors(); err != nil {
		return err
	}
	if err := s.folder.writeRun(s.Addresses()); err != nil {
		return err
	}
	s.onClose("run.json", func(context.Context) error { s.folder.removeRun(); return nil })
	s.Log.Info("ready", "version", s.Version, "took", time.Since(s.started).Round(time.Millisecond).String(), "settings", &s.Settings)
	return nil
}

func (s *Server) startCertificates() error {
	var names []string
	if u := s.Settings.Public(); u != nil {
		names = append(names, u.Hostname())
	}
	names = append(names, s.Settings.Names...)
	names = append(names, s.Settings.ACMEDomain...)
	s.Certs = &certs.Keeper{
		Dir: s.Settings.TLSDir(), Names: names, CertFile: s.Settings.TLSCert, KeyFile: s.Settings.TLSKey, Log: s.Log,
		ACME: certs.ACME{
			Domains: s.Settings.ACMEDomain, Email: s.Settings.ACMEEmail, Directory: s.Settings.ACMEServer,
			HTTPPort: portOf(s.open.http), HTTPSPort: portOf(s.open.https),
		},
	}
	if err := s.Certs.Initialize(); err != nil {
		return err
	}
	s.onClose("certificates", func(context.Context) error { s.Certs.Close(); return nil })
	return nil
}

func (s *Server) startPrinters(ctx context.Context) error {
	s.Jobs = &job.Service{DB: s.DB, Bus: s.Bus, Log: s.Log}
	if err := s.Jobs.Initialize(ctx); err != nil {
		return err
	}
	s.onClose("prints", s.Jobs.Close)
	s.Printers = &printer.Service{
		DB: s.DB, Bus: s.Bus, Access: s.Workspaces, Jobs: s.Jobs, Audit: s.Audit, Log: s.Log, Metrics: s.metrics,
		UUIDLogin: bool(s.Settings.UUIDLogin), Spend: s.Accounts.Spend,
	}
	s.Jobs.Printers = s.Printers
	s.Gateway = &gateway.Gateway{
		Log: s.Log, Metrics: s.metrics, UUIDLogin: bool(s.Settings.UUIDLogin),
		Limits: gateway.Limits{Connections: s.Settings.MaxConnections, PerAddress: s.Settings.MaxConnectionsPerAddress},
	}
	s.Commands = &command.Service{DB: s.DB, Bus: s.Bus, Access: s.Workspaces, Printers: commanded{s.Printers}, Devices: s.Gateway,
		Audit: s.Audit, Log: s.Log, Metrics: s.metrics}
	s.door = &printers.Door{Printers: s.Printers, Commands: s.Commands}
	s.Gateway.Registry, s.Gateway.Sink, s.Printers.Devices = s.door, s.door, s.Gateway
	s.Accounts.OnDelete = append(s.Accounts.OnDelete, s.Printers.DeleteWorkspaces)
	s.Accounts.OnDelete = append(s.Accounts.OnDelete, s.Commands.DeleteWorkspaces)
	s.Accounts.Deleted = append(s.Accounts.Deleted, s.Printers.WorkspacesDeleted)
	s.Accounts.Disabled = s.Printers.SetDisabled
	if err := s.Printers.Initialize(ctx); err != nil {
		return err
	}
	s.onClose("history", s.Printers.Close)
	if err := s.Commands.Initialize(ctx); err != nil {
		return err
	}
	return nil
}

func (s *Server) startFiles(ctx context.Context) error {
	s.Files = &file.Service{
		DB: s.DB, Bus: s.Bus, Access: s.Workspaces, Audit: s.Audit, Log: s.Log, Dir: s.Settings.FilesDir(),
		Quota: int64(s.Settings.FileQuota), MinFree: int64(s.Settings.FileMinFree),
		Printers: filed{s.Printers, s.Commands}, Commands: commander{s.Commands}, Devices: publisher{s.Gateway},
	}
	s.door.Library = s.Files
	s.Printers.Transfer = s.transferOf
	s.Accounts.OnDelete = append(s.Accounts.OnDelete, s.Files.DeleteWorkspaces)
	s.Accounts.Deleted = append(s.Accounts.Deleted, s.Files.WorkspacesDeleted)
	if err := s.Files.Initialize(ctx); err != nil {
		return err
	}
	s.onClose("files", s.Files.Close)
	return nil
}

// startDoors lets people and devices in.
func (s *Server) startDoors() error {
	s.Push = &push.Server{Printers: s.Printers, Access: s.Workspaces, Bus: s.Bus, Log: s.Log, Metrics: s.metrics,
		SameOrigin: func(r *http.Request) bool { return s.Web.SameOrigin(r) }}
	if err := s.Push.Initialize(); err != nil {
		return err
	}
	s.onClose("push", s.Push.Close)
	if err := s.readyPlugin(); err != nil {
		return err
	}
	s.Web = &web.Server{
		Version: s.Version, Pages: pages.Build, PublicURL: s.Settings.Public(), TrustedProxies: s.Settings.Proxies(),
		Names:        func() []string { return certs.OwnNames(s.Certs.Names...) },
		MetricsLocal: bool(s.Settings.Metrics), ConnectionsPerAddress: s.Settings.MaxWebConnectionsPerAddress,
		Accounts:     s.Accounts,
		Capabilities: []web.Capability{s.Accounts, s.Workspaces, s.Audit, s.Mail, s.Printers, s.Jobs, s.Commands, s.Files, s.Cameras},
		Plugin:       s.Printers, Downloads: s.Plugin, HTTPSPort: portOf(s.open.https), PlainPort: s.plainPort, Trusted: s.Certs.Trusted,
		Docs: docs.Files, Styles: pages.Styles, Push: s.Push, MQTT: s.Gateway, Link: http.HandlerFunc(s.Cameras.ServeLink), AuthorityPEM: s.Certs.Authority().PEM,
		Ready: s.ready, Describe: s.description(), Gatherer: s.metrics, Registerer: s.metrics, Log: s.Log,
	}
	if err := s.Web.Initialize(); err != nil {
		return err
	}
	s.onClose("devices", s.closeDevices)
	s.serveDevices()
	s.onClose("requests", s.closeRequests)
	s.onClose("cameras", s.Cameras.Close) // before the requests, which some viewers are
	if s.open.http != nil {
		s.Web.Serve(s.open.http, nil, s.Certs.HTTPChallenge)
	}
	if s.open.https != nil {
		s.Web.Serve(s.open.https, s.Certs.WebTLS(), nil)
	}
	s.onClose("commands", s.Commands.Close) // the first to end: clicks that wait for a device keep requests from ending
	return nil
}

// readyPlugin readies what is handed out to OctoPrints: the plugin inside of this program, and the agents inside of it
// or, in a developer's build, the one beside it.
func (s *Server) readyPlugin() error {
	s.Plugin = &plugin.Service{
		Sources: sources.Sources, KeyFile: s.Settings.PluginKeyFile(), CacheDir: s.Settings.CacheDir(),
		AuthorityPEM: s.Certs.Authority().PEM, Version: s.Version, Log: s.Log,
		Embedded: plugin.Programs{Platforms: agents.Platforms, Open: agents.Open, Inside: agents.Inside},
	}
	if program, err := os.Executable(); err == nil {
		s.Plugin.Beside = filepath.Join(filepath.Dir(program), "factor-agent"+filepath.Ext(program))
	}
	return s.Plugin.Initialize()
}

func (s *Server) onClose(name string, fn func(ctx context.Context) error) {
	s.closers = append(s.closers, closer{name, fn})
}

// Close ends the server in order within 5 s: nobody new comes in, requests and devices finish what they have at hand,
// pages are told to come back, history is written, the databases are closed. It may be called after a failed Run.
func (s *Server) Close() error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		if err := c.close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("end %s: %w", c.name, err))
		}
	}
	if len(s.closers) > 0 {
		s.Log.Info("stopped", "took", time.Since(begun).Round(time.Millisecond).String())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// closeRequests closes the HTTP ports at once, and lets answers under way finish while the devices end.
func (s *Server) closeRequests(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestsShare)
	defer cancel()
	return s.Web.Close(ctx)
}

func (s *Server) closeDevices(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, devicesShare)
	defer cancel()
	return s.Gateway.Close(ctx)
}

func (s *Server) endBackground(context.Context) error {
	s.cancel()
	s.running.Wait()
	return nil
}
