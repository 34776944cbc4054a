package camera

import (
	"sync"
	"time"
)

// reportAge is how long a page's word on what reaches it counts in the diagnosis that its person asks for.
const (
	reportAge  = 2 * time.Minute
	maxReports = 10_000
)

// reports is what pages said does not get through to them. mu guards all of it.
type reports struct {
	mu   sync.Mutex
	last map[reportKey]pageReport
}

type reportKey struct {
	userID string
	stream streamKey
}

type pageReport struct {
	code string
	at   time.Time
}

func (r *reports) put(p place, code string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := reportKey{p.actor.UserID, p.key()}
	if code == "" {
		delete(r.last, key)
		return
	}
	if r.last == nil {
		r.last = map[reportKey]pageReport{}
	}
	if len(r.last) < maxReports {
		r.last[key] = pageReport{code, now}
	}
}

func (r *reports) get(p place, now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if said, ok := r.last[reportKey{p.actor.UserID, p.key()}]; ok && now.Sub(said.at) < reportAge {
		return said.code
	}
	return ""
}

func (r *reports) sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, said := range r.last {
		if now.Sub(said.at) >= reportAge {
			delete(r.last, key)
		}
	}
}
