package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/agent/camera/discover"
	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/local"
)

// Service is the agent of a data folder with the local API beside it. Its registration may come, change and go while it
// runs.
type Service struct {
	Folder  *folder.Folder // locked by the caller
	Version string
	Log     slog.Handler
	Where   local.Where
	// Companion says that another program started us, tells us about OctoPrint and registers us: without a registration
	// we wait for it.
	Companion bool
	Look      func(ctx context.Context, url string) camera.Result
	Program   string // see Agent

	complaints *local.Complaints
	log        *slog.Logger
	whole      context.Context

	mu        sync.Mutex // holds what follows, and is held while an agent begins or ends
	octoprint folder.OctoPrint
	agent     *Agent
	end       context.CancelFunc
	ended     chan struct{}
}

// Run works until ctx ends. ErrNotEnrolled of package folder when there is no registration and nobody to bring one.
func (s *Service) Run(ctx context.Context) error {
	s.whole = ctx
	s.complaints = local.NewComplaints(s.Log)
	s.log = slog.New(s.complaints)
	s.mu.Lock()
	err := s.begin()
	s.mu.Unlock()
	switch {
	case err == nil:
	case !s.Companion:
		return err
	case errors.Is(err, folder.ErrNotEnrolled):
		s.log.Info("not registered yet")
	default:
		s.log.Error("the registration cannot be used: register again", "trouble", "registration_unusable", "error", err)
	}
	api := &local.API{Folder: s.Folder, Version: s.Version, Agent: s, Errors: s.complaints.Last, Look: s.Look, Discover: discover.Apart(s.Program),
		Log: s.log.With("part", "local")}
	err = api.Serve(ctx, s.Where)
	if err != nil && !s.Companion { // it can be watched from the server all the same
		s.log.Error("status cannot be asked", "trouble", "internal", "error", err)
		<-ctx.Done()
		err = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	return err
}

// begin starts an agent for the folder's registration. The caller holds mu.
func (s *Service) begin() error {
	a := &Agent{Folder: s.Folder, Version: s.Version, Log: s.complaints, Program: s.Program, Introduced: s.Companion && s.octoprint.URL == ""}
	if err := a.Initialize(); err != nil {
		a.Close()
		return err
	}
	if s.octoprint.URL != "" {
		if err := a.Introduce(s.octoprint); err != nil {
			s.log.Warn("what is known of OctoPrint could not be written down", "trouble", "disk_write", "error", err)
		}
	}
	ctx, end := context.WithCancel(s.whole)
	s.agent, s.end, s.ended = a, end, make(chan struct{})
	go func(ended chan struct{}) {
		defer close(ended)
		a.Run(ctx)
		if err := a.Close(); err != nil {
			s.log.Warn("the event queue was not closed well", "trouble", "disk_write", "error", err)
		}
	}(s.ended)
	return nil
}

// stop ends the agent, if there is one. The caller holds mu.
func (s *Service) stop() {
	if s.agent == nil {
		return
	}
	s.end()
	<-s.ended
	s.agent = nil
}

func (s *Service) current() *Agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agent
}

// Status tells how the agent is; false when there is none, because nothing is registered.
func (s *Service) Status() (local.Status, bool) {
	a := s.current()
	if a == nil {
		return local.Status{}, false
	}
	return a.Status(), true
}

// Config gives the registration; false when there is none.
func (s *Service) Config() (folder.Config, bool) {
	c, err := s.Folder.Config()
	if err != nil {
		return folder.Config{}, false
	}
	return *c, c.Validate() == nil
}

// Introduce says where OctoPrint is and which key it gave us.
func (s *Service) Introduce(o folder.OctoPrint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.octoprint = o
	if s.agent == nil {
		return nil
	}
	return s.agent.Introduce(o)
}

// Adopt takes a registration and works for it from now on. What is left of another printer's is thrown away: it is not
// this one's story.
func (s *Service) Adopt(c *folder.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.octoprint.URL != "" {
		c.OctoPrint = s.octoprint
	}
	if c.OctoPrint.URL == "" {
		c.OctoPrint.URL = "http://127.0.0.1:5000" // OctoPrint's own default; its key comes with Introduce
	}
	before, err := s.Folder.Config()
	s.stop()
	if err == nil && (before.UUID != c.UUID || before.Server != c.Server) {
		s.Folder.ForgetPrinter()
	}
	if err := s.Folder.SaveConfig(c); err != nil {
		if again := s.begin(); again != nil {
			s.log.Error("the agent does not go on", "trouble", "registration_unusable", "error", again)
		}
		return err
	}
	s.Folder.Forget("files.sent") // the server may be another one
	return s.begin()
}

// Unregister forgets the registration. On the server the printer stays, with its history.
func (s *Service) Unregister() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	return s.Folder.ForgetPrinter()
}

// Retry tries at once what would be tried later.
func (s *Service) Retry() {
	if a := s.current(); a != nil {
		a.Retry()
	}
}

// BrokerChanged takes over the settings of somebody's own broker.
func (s *Service) BrokerChanged() {
	if a := s.current(); a != nil {
		a.broker.Changed()
	}
}
