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

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// forbidden tells whether no camera can be at an address.
func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if b := ip.As16(); nat64.Contains(ip) { // which a gateway leads to the IPv4 address within (RFC 6052)
		ip = netip.AddrFrom4([4]byte(b[12:]))
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
