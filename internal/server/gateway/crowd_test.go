package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// crowdAddr is set in the process that plays the crowd: the gateway to go to.
const crowdAddr = "FACTOR_CROWD_ADDR"

func TestMain(m *testing.M) {
	if addr := os.Getenv(crowdAddr); addr != "" {
		playCrowd(addr)
		return
	}
	os.Exit(m.Run())
}

func crowdUUID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", i) }

// anybody is a Registry that knows everybody.
type anybody struct{}

func (anybody) Login(_ context.Context, uuid, _ string, _ netip.Addr) (Device, error) {
	return Device{ID: uuid, UUID: uuid, Authenticated: true}, nil
}
func (anybody) LoginByUUID(context.Context, string, netip.Addr) (Device, error) {
	return Device{}, ErrNotAuthorized
}

// playCrowd is the other process. It reads lines "idle n", "half n", "deaf n" and "ping" and answers each with "done"
// or what went wrong.
func playCrowd(addr string) {
	var idle, others []net.Conn // held: the collector closes a connection that nobody refers to
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		what, n := "", 0
		_, _ = fmt.Sscan(in.Text(), &what, &n)
		var err error
		switch what {
		case "idle":
			idle, err = together(n, func(i int) (net.Conn, error) { return crowdLogin(addr, i) })
		case "half":
			var half []net.Conn
			half, err = together(n, func(i int) (net.Conn, error) { return crowdDial(addr, i) })
			others = append(others, half...)
		case "deaf": // they listen to commands, and never read one
			var deaf []net.Conn
			deaf, err = together(n, func(i int) (net.Conn, error) {
				c, err := crowdLogin(addr, 50_000+i)
				if err == nil {
					_ = c.(*net.TCPConn).SetReadBuffer(4 << 10) // so that megabytes in the kernel do not stand in for reading
					_, err = c.Write(raw(subscribePacket, 0, 1, wire.KindGcodeIn.Topic(crowdUUID(50_000+i)), 1))
				}
				return c, err
			})
			others = append(others, deaf...)
		case "ping":
			_, err = together(len(idle), func(i int) (net.Conn, error) {
				b := []byte{packets.Pingreq << 4, 0}
				_ = idle[i].SetDeadline(time.Now().Add(patience))
				if _, err := idle[i].Write(b); err != nil {
					return nil, err
				}
				_, err := io.ReadFull(idle[i], b)
				return nil, err
			})
		}
		if err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("done")
		}
	}
	runtime.KeepAlive(others)
}

// together does n things, some at a time, and gives the last error.
func together(n int, f func(i int) (net.Conn, error)) (conns []net.Conn, failed error) {
	conns = make([]net.Conn, n)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < n; i += 64 {
				c, err := f(i)
				mu.Lock()
				if conns[i] = c; err != nil {
					failed = fmt.Errorf("connection %d: %w", i, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return conns, failed
}

// crowdDial connects from one of eight addresses.
func crowdDial(addr string, i int) (net.Conn, error) {
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}}
	return d.Dial("tcp", addr)
}

func crowdLogin(addr string, i int) (net.Conn, error) {
	c, err := crowdDial(addr, i)
	if err != nil {
		return nil, err
	}
	h := hello(crowdUUID(i))
	h.Keepalive = 600
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(encode(h)); err != nil {
		return nil, err
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil {
		return nil, err
	}
	if b[3] != 0 {
		return nil, fmt.Errorf("CONNACK %d", b[3])
	}
	return c, nil
}

// crowdProcess is the process that plays the crowd, as the test sees it.
type crowdProcess struct {
	t   *testing.T
	in  io.Writer
	out *script
}

func (d *door) crowd() *crowdProcess {
	d.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crowdAddr+"="+d.addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	s := &script{d.t, make(chan string, 10)}
	go func() {
		defer close(s.lines)
		for l := bufio.NewScanner(out); l.Scan(); {
			s.lines <- l.Text()
		}
	}()
	d.t.Cleanup(func() { in.Close(); _ = cmd.Wait() }) // it ends with its input
	return &crowdProcess{d.t, in, s}
}

func (c *crowdProcess) do(format string, args ...any) {
	c.t.Helper()
	fmt.Fprintf(c.in, format+"\n", args...)
	select {
	case line := <-c.out.lines:
		if line != "done" {
			c.t.Fatalf(format+": "+line, args...)
		}
	case <-time.After(2 * patience):
		c.t.Fatalf(format+" did not end", args...)
	}
}

// memory is what the process holds for its connections, after a collection.
func memory() uint64 {
	for range 3 { // stacks shrink by half each time, pools are emptied at the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestCrowd: 10,000 idle connections, 500 half-open ones and 100 that never read, at once. The idle ones answer all
// the while, the half-open ones are ended, those that do not read hold nobody up.
func TestCrowd(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1_000
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		n = min(n, int(files.Cur)-1000)
	}
	d := mustOpen(t, func(g *Gateway) {
		g.Registry = anybody{}
		g.Limits.ConnectTimeout = 3 * time.Second
		g.Limits.WriteTimeout = 2 * time.Second
	})
	c := d.crowd()
	before := memory()
	c.do("idle %d", n)
	if d.Connections() != n {
		t.Fatalf("%d connections, want %d", d.Connections(), n)
	}
	each := float64(memory()-before) / float64(n)
	t.Logf("%.1f KB a connection", each/1024)
	if each > 20<<10 {
		t.Errorf("%.0f bytes a connection", each)
	}
	c.do("half 500")
	c.do("deaf 100")
	deaf := 0
	for i := range 100 {
		uuid := crowdUUID(50_000 + i)
		d.heard.await(t, "subscribed", func(c call) bool { return c.uuid == uuid })
		go func() {
			for chunk := make([]byte, 200_000); d.Publish(uuid, wire.KindGcodeIn, chunk, 0) != ErrOffline; {
				time.Sleep(20 * time.Millisecond)
			}
		}()
		deaf++
	}
	other := d.login(crowdUUID(90_000))
	other.listen(1, wire.KindControl)
	for range 200 {
		d.mustPublish(other, wire.KindControl, "x", 1)
		m := other.expectPublish()
		other.send(acknowledgement(packets.Puback, m.MessageID))
		other.say(wire.KindEvent, 1, "x")
	}
	c.do("ping")
	d.awaitMetric(float64(deaf), "factor_mqtt_disconnects_total", "reason", string(ReasonSlow))
	d.awaitMetric(500, "factor_mqtt_disconnects_total", "reason", string(ReasonUnfinished))
	c.do("ping")
	if d.Connections() != n+1 {
		t.Errorf("%d connections left, want %d", d.Connections(), n+1)
	}
}
