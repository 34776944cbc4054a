package camera

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// metadata are addresses at which clouds tell a machine's secrets to whatever runs on it, besides link-local ones.
var metadata = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("fd20:ce::254"),    // Google
}

// within are prefixes of IPv6 addresses that something on the way may lead to the IPv4 address within, and where that is.
var within = []struct {
	prefix netip.Prefix
	at     int // byte
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64 (RFC 6052)
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // the same of a network's own (RFC 8215)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // SIIT (RFC 7915)
	{netip.MustParsePrefix("::/96"), 12},           // compatible ones, which RFC 4291 gave up
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4 (RFC 3056)
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// forbidden tells whether no camera can be at an address.
func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, w := range within {
		if b := ip.As16(); w.prefix.Contains(ip) && ip != netip.IPv6Loopback() {
			ip = netip.AddrFrom4([4]byte(b[w.at : w.at+4]))
		}
	}
	return !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip == broadcast || slices.Contains(metadata, ip)
}

// control refuses an address at the moment of connecting, whatever name or redirect led there.
func control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || forbidden(at.Addr()) {
		return failure(AddressRefused)
	}
	return nil
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: 5 * time.Second, Control: control}).DialContext(ctx, network, address)
}

// dialTLS trusts any certificate on the own network, where cameras sign their own, and only valid ones beyond it.
func dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		conn.Close()
		return nil, err
	}
	own := false
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		ip := at.Addr().Unmap()
		own = ip.IsLoopback() || ip.IsPrivate()
	}
	secured := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: own})
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}
