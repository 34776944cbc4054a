//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// leaveCore takes the last core that this process may use for OctoPrint, and puts this process, and what it starts
// without being told otherwise, on the others. On a machine of one core there are no others.
func leaveCore() (core int, err error) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return 0, err
	}
	core = -1
	for n := range len(allowed) * 64 {
		if allowed.IsSet(n) {
			core = n
		}
	}
	if core < 0 || allowed.Count() == 1 {
		return max(core, 0), nil
	}
	allowed.Clear(core)
	threads, err := filepath.Glob("/proc/self/task/*")
	for _, thread := range threads {
		id, notNumber := strconv.Atoi(filepath.Base(thread))
		err = errors.Join(err, notNumber)
		if e := unix.SchedSetaffinity(id, &allowed); e != nil && !errors.Is(e, unix.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	return core, err
}

// pinned is the command that holds another one to a core.
func pinned(core int) []string { return []string{"taskset", "-c", strconv.Itoa(core)} }

// keepBusy uses a core as much as it gets, until stopped.
func keepBusy(core int) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	line := append(pinned(core), self, "-spin")
	busy := exec.Command(line[0], line[1:]...)
	busy.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := busy.Start(); err != nil {
		return nil, fmt.Errorf("start the busy loop: %w", err)
	}
	return func() {
		_ = busy.Process.Kill()
		_ = busy.Wait()
	}, nil
}

// spin is the busy loop.
func spin() {
	for n := 0; ; n++ {
		_ = n * n
	}
}
