package camera

import (
	"context"
	"net"
)

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// keep remembers why a connection failed: libraries wrap that in words of their own. They dial from one goroutine.
func keep(kept *error, d dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		*kept = err
		return conn, err
	}
}
