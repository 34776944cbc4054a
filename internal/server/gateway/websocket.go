package gateway

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/coder/websocket"
)

// ServeHTTP is MQTT over WebSocket (OASIS MQTT 3.1.1, chapter 6), for /mqtt on the HTTPS port: it serves those whose
// network lets nothing else out. The address of the device is the request's RemoteAddr.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.initialize()
	if g.stopping.Load() {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		return // Accept has answered
	}
	if ws.Subprotocol() != "mqtt" {
		_ = ws.Close(websocket.StatusPolicyViolation, "subprotocol mqtt is needed")
		return
	}
	ws.SetReadLimit(-1) // frames are a stream here; packets have their own limits
	from, _ := netip.ParseAddrPort(r.RemoteAddr)
	g.serve(&conn{
		net:       websocket.NetConn(context.Background(), ws, websocket.MessageBinary),
		transport: TransportWebSocket,
		from:      netip.AddrPortFrom(from.Addr().Unmap(), from.Port()),
		hardClose: ws.CloseNow,
	})
}
