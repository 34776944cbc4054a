package camera

// A printer's uplink is divided among its cameras that are open: one that somebody watches gets as much as four of which
// only a picture is wanted now and then.
const (
	partsLive    = 4
	partsPicture = 1
	leastShare   = 30 // kbit/s: below it there would be no picture at all
)

// parts is what a stream gets of its printer's uplink, in parts.
func (st *stream) parts() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	for v := range st.viewers {
		if v.rung.live() {
			return partsLive
		}
	}
	return partsPicture
}

// share divides the uplink of each printer anew. What it gives counts from the stream's next drive on.
func (s *Service) share(list []*stream) {
	all, own := map[string]int{}, make([]int, len(list))
	for i, st := range list {
		own[i] = st.parts()
		all[st.key.printerID] += own[i]
	}
	for i, st := range list {
		st.share.Store(int64(s.shareOf(st, own[i], all[st.key.printerID])))
	}
}

func (s *Service) shareOf(st *stream, own, all int) int {
	uuid, ok := s.Printers.Find(st.key.printerID)
	if !ok {
		return 0
	}
	uplink := s.Printers.Uplink(uuid)
	if uplink <= 0 {
		return 0
	}
	return max(uplink*own/all, leastShare)
}

// kbps is what the stream may take of the uplink; 0: as much as it likes.
func (st *stream) kbps() int {
	share, own := int(st.share.Load()), st.camera.MaxKbps
	if share == 0 || own == 0 {
		return max(share, own)
	}
	return min(share, own)
}
