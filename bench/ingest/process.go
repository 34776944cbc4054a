package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	serverCPU = "0"
	loadCPU   = "1"
	// ticksPerSecond is USER_HZ, which Linux shows CPU times in; it is 100 on every architecture Go runs on.
	ticksPerSecond = 100
)

// process is a program that the bench started, held to one CPU.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// start runs a program on a CPU. It ends with ctx, and with Close.
func start(ctx context.Context, cpu string, env []string, name string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", cpu, name}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	s := bufio.NewScanner(out)
	s.Buffer(nil, 1<<20)
	return &process{cmd, in, s}, nil
}

// startSelf runs a part of this program as a process.
func startSelf(ctx context.Context, cpu string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, cpu, []string{"GOMAXPROCS=1"}, self, args...)
}

// ask writes a line of JSON and reads one.
func (p *process) ask(question, answer any) error {
	b, err := json.Marshal(question)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("ask process %d: %w", p.cmd.Process.Pid, err)
	}
	return p.read(answer)
}

func (p *process) read(answer any) error {
	if !p.out.Scan() {
		return fmt.Errorf("process %d ended without an answer", p.cmd.Process.Pid)
	}
	return json.Unmarshal(p.out.Bytes(), answer)
}

// Close ends the process and waits for it.
func (p *process) Close() {
	p.in.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu is the CPU time that the process has used, user and system.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The second field is the name in brackets, which may hold blanks: count from behind it (proc(5)).
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// resident is the memory of the process in bytes.
func (p *process) resident() (int, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "statm"))
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.Fields(string(b))[1])
	return n * os.Getpagesize(), err
}
