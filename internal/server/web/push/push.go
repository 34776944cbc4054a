// Package push sends what changes to those who look: one WebSocket a page, speaking centrifuge's protocol.
//
// Channels: printer:{uuid} carries the printer as the API shows it, without what depends on who looks (role, addresses
// of cameras); the reply to a subscription holds it whole, what follows can be had as fossil deltas. events:{uuid}
// carries what happened to the printer, one event a message; commands:{uuid} what became of commands; transfers:{uuid} how
// far files are between it and the library, one transfer a message; files:{uuid} that its device's own files are others
// than before, and since when. terminal:{uuid} carries OctoPrint's terminal to those
// who may control the printer, and has its device send it. user:{id} is subscribed by the server itself and says that the
// list of printers or the library changed, or that the session ended.
//
// A printer that changes is rendered once, however many look at it, and not at all when nobody does.
package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/prometheus/client_golang/prometheus"
)

// Limits of one connection. A page that shows 200 printers has 200 subscriptions, each answered with some 2 KB.
const (
	maxChannels        = 1024
	maxConnections     = 500 // of one user
	maxQueueBytes      = 4 << 20
	maxCommandBytes    = 128 << 10
	connectTimeout     = 10 * time.Second
	writeTimeout       = 5 * time.Second
	writeDelay         = 10 * time.Millisecond // gathers the messages of several printers into one write
	pingInterval       = 10 * time.Second
	pongTimeout        = 5 * time.Second
	maxMessagesInFrame = 128
)

// Prefixes of channels.
const (
	printerPrefix   = "printer:"
	eventsPrefix    = "events:"
	commandsPrefix  = "commands:"
	terminalPrefix  = "terminal:"
	transfersPrefix = "transfers:"
	filesPrefix     = "files:"
	userPrefix      = "user:"
)

// Printers is what push needs to know of printers.
type Printers interface {
	// Place tells whose a printer is; false: there is no such printer.
	Place(uuid string) (workspace.Target, bool)
	// Live renders a printer for everybody who may see it; false: there is no such printer.
	Live(uuid string) ([]byte, bool)
	// Watch says that somebody looks at a printer now (+1), or that nobody does any more (-1).
	Watch(uuid string, delta int)
	// WatchTerminal is Watch for its terminal.
	WatchTerminal(uuid string, delta int)
}

// Access answers who may see what.
type Access interface {
	Can(ctx context.Context, actor workspace.Actor, action workspace.Action, target workspace.Target) error
	// Members gives the ids of all users who may see a workspace.
	Members(ctx context.Context, workspaceID string) ([]string, error)
}

// Server is the realtime part of the API. Fill in the exported inputs, then Initialize; it is an http.Handler, and
// ends with Close. mu guards clients and watching; publisher guards its own.
type Server struct {
	Printers Printers
	Access   Access
	Bus      *bus.Bus
	Log      *slog.Logger
	Metrics  interface {
		prometheus.Registerer
		prometheus.Gatherer
	}
	// SameOrigin tells whether a request that carries a cookie comes from a page of ours.
	SameOrigin func(r *http.Request) bool
	// Linger is how long a printer counts as watched after the last one left; 0: 10 s.
	Linger time.Duration

	node    *centrifuge.Node
	handler *centrifuge.WebsocketHandler
	ends    []func() // of subscriptions to the bus
	cancel  context.CancelFunc
	running sync.WaitGroup
	jobs    jobs
	publish publisher
	watch   watchers
	screens watchers // of terminals

	mu      sync.Mutex
	clients map[string]*viewer // by client id
}

// viewer is one connection of somebody who looks.
type viewer struct {
	client *centrifuge.Client
	actor  workspace.Actor
	check  workspace.Check
}

// Initialize starts the server.
func (s *Server) Initialize() error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.clients = map[string]*viewer{}
	node, err := centrifuge.New(centrifuge.Config{
		LogLevel:              centrifuge.LogLevelWarn,
		LogHandler:            s.logEntry,
		ClientQueueMaxSize:    maxQueueBytes,
		ClientChannelLimit:    maxChannels,
		UserConnectionLimit:   maxConnections,
		ClientStaleCloseDelay: connectTimeout,
		ChannelMaxLength:      64,
		// Deltas are made against the last message of a channel, which is kept while somebody is subscribed. No
		// history: the reply to a subscription is the whole truth already.
		GetChannelMediumOptions: func(channel string) centrifuge.ChannelMediumOptions {
			return centrifuge.ChannelMediumOptions{KeepLatestPublication: strings.HasPrefix(channel, printerPrefix)}
		},
		Metrics: centrifuge.MetricsConfig{MetricsNamespace: "factor_push", RegistererGatherer: s.Metrics},
	})
	if err != nil {
		return fmt.Errorf("start the realtime push: %w", err)
	}
	node.OnConnecting(s.connecting)
	node.OnConnect(s.connected)
	if err := node.Run(); err != nil {
		return fmt.Errorf("start the realtime push: %w", err)
	}
	s.node = node
	s.handler = centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:                s.checkOrigin,
		MessageSizeLimit:           maxCommandBytes,
		WriteTimeout:               writeTimeout,
		UseWriteBufferPool:         true,
		ProcessCommandsOffReadLoop: true,
		PingPongConfig:             centrifuge.PingPongConfig{PingInterval: pingInterval, PongTimeout: pongTimeout},
	})
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.watch.linger = s.Linger
	if s.watch.linger <= 0 {
		s.watch.linger = defaultLinger
	}
	s.watch.tell = s.Printers.Watch
	s.screens.linger, s.screens.tell = s.watch.linger, s.Printers.WatchTerminal
	s.publish.init(s)
	s.jobs.init()
	s.running.Go(func() { s.publish.run(ctx) })
	s.running.Go(func() { s.jobs.run(ctx) })
	s.running.Go(func() { s.recheck(ctx) })
	s.running.Go(func() { s.watch.run(ctx) })
	s.running.Go(func() { s.screens.run(ctx) })
	s.listen()
	return nil
}

// Close ends every connection, telling the pages to come back, and waits, until ctx ends at the latest.
func (s *Server) Close(ctx context.Context) error {
	for _, end := range s.ends {
		end()
	}
	err := s.node.Shutdown(ctx)
	s.cancel()
	s.running.Wait()
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("end the realtime push: %w", err)
	}
	return nil
}

// ServeHTTP takes a WebSocket. The actor must be in the request's context: nobody is answered with 401 before.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Connections counts the pages that are connected.
func (s *Server) Connections() int { return s.node.Hub().NumClients() }

func (s *Server) checkOrigin(r *http.Request) bool {
	if actor, _ := workspace.ActorFrom(r.Context()); actor.Via == workspace.ViaToken {
		return true // a browser never sends a token by itself, so nobody else's page can have sent it
	}
	return s.SameOrigin(r)
}

func (s *Server) logEntry(e centrifuge.LogEntry) {
	level := slog.LevelWarn
	if e.Level == centrifuge.LogLevelError {
		level = slog.LevelError
	}
	args := make([]any, 0, 4)
	if e.Error != nil {
		args = append(args, "error", e.Error)
	}
	if client, ok := e.Fields["client"]; ok {
		args = append(args, "client", client)
	}
	s.Log.Log(context.Background(), level, "push: "+e.Message, args...)
}
