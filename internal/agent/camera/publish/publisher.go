package publish

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	atOnce   = 8                // cameras of one printer
	lostFor  = 60 * time.Second // without MQTT, after which the server cannot tell us to stop
	grace    = 3 * time.Second  // for a process whose standard input was closed
	maxID    = 100              // bytes of a camera's id
	maxName  = 200              // bytes of a link's
	maxLine  = 8 << 10          // bytes that a process tells at once
	keepLast = time.Minute      // how long it is remembered how a camera ended
)

// Publisher starts a publishing process for each camera that the server wants, and ends it again.
type Publisher struct {
	Program string // that becomes the process by Command
	Server  string // base URL
	CA      string // PEM
	UUID    string
	Token   string
	Now     func() (time.Time, bool) // the server's clock
	Log     *slog.Logger

	mu      sync.Mutex // holds what follows
	closed  bool
	running map[string]*process // by camera
	last    map[string]State
	encoder string // that a process found to work
	lost    *time.Timer
	parts   sync.WaitGroup
}

// State is what status shows of a camera.
type State struct {
	Camera  string    `json:"camera"`
	State   string    `json:"state"` // opening, running, failed, closed
	Code    string    `json:"code,omitzero"`
	Kind    string    `json:"kind,omitzero"`
	Since   time.Time `json:"since"`
	Encoder string    `json:"encoder,omitzero"`
	PID     int       `json:"pid,omitzero"`
}

// process is one camera's. The publisher's mutex holds its fields.
type process struct {
	in     io.WriteCloser
	end    context.CancelFunc
	source wire.CameraInput
	ending bool // we have told it to
	state  State
	// orders are written by a goroutine of its own: a process that does not read must not hold up the agent.
	orders chan []byte
}

// Command does what the server says of a camera. It does not wait for it.
func (p *Publisher) Command(c wire.CameraCommand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch c.Action {
	case "open":
		p.open(&c)
	case "close":
		p.stop(c.Camera)
	default: // start, stop, … are the published plugin's
	}
}

// open starts a process, or gives the one that runs another link. The caller holds mu.
func (p *Publisher) open(c *wire.CameraCommand) {
	switch {
	case p.closed, c.Source == nil, c.Camera == "", len(c.Camera) > maxID, c.Link == "", len(c.Link) > maxName:
		return
	case camera.Check(c.Source.URL) != "":
		p.Log.Warn("the camera's address cannot be used", "trouble", "camera."+camera.BadURL, "camera", c.Camera)
	}
	order := &Order{Server: p.Server, CA: p.CA, UUID: p.UUID, Token: p.Token, Camera: c.Camera, Link: c.Link, Source: *c.Source,
		Options: c.Options, Encoder: p.encoder}
	if now, known := p.Now(); known {
		order.Clock = &Clock{Server: now.UnixMicro(), Here: time.Now().UnixMicro()}
	}
	line, err := json.Marshal(order)
	if err != nil {
		return
	}
	line = append(line, '\n')
	one := p.running[c.Camera]
	if one != nil && one.source != *c.Source { // another address: another camera
		p.stop(c.Camera)
		one = nil
	}
	if one == nil {
		if one = p.start(c); one == nil {
			return
		}
	}
	select { // the newest counts
	case <-one.orders:
	default:
	}
	one.orders <- line
}

// start begins a process. The caller holds mu.
func (p *Publisher) start(c *wire.CameraCommand) *process {
	if len(p.running) >= atOnce {
		p.Log.Warn("too many cameras are open at once", "trouble", "cameras_too_many", "camera", c.Camera, "most", atOnce)
		return nil
	}
	ctx, end := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, p.Program, Command)
	cmd.Env = camera.Environment()
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err == nil {
		var out io.ReadCloser
		if out, err = cmd.StdoutPipe(); err == nil {
			if err = cmd.Start(); err == nil {
				one := &process{in: in, end: end, source: *c.Source, orders: make(chan []byte, 1),
					state: State{Camera: c.Camera, State: "opening", Since: time.Now(), PID: cmd.Process.Pid}}
				if p.running == nil {
					p.running, p.last = map[string]*process{}, map[string]State{}
				}
				p.running[c.Camera] = one
				p.parts.Go(func() { one.write(ctx) })
				p.parts.Go(func() { p.watch(ctx, one, cmd, out) })
				return one
			}
		}
	}
	end()
	p.Log.Error("the camera cannot be opened", "trouble", "camera_process", "error", err)
	return nil
}

