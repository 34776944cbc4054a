package file

import "sync"

// live is how far the transfers under way are, which changes too often for the disk. The zero one is ready. mu guards it.
type live struct {
	mu       sync.Mutex
	all      map[string]Transfer
	printers map[string]map[string]bool // ids of transfers, by printer
}

func (l *live) store(printerID string, t Transfer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all, l.printers = map[string]Transfer{}, map[string]map[string]bool{}
	}
	l.all[t.ID] = t
	if l.printers[printerID] == nil {
		l.printers[printerID] = map[string]bool{}
	}
	l.printers[printerID][t.ID] = true
}

func (l *live) load(id string) (Transfer, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.all[id]
	return t, ok
}

func (l *live) forget(printerID, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, id)
	delete(l.printers[printerID], id)
	if len(l.printers[printerID]) == 0 {
		delete(l.printers, printerID)
	}
}

// current gives the transfer of a printer that is to be shown where there is room for one: the oldest, as devices do
// one after the other. false: there is none.
func (l *live) current(printerID string) (t Transfer, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.printers[printerID] {
		if !ok || id < t.ID { // ids are UUIDs of version 7: in the order of time
			t, ok = l.all[id], true
		}
	}
	return t, ok
}
