// Package discover finds cameras that an owner may want: those of this machine, and those that answer on its network. It
// asks the network only when its owner does, and in a process of its own, like everything that strangers can answer.
package discover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/ipv4"

	"github.com/kangbyounggwan/factor/internal/agent/camera"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// Command is the argument with which the program becomes the process that looks for cameras.
const Command = "find-cameras"

const (
	listen   = 3 * time.Second // for answers
	atMost   = 50              // offers
	maxReply = 64 << 10        // bytes of an answer
	maxName  = 80              // bytes
)

// Offer is a camera that was found.
type Offer struct {
	From string `json:"from"` // v4l2, onvif, mdns
	Name string `json:"name"`
	URL  string `json:"url"`
	// Complete says that the address is the camera's own word; otherwise its owner has to add path and login.
	Complete bool `json:"complete"`
}

// Find looks on this machine and asks its networks.
func Find(ctx context.Context) []Offer {
	ctx, cancel := context.WithTimeout(ctx, listen)
	defer cancel()
	var mu sync.Mutex
	found := devices()
	add := func(o Offer) {
		mu.Lock()
		defer mu.Unlock()
		if len(found) < atMost {
			found = append(found, o)
		}
	}
	var asking sync.WaitGroup
	for _, i := range networks() {
		for _, s := range services {
			asking.Go(func() {
				conn, err := socket(i)
				if err != nil {
					return
				}
				ask(ctx, conn, s, add)
			})
		}
	}
	asking.Wait()
	return tidy(found)
}

// service is one way in which cameras make themselves known.
type service struct {
	at    *net.UDPAddr // whom to ask
	query func() []byte
	read  func(reply []byte, from net.IP) []Offer
}

var services = []service{
	{&net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}, probe, matches},   // WS-Discovery 1.1, as ONVIF has it
	{&net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}, mdnsQuery, mdnsReply}, // RFC 6762, 6763
}

// ask sends the question twice, since one may get lost, and takes answers until ctx ends. It closes conn.
func ask(ctx context.Context, conn net.PacketConn, s service, add func(Offer)) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	query := s.query()
	conn.WriteTo(query, s.at)
	again := time.AfterFunc(listen/3, func() { conn.WriteTo(query, s.at) })
	defer again.Stop()
	reply := make([]byte, maxReply)
	for {
		n, from, err := conn.ReadFrom(reply)
		if err != nil {
			return
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		for _, o := range s.read(reply[:n], udp.IP) {
			if camera.Check(o.URL) == "" {
				add(o)
			}
		}
	}
}

// networks gives this machine's own addresses on networks where others can answer.
func networks() (list []*net.Interface) {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for i := range all {
		if f := all[i].Flags; f&net.FlagUp != 0 && f&net.FlagMulticast != 0 && f&net.FlagLoopback == 0 && len(list) < 8 {
			list = append(list, &all[i])
		}
	}
	return list
}

func socket(i *net.Interface) (net.PacketConn, error) {
	conn, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		return nil, err
	}
	p := ipv4.NewPacketConn(conn)
	if err := errors.Join(p.SetMulticastInterface(i), p.SetMulticastTTL(1)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// tidy leaves each camera in once, this machine's first, those with an address of their own before those without.
func tidy(found []Offer) []Offer {
	rank := map[string]int{"v4l2": 0, "mdns": 1, "onvif": 2}
	for i := range found {
		name, _ := wire.CleanText(found[i].Name, maxName)
		found[i].Name = strings.TrimSpace(name)
	}
	slices.SortFunc(found, func(a, b Offer) int {
		if d := rank[a.From] - rank[b.From]; d != 0 {
			return d
		}
		return strings.Compare(a.Name+a.URL, b.Name+b.URL)
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(o Offer) bool {
		twice := seen[o.URL]
		seen[o.URL] = true
		return twice
	})
}

// Apart gives a Find that happens in a process of its own, which the program at path becomes with the argument Command.
func Apart(path string) func(context.Context) ([]Offer, error) {
	return func(ctx context.Context) ([]Offer, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*listen)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, Command)
		cmd.Env = camera.Environment()
		var out bytes.Buffer
		cmd.Stdout = &out
		cmd.WaitDelay = time.Second
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("look for cameras: %w", err)
		}
		var found []Offer
		if err := json.Unmarshal(out.Bytes(), &found); err != nil {
			return nil, fmt.Errorf("look for cameras: %w", err)
		}
		return found, nil
	}
}

// Child is the other process: it writes what it finds.
func Child(ctx context.Context, out io.Writer) error {
	return json.NewEncoder(out).Encode(Find(ctx))
}
