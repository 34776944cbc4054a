// Relay is a TURN server for the tests of bad networks, as coturn with use-auth-secret is one for an operator.
//
//	go run ./e2e/network/relay -listen 203.0.113.1:3478 -secret SECRET
//
// It takes viewers by TCP alone, relays by UDP from the same address, and says "ready".
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "127.0.0.1:3478", "where viewers come, and whose address is relayed from")
	secret := flag.String("secret", "", "what the server under test knows, too")
	flag.Parse()
	if err := run(*listen, *secret); err != nil {
		log.Fatal(err)
	}
}

func run(listen, secret string) error {
	listener, err := net.Listen("tcp4", listen)
	if err != nil {
		return err
	}
	address := listener.Addr().(*net.TCPAddr).IP
	quiet := logging.NewDefaultLoggerFactory()
	server, err := turn.NewServer(turn.ServerConfig{Realm: "relay", LoggerFactory: quiet,
		AuthHandler: turn.LongTermTURNRESTAuthHandler(secret, quiet.NewLogger("turn")),
		ListenerConfigs: []turn.ListenerConfig{{Listener: listener,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: address, Address: address.String()},
			PermissionHandler:     func(net.Addr, net.IP) bool { return true }}}})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	<-ended
	return server.Close()
}
