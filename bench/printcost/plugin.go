//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/bench/rig"
	"github.com/kangbyounggwan/factor/internal/wire"
)

const (
	plugin    = "/plugin/factor_mqtt/"
	published = "octoprint_factor"
)

// variant is a plugin in OctoPrint, or none.
type variant struct {
	name    string
	program func(settings) string
	// before makes the folder ready and gives what goes into config.yaml; nil for nothing to do.
	before func(ctx context.Context, server *rig.Server, folder, uuid string) (map[string]any, error)
	// register makes the printer known to the server, where that is not done before; nil for nothing to do.
	register func(ctx context.Context, server *rig.Server, printer *rig.OctoPrint, uuid string) error
}

var variants = []variant{
	{name: "no plugin", program: func(s settings) string { return s.octoprint }},
	{name: "ours", program: func(s settings) string { return s.octoprint }, before: unpackOurs, register: registerOurs},
	{name: "published", program: func(s settings) string { return s.published }, before: registerPublished},
}

// unpackOurs puts the zip that the server makes into OctoPrint's folder for plugins.
func unpackOurs(ctx context.Context, server *rig.Server, folder, _ string) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/plugin/factor.zip", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the plugin's zip: %s %s", resp.Status, content)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		_, inside, ok := strings.Cut(f.Name, "/octoprint_factor_mqtt/")
		if !ok || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := unpack(f, filepath.Join(folder, "plugins", "factor_mqtt", filepath.FromSlash(inside))); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func unpack(f *zip.File, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	content, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// registerOurs does what the owner does on the plugin's page and then on the server's.
func registerOurs(ctx context.Context, server *rig.Server, printer *rig.OctoPrint, uuid string) error {
	err := await(ctx, "the agent runs", func() (bool, error) {
		var state struct {
			Keeper struct {
				Phase string
				Fault any
			}
		}
		err := printer.Call(ctx, http.MethodGet, plugin+"state", nil, &state)
		if err == nil && state.Keeper.Fault != nil {
			err = fmt.Errorf("the plugin says: %v", state.Keeper.Fault)
		}
		return state.Keeper.Phase == "running", err
	})
	if err != nil {
		return err
	}
	for _, step := range []struct {
		call string
		body map[string]string
	}{
		{"login", map[string]string{"email": rig.Email, "password": rig.Password}},
		{"register", map[string]string{"uuid": uuid}},
	} {
		if err := errand(ctx, printer, step.call, step.body); err != nil {
			return fmt.Errorf("%s: %w", step.call, err)
		}
	}
	return server.Call(ctx, http.MethodPatch, "/api/v1/printers/"+uuid, map[string]string{"name": "ours"}, nil)
}

// errand asks the agent through the plugin and waits for what it answers.
func errand(ctx context.Context, printer *rig.OctoPrint, call string, body map[string]string) error {
	var sent struct{ Ticket string }
	if err := printer.Call(ctx, http.MethodPost, plugin+"call/"+call, body, &sent); err != nil {
		return err
	}
	var answer struct {
		Done   bool
		Status int
		Body   any
	}
	err := await(ctx, "the agent answers", func() (bool, error) {
		err := printer.Call(ctx, http.MethodGet, plugin+"errand/"+sent.Ticket, nil, &answer)
		return answer.Done, err
	})
	if err == nil && answer.Status >= 300 {
		err = fmt.Errorf("%d %v", answer.Status, answer.Body)
	}
	return err
}

// registerPublished gives the block that the server's page gives for config.yaml.
func registerPublished(ctx context.Context, server *rig.Server, _, uuid string) (map[string]any, error) {
	token, err := server.Printer(ctx, uuid, "published")
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(server.MQTTS)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"broker_host": host, "broker_port": number, "broker_username": uuid, "broker_password": token, "broker_use_tls": true,
		"broker_tls_ca_cert": filepath.Join(server.Data, "tls", "ca.crt"), "instance_id": uuid, "registered": true,
	}, nil
}

// awaitOnline waits until the server shows the printer as its OctoPrint has it.
func awaitOnline(ctx context.Context, server *rig.Server, uuid string) error {
	return await(ctx, "the server shows the printer", func() (bool, error) {
		var p struct {
			Online bool
			State  struct{ Text string }
		}
		err := server.Call(ctx, http.MethodGet, "/api/v1/printers/"+uuid, nil, &p)
		return p.Online && p.State.Text == "Operational", err
	})
}

// awaitJob waits until the server knows of the print: so its printer did report.
func awaitJob(ctx context.Context, server *rig.Server, uuid string) error {
	return await(ctx, "the server knows of the print", func() (bool, error) {
		var jobs struct{ Items []any }
		err := server.Call(ctx, http.MethodGet, "/api/v1/printers/"+uuid+"/jobs", nil, &jobs)
		return len(jobs.Items) == 1, err
	})
}

// await asks until it is so; the last error is told when it is not within the limit.
func await(ctx context.Context, what string, ok func() (bool, error)) error {
	end := time.After(patience)
	for {
		done, err := ok()
		if done && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return errors.Join(fmt.Errorf("not within %v: %s", patience, what), err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func newUUID() string { return wire.NewUUID() }
