package uplink

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// answer sends answers to commands as they come, and with each connection again those that the server has not
// acknowledged. One that is under way does not keep the next one waiting: that would cost it a round trip.
func (l *Link) answer(ctx context.Context, c mqtt.Client) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	var flying sync.WaitGroup
	defer func() {
		cancel(nil)
		flying.Wait()
	}()
	var mu sync.Mutex
	sent := map[string]bool{} // and not acknowledged
	for {
		for _, r := range l.Results.Waiting() {
			mu.Lock()
			again := sent[r.ID]
			sent[r.ID] = true
			mu.Unlock()
			if again {
				continue
			}
			payload, err := json.Marshal(r)
			if err != nil {
				return fmt.Errorf("answer to a command: %w", err)
			}
			token := c.Publish(wire.KindControlReply.Topic(l.UUID), 1, false, payload)
			flying.Go(func() {
				if err := wait(ctx, token, ackTimeout); err != nil {
					cancel(fmt.Errorf("answer to a command: %w", err))
					return
				}
				if err := l.Results.Acked(r.ID); err != nil {
					l.Log.Warn("that the server has an answer could not be written down: it will be sent again", "trouble", "disk_write", "error", err)
				}
				mu.Lock()
				delete(sent, r.ID)
				mu.Unlock()
			})
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.Results.More():
		}
	}
}
