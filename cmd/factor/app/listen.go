package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/kangbyounggwan/factor/internal/server/config"
)

// listeners are the open ports; nil is off.
type listeners struct {
	http, https, mqtts, mqtt net.Listener
}

// listen opens every port of the settings, or none.
func listen(ctx context.Context, s *config.Settings) (*listeners, error) {
	l := &listeners{}
	for _, p := range []struct {
		setting string
		address config.Address
		to      *net.Listener
	}{{"http", s.HTTP, &l.http}, {"https", s.HTTPS, &l.https}, {"mqtts", s.MQTTS, &l.mqtts}, {"mqtt", s.MQTT, &l.mqtt}} {
		if p.address.Off() {
			continue
		}
		var err error
		if *p.to, err = new(net.ListenConfig).Listen(ctx, "tcp", string(p.address)); err != nil {
			l.close()
			return nil, WhyNotListening(p.setting, p.address, err)
		}
	}
	return l, nil
}

// WhyNotListening says in words why a port could not be opened, and what to do.
func WhyNotListening(setting string, address config.Address, err error) error {
	_, port, _ := net.SplitHostPort(string(address))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--%s: port %s is taken by another program. Stop that one, or choose another port with --%s; :0 takes a free one (%w)", setting, port, setting, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("--%s: port %s is for the administrator of this machine only. Choose one from 1024 on, or forward it, or give factor the capability CAP_NET_BIND_SERVICE (%w)", setting, port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("--%s: %s is no address of this machine. Write :%s to listen on all of them (%w)", setting, address, port, err)
	}
	return fmt.Errorf("--%s: listen on %s: %w", setting, address, err)
}

func (l *listeners) close() {
	for _, one := range []net.Listener{l.http, l.https, l.mqtts, l.mqtt} {
		if one != nil {
			one.Close()
		}
	}
}

func addressOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

func portOf(l net.Listener) int {
	_, port, err := net.SplitHostPort(addressOf(l))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}

func orOff(address string) string {
	if address == "" {
		return "off"
	}
	return address
}
