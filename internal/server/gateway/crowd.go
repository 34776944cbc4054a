package gateway

import "net/netip"

// crowd counts connections, all together and by address. Gateway.mu guards it.
type crowd struct {
	limits *Limits
	total  head
	from   map[netip.Addr]*head
}

// head is how many connections there are of each sort.
type head struct {
	half  int // not logged in yet
	alive int // logged in, those by UUID alone included
	uuid  int // without credentials
}

// place is what counts as one address: an IPv6 network of a subscriber is a /64.
func place(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

// enter counts a connection that has not logged in yet, if there is room.
func (c *crowd) enter(a netip.Addr) bool {
	h := c.from[place(a)]
	if c.total.half >= c.limits.HalfOpen || h != nil && h.half >= c.limits.HalfOpenAddr {
		return false
	}
	if h == nil {
		h = &head{}
		c.from[place(a)] = h
	}
	c.total.half++
	h.half++
	return true
}

// login turns a half-open connection into one that is alive, if there is room.
func (c *crowd) login(a netip.Addr, byUUID bool) bool {
	h := c.from[place(a)]
	switch {
	case c.total.alive >= c.limits.Connections, h.alive >= c.limits.PerAddress:
		return false
	case byUUID && (c.total.uuid >= c.limits.UUIDLogins || h.uuid >= c.limits.UUIDPerAddr):
		return false
	}
	for _, h := range []*head{&c.total, h} {
		h.half--
		h.alive++
		if byUUID {
			h.uuid++
		}
	}
	return true
}

// leave uncounts a connection.
func (c *crowd) leave(a netip.Addr, alive, byUUID bool) {
	h := c.from[place(a)]
	for _, h := range []*head{&c.total, h} {
		if alive {
			h.alive--
		} else {
			h.half--
		}
		if alive && byUUID {
			h.uuid--
		}
	}
	if *h == (head{}) {
		delete(c.from, place(a))
	}
}
