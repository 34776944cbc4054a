package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
)

// OctoPrint is a real one with its virtual printer, started by scripts/octoprint.py, which ends it when its input ends.
type OctoPrint struct {
	URL string `json:"url"`
	Key string `json:"api_key"`
	PID int    `json:"pid"`

	cmd   *exec.Cmd
	input io.Closer
}

// OctoPrintOptions says what to start.
type OctoPrintOptions struct {
	Program, Folder string
	Settings        any      // over what scripts/octoprint.py puts into config.yaml at the first start; nil for nothing
	Under           []string // a command that it runs under, such as taskset
}

// StartOctoPrint starts one and waits until its printer is connected.
func StartOctoPrint(ctx context.Context, options OctoPrintOptions) (*OctoPrint, error) {
	if err := os.MkdirAll(options.Folder, 0o700); err != nil {
		return nil, err
	}
	line := append(options.Under, "python3", "scripts/octoprint.py", "--program", options.Program, "--folder", options.Folder)
	if options.Settings != nil {
		text, err := json.Marshal(options.Settings)
		if err != nil {
			return nil, err
		}
		line = append(line, "--settings", string(text))
	}
	o := &OctoPrint{cmd: exec.CommandContext(ctx, line[0], line[1:]...)}
	o.cmd.Stderr = os.Stderr
	var err error
	if o.input, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(out).Decode(o); err != nil {
		o.Stop()
		return nil, fmt.Errorf("OctoPrint did not start: %w", err)
	}
	return o, nil
}

// Stop ends it.
func (o *OctoPrint) Stop() {
	o.input.Close()
	_ = o.cmd.Wait()
}

// Call makes a request of its API and reads the answer into out, if that is not nil.
func (o *OctoPrint) Call(ctx context.Context, method, path string, body, out any) error {
	return call(ctx, method, o.URL+path, http.Header{"X-Api-Key": {o.Key}}, body, out)
}
