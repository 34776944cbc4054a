package file

import "sync"

// click names what one person's click asks of one printer.
type click struct{ printer, key string }

// clicks has the same click wait for itself: a double click is one. The zero one is ready. mu guards held.
type clicks struct {
	mu   sync.Mutex
	held map[click]chan struct{}
}

// Lock waits until nobody holds the click. One without a key holds nothing.
func (c *clicks) Lock(k click) {
	for k.key != "" {
		c.mu.Lock()
		if c.held == nil {
			c.held = map[click]chan struct{}{}
		}
		other := c.held[k]
		if other == nil {
			c.held[k] = make(chan struct{})
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		<-other
	}
}

// Unlock lets the next one go on.
func (c *clicks) Unlock(k click) {
	if k.key == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.held[k])
	delete(c.held, k)
}
