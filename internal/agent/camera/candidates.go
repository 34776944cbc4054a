package camera

import (
	"net/netip"
	"strings"
)

// allowed takes out of an SDP answer the candidates at addresses where no camera can be: our packets would go there.
func allowed(sdp string) string {
	lines := strings.SplitAfter(sdp, "\n")
	kept := lines[:0]
	for _, line := range lines {
		if c, ok := strings.CutPrefix(line, "a=candidate:"); ok {
			// foundation component transport priority address port … (RFC 8839, 5.1)
			if f := strings.Fields(c); len(f) < 6 || refusedCandidate(f[4]) {
				continue
			}
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}

func refusedCandidate(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err != nil || forbidden(ip) // a name, such as mDNS's, is not looked up
}
