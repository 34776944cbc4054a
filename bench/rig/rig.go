// Package rig starts the real program for a benchmark, on free ports and a folder of its own, and reads from the
// system what it costs.
package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	Email    = "bench@example.com" // of the account that Account makes
	Password = "nozzle-warm-tuesday-72"

	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// Server is a running bin/factor.
type Server struct {
	URL     string        // of the pages
	MQTTS   string        // host:port
	CA      []byte        // PEM of its certificate authority
	Ready   time.Duration // from its start to the first 200 of /readyz
	Program string
	Data    string

	cmd    *exec.Cmd
	output bytes.Buffer
	Token  string // API token of an administrator, after Account
}

// Start starts program on the data folder and waits until it is ready.
func Start(ctx context.Context, program, data string) (*Server, error) {
	s := &Server{Program: program, Data: data}
	run := filepath.Join(data, "run.json")
	_ = os.Remove(run)
	s.cmd = exec.Command(program, "serve", "--data", data, "--http", "127.0.0.1:0", "--https", "off", "--mqtts", "127.0.0.1:0",
		"--webrtc", "127.0.0.1:0", "--rtsp", "127.0.0.1:0", "--log-level", "warn")
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (make it with `make build`): %w", program, err)
	}
	var at struct{ HTTP, MQTTS string }
	for {
		if text, err := os.ReadFile(run); err == nil && json.Unmarshal(text, &at) == nil {
			if resp, err := http.Get("http://" + at.HTTP + "/readyz"); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
			}
		}
		if ctx.Err() != nil || time.Since(begun) > startTimeout {
			return nil, errors.Join(fmt.Errorf("%s is not ready: %s", program, s.output.String()), s.Stop())
		}
		time.Sleep(time.Millisecond)
	}
	s.Ready = time.Since(begun)
	s.URL, s.MQTTS = "http://"+at.HTTP, at.MQTTS
	var err error
	s.CA, err = os.ReadFile(filepath.Join(data, "tls", "ca.crt"))
	return s, err
}

// Stop ends the server in order.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended badly: %w\n%s", err, s.output.String())
	}
	return nil
}

// Account makes an administrator and an API token for him.
func (s *Server) Account(ctx context.Context) error {
	add := exec.CommandContext(ctx, s.Program, "user", "add", "--data", s.Data, "--email", Email, "--name", "Bench", "--admin", "--password-stdin")
	add.Stdin = strings.NewReader(Password)
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("add an account: %w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, s.Program, "token", "add", "--data", s.Data, "--email", Email, "--name", "bench").Output()
	if err != nil {
		return fmt.Errorf("add a token: %w", err)
	}
	s.Token = strings.TrimSpace(string(out))
	return nil
}

// Call makes a request of the API and reads its answer into out.
func (s *Server) Call(ctx context.Context, method, path string, body, out any) error {
	return call(ctx, method, s.URL+path, http.Header{"Authorization": {"Bearer " + s.Token}}, body, out)
}

// call sends body as JSON and reads the answer into out; nil for either is nothing.
func call(ctx context.Context, method, url string, header http.Header, body, out any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
		header.Set("Content-Type", "application/json")
	}
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return err
	}
	r.Header = header
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %s", method, url, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// Printer registers a printer and gives its device's token.
func (s *Server) Printer(ctx context.Context, uuid, name string) (token string, err error) {
	var made struct {
		Token string `json:"device_token"`
	}
	err = s.Call(ctx, http.MethodPost, "/api/v1/printers", map[string]string{"uuid": uuid, "name": name}, &made)
	return made.Token, err
}

// RSS gives the server's resident memory in bytes.
func (s *Server) RSS() (int64, error) { return RSS(s.cmd.Process.Pid) }

// RSS gives a process's resident memory in bytes.
func RSS(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}

// clockTick is what /proc counts CPU time in on Linux, whatever the kernel's own tick is (proc(5), sysconf(_SC_CLK_TCK)).
const clockTick = 10 * time.Millisecond

// CPU gives the CPU time that the server has used.
func (s *Server) CPU() (time.Duration, error) { return CPU(s.cmd.Process.Pid) }

// CPU gives the CPU time that a process has used.
func CPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name may hold anything; fields are counted behind its bracket. utime and stime are the 14th and 15th.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var sum time.Duration
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * clockTick
	}
	return sum, nil
}

// Verdict says whether a figure keeps its goal.
func Verdict(kept bool) string {
	if kept {
		return "kept"
	}
	return "MISSED"
}

// Children gives the processes that a process has started and that run.
func Children(pid int) ([]int, error) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, path := range all {
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it has ended meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		// The parent is the 2nd field behind the bracket of the name.
		if fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])); fields[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	return children, nil
}
