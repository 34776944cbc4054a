package uplink

import (
	"context"
	"encoding/json"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// Transfers is what there is to tell of files on their way. See package transfer.
type Transfers interface {
	Untold() []wire.Transfer
	Told(wire.Transfer)
	More() <-chan struct{}
}

// tellTransfers says how far files are, and how they ended until the server has heard that.
func (l *Link) tellTransfers(ctx context.Context, c mqtt.Client) error {
	for {
		for _, t := range l.Transfers.Untold() {
			payload, err := json.Marshal(t)
			if err != nil {
				return fmt.Errorf("transfer: %w", err)
			}
			if err := wait(ctx, c.Publish(wire.KindTransfer.Topic(l.UUID), 1, false, payload), ackTimeout); err != nil {
				return fmt.Errorf("transfer: %w", err)
			}
			l.Transfers.Told(t)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.Transfers.More():
		}
	}
}