func (o *process) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-o.orders:
			if _, err := o.in.Write(line); err != nil {
				return
			}
		}
	}
}

// watch takes what a process tells until it has ended.
func (p *Publisher) watch(ctx context.Context, one *process, cmd *exec.Cmd, out io.Reader) {
	log := p.Log.With("camera", one.state.Camera)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var t Told
		if json.Unmarshal(lines.Bytes(), &t) == nil {
			p.told(one, &t, log)
		}
	}
	if lines.Err() != nil { // it is not itself any more
		one.end()
	}
	err := cmd.Wait()
	one.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[one.state.Camera] == one {
		delete(p.running, one.state.Camera)
	}
	for id, s := range p.last {
		if time.Since(s.Since) > keepLast {
			delete(p.last, id)
		}
	}
	one.state.PID, one.state.Since = 0, time.Now()
	var exit *exec.ExitError
	switch {
	case one.ending || err == nil:
		if one.state.State != "failed" {
			one.state.State = "closed"
		}
	case errors.As(err, &exit):
		log.Warn("the camera's process ended", "trouble", "camera_process", "how", exit.String())
		one.state.State = "failed"
	}
	p.last[one.state.Camera] = one.state
}

// told takes over what a process tells.
func (p *Publisher) told(one *process, t *Told, log *slog.Logger) {
	p.mu.Lock()
	before := one.state
	if t.Encoder != "" {
		p.encoder, one.state.Encoder = t.Encoder, t.Encoder
	}
	if t.Info != nil {
		one.state.Kind = t.Info.Kind
	}
	if t.State != "" {
		one.state.State, one.state.Code = t.State, t.Code
	}
	now := one.state
	if now.State != before.State {
		one.state.Since = time.Now()
	}
	p.mu.Unlock()
	switch {
	case t.Link != "":
		log.Warn("no link for the camera", "trouble", "camera_link", "error", t.Link)
	case now.Code != "" && now.Code != before.Code:
		log.Warn("camera: "+now.Code, "trouble", "camera."+now.Code, "ffmpeg", t.Lines)
	case now.State != before.State:
		log.Info("camera " + now.State)
	}
}

// stop ends a camera's process. The caller holds mu.
func (p *Publisher) stop(id string) {
	one := p.running[id]
	if one == nil {
		return
	}
	delete(p.running, id)
	one.ending = true
	one.in.Close() // which ends it
	time.AfterFunc(grace, one.end)
}

func (p *Publisher) stopAll() {
	for id := range p.running {
		p.stop(id)
	}
}

// Connected says that the server can be heard.
func (p *Publisher) Connected() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost != nil {
		p.lost.Stop()
		p.lost = nil
	}
}

// Lost says that it cannot. Cameras go on for a while: their links may well live.
func (p *Publisher) Lost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost != nil || p.closed {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(lostFor, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.lost == timer {
			p.stopAll()
		}
	})
	p.lost = timer
}

// States tells how the cameras are: those that are open, and those that were a moment ago.
func (p *Publisher) States() []State {
	p.mu.Lock()
	defer p.mu.Unlock()
	states := make([]State, 0, len(p.running))
	for _, one := range p.running {
		states = append(states, one.state)
	}
	for id, s := range p.last {
		if p.running[id] == nil && time.Since(s.Since) < keepLast {
			states = append(states, s)
		}
	}
	slices.SortFunc(states, func(a, b State) int { return strings.Compare(a.Camera, b.Camera) })
	return states
}

// Close ends every process and waits for that.
func (p *Publisher) Close() {
	p.mu.Lock()
	p.closed = true
	if p.lost != nil {
		p.lost.Stop()
	}
	p.stopAll()
	p.mu.Unlock()
	p.parts.Wait()
}
