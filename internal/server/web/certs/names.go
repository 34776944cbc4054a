package certs

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// OwnNames lists what this server is reached by: the given names first, then the host's name, its .local name,
// localhost, and every address of its interfaces. Link-local IPv6 addresses are left out: they need a zone, which
// no certificate can hold.
func OwnNames(given ...string) []string {
	var names []string
	add := func(name string) {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range given {
		add(name)
	}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		add(host)
		short, _, _ := strings.Cut(host, ".")
		add(short + ".local")
	}
	add("localhost")
	for _, addr := range ownAddresses() {
		add(addr.String())
	}
	return names
}

func ownAddresses() []netip.Addr {
	list := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return list
	}
	var found []netip.Addr
	for _, a := range interfaces {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		if ip.Is6() && ip.IsLinkLocalUnicast() || ip.IsLoopback() {
			continue
		}
		found = append(found, ip)
	}
	slices.SortFunc(found, netip.Addr.Compare) // the order of interfaces changes, the certificate must not for that
	return append(list, found...)
}
