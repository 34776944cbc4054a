package agent_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/local"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint/octoprinttest"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// TestAgent_RealPrint follows a real print through kills of the agent, a restart of the server and one of OctoPrint.
func TestAgent_RealPrint(t *testing.T) {
	o := octoprinttest.Start(t)
	p := newPlatform(t)
	f := p.enrolled(o.URL, octoprinttest.Key)
	c := start(t, "agent", f.Path)
	p.await("an idle printer", func() bool { return p.latest().Status == wire.StatusIdle })
	p.await("the versions", func() bool {
		last := p.presence[len(p.presence)-1]
		return last.OctoPrint != "" && last.Python != "" && last.OS != "" && last.Epoch != "" && len(last.Caps) > 0
	})
	p.mu.Lock()
	if got := p.latest(); got.Interval != wire.IdleInterval.Seconds() || got.Job.ID != "" {
		t.Errorf("idle: interval %v, job %q", got.Interval, got.Job.ID)
	}
	p.mu.Unlock()
	p.say(wire.KindWatch, wire.Watch{Watched: true})
	p.await("a snapshot each second", func() bool { return p.latest().Interval == 1 })
	p.say(wire.KindWatch, wire.Watch{Watched: false})

	o.Upload("part.gcode", octoprinttest.Print(2500), true)
	p.await("the print", func() bool { return p.latest().Status == wire.StatusPrinting && p.latest().Job.ID != "" })
	p.mu.Lock()
	id, seen := p.latest().Job.ID, len(p.statuses)
	p.mu.Unlock()

	c.kill()
	p.await("its will", func() bool { return p.wills == 1 })
	c = start(t, "agent", f.Path)
	p.await("the same print after a kill of the agent", func() bool {
		return len(p.statuses) > seen && p.latest().Status == wire.StatusPrinting && p.latest().Job.ID == id
	})
	o.Job("pause", "pause")
	p.await("the pause", func() bool { return p.latest().Status == wire.StatusPaused })

	p.down()
	o.Job("pause", "resume")
	o.Await(func(state, _ string) bool { return state == "Printing" }, "a resumed print")
	p.up()
	p.await("the print after a restart of the server", func() bool { return p.latest().Status == wire.StatusPrinting })

	status, err := local.Ask(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if status.Printer.Job != id || !status.Server.Connected || status.OctoPrint.Health != "connected" {
		t.Errorf("status %+v", status)
	}

	// The end comes while nobody looks.
	c.kill()
	o.Await(func(state, _ string) bool { return state == "Operational" }, "the end of the print")
	c = start(t, "agent", f.Path)
	p.await("the end that was missed", func() bool { return p.latest().Status == wire.StatusIdle && p.latest().Job.ID == "" })
	p.await("the file list", func() bool {
		n := len(p.files)
		return n > 0 && len(p.files[n-1].Local) == 1 && p.files[n-1].Local[0].Path == "part.gcode"
	})

	o.Upload("second.gcode", octoprinttest.Print(100000), true)
	p.await("the second print", func() bool {
		return p.latest().Status.Active() && p.latest().Job.ID != "" && p.latest().Job.ID != id && p.latest().Job.File.Name == "second.gcode"
	})
	o.Stop()
	p.await("that OctoPrint is away", func() bool {
		return slices.Contains(p.latest().Attention, wire.AttentionOctoPrintUnreachable)
	})
	o.Up()
	p.await("the printer after a restart of OctoPrint", func() bool { return p.latest().Status == wire.StatusIdle })

	want := []string{"PrintStarted", "PrintPaused", "PrintResumed", "PrintDone", "PrintStarted", "PrintFailed"}
	p.await("the story of both prints", func() bool {
		var got []string
		for _, e := range p.events {
			if slices.Contains(want, e.Type) {
				got = append(got, e.Type)
			}
		}
		return slices.Equal(got, want)
	})
	p.mu.Lock()
	wills := p.wills
	p.mu.Unlock()
	c.Process.Signal(syscall.SIGTERM)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("does not end on SIGTERM")
	}
	p.await("the goodbye", func() bool { return !p.presence[len(p.presence)-1].Online && p.wills == wills })
	for _, e := range p.events {
		if slices.Contains(want[:4], e.Type) && e.Job == "" {
			t.Errorf("%s without a job", e.Type)
		}
	}
}
