package agent

import (
	"context"
	"time"

	"github.com/kangbyounggwan/factor/internal/agent/folder"
	"github.com/kangbyounggwan/factor/internal/agent/octoprint"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Introduce says where OctoPrint is and which key it gave us. One who says what is known already changes nothing.
func (a *Agent) Introduce(o folder.OctoPrint) error {
	client, err := octoprint.NewClient(o.URL, o.Key)
	if err != nil {
		return err
	}
	changed, err := a.save(func(c *folder.Config) { c.OctoPrint = o })
	if err != nil || (!changed && !a.Introduced) {
		return err
	}
	select { // the newest counts
	case <-a.introduced:
	default:
	}
	a.introduced <- client
	return nil
}

// Retry tries at once what would be tried later: the server, OctoPrint.
func (a *Agent) Retry() {
	a.link.Retry()
	a.broker.Retry()
	select {
	case a.retry <- struct{}{}:
	default:
	}
}

// follow keeps an adapter running, each with the newest introduction, until ctx ends.
func (a *Agent) follow(ctx context.Context) {
	client := a.client
	if a.Introduced {
		select {
		case <-ctx.Done():
			return
		case client = <-a.introduced:
		case <-time.After(introduction):
		}
	}
	for ctx.Err() == nil {
		one, cancel := context.WithCancel(ctx)
		adapter := &octoprint.Adapter{Client: client, Receiver: &receiver{a}, Log: a.log.With("part", "octoprint"), Retry: a.retry}
		a.adapter.Store(adapter)
		adapter.Terminal(a.terminal.Load())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			adapter.Run(one)
		}()
		select {
		case <-ctx.Done():
		case client = <-a.introduced:
		}
		cancel()
		<-ended
	}
}

// registered takes what the server says of our registration. Nothing more is to be said once the owner has completed it.
func (a *Agent) registered(r wire.Registration) (known bool) {
	if r.Status != "registered" && r.Status != "registration_confirmed" {
		return false
	}
	_, err := a.save(func(c *folder.Config) {
		c.Pending = r.Pending
		if name, _ := wire.CleanText(r.DeviceName, maxName); name != "" {
			c.Name = name
		}
	})
	if err != nil {
		a.log.Warn("that the printer is registered could not be written down", "trouble", "disk_write", "error", err)
	}
	return err == nil && !r.Pending
}

const maxName = 400 // bytes

// save changes the folder's config and ours, if there is anything to change.
func (a *Agent) save(change func(*folder.Config)) (changed bool, err error) {
	a.saving.Lock()
	defer a.saving.Unlock()
	a.mu.Lock()
	c := a.config
	a.mu.Unlock()
	before := c
	change(&c)
	if c == before {
		return false, nil
	}
	if err := a.Folder.SaveConfig(&c); err != nil {
		return false, err
	}
	a.mu.Lock()
	a.config = c
	a.mu.Unlock()
	return true, nil
}
