package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"
)

const (
	memoryLimit = 64 << 20         // bytes; a 4K key frame takes some of it
	orphaned    = 15 * time.Second // without a link, after which nobody seems to look any more
	linkRetry   = time.Second
)

// Child is a publishing process: it takes orders from in until that is closed, and ends with it. What it tells the agent
// goes to out.
func Child(ctx context.Context, in io.Reader, out io.Writer) error {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(100)
	modest()
	ctx, end := context.WithCancel(ctx)
	defer end()
	orders := make(chan *Order, 1)
	go func() { // ends with the process: a read of standard input cannot be broken off
		defer end()
		for d := json.NewDecoder(in); ; {
			o := new(Order)
			if d.Decode(o) != nil {
				return
			}
			select { // the newest counts
			case <-orders:
			default:
			}
			orders <- o
		}
	}()
	var first *Order
	select {
	case first = <-orders:
	case <-ctx.Done():
		return nil
	}
	var writing sync.Mutex
	tell := func(t Told) {
		writing.Lock()
		defer writing.Unlock()
		json.NewEncoder(out).Encode(t)
	}
	return publish(ctx, first, orders, tell)
}

// publish sends the camera of the first order over the link of the newest one, until ctx ends or nobody looks any more.
func publish(whole context.Context, o *Order, orders <-chan *Order, tell func(Told)) error {
	ctx, end := context.WithCancel(whole)
	p := newPublication(ctx, o, tell)
	var following sync.WaitGroup
	following.Go(func() { p.follow(ctx) })
	defer following.Wait()
	defer end()
	alone := time.Now() // since when there is no link
	for {
		began := time.Now()
		next, err := p.serve(ctx, o, orders)
		if time.Since(began) > orphaned {
			alone = time.Now()
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, errOver):
			return nil
		case next != nil:
			o, alone = next, time.Now()
			continue
		case err != nil:
			tell(Told{CameraReport: p.current(), Link: err.Error()})
		}
		var refused refusedLink
		wait := linkRetry
		if errors.As(err, &refused) { // only another order helps
			wait = orphaned
		}
		select {
		case <-ctx.Done():
			return nil
		case o = <-orders:
			p.want(o.Options)
			alone = time.Now()
		case <-time.After(wait):
			if time.Since(alone) > orphaned {
				return fmt.Errorf("no link to the server: %w", err)
			}
		}
	}
}

// serve opens the link of an order and writes to it until it ends or another order comes.
func (p *publication) serve(whole context.Context, o *Order, orders <-chan *Order) (next *Order, err error) {
	ctx, end := context.WithCancel(whole)
	defer end()
	ended := make(chan error, 1)
	go func() {
		l, err := dialLink(ctx, o)
		if err == nil {
			s := &sender{publication: p, link: l, clock: newServerTime(o.Clock)}
			err = s.run(ctx)
		}
		ended <- err
	}()
	select {
	case err = <-ended:
		return nil, err
	case next = <-orders:
		end()
		<-ended
		p.want(next.Options)
		return next, nil
	}
}
