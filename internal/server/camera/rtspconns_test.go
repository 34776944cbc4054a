package camera

import (
	"io"
	"net"
	"testing"
)

func TestPerAddress_OneTooManyIsClosed(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &perAddress{Listener: inner, most: 2}
	defer l.Close()
	taken := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			taken <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial()
	dial()
	first, second := <-taken, <-taken
	defer second.Close()
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a third one is let in")
	} else if err != io.EOF {
		t.Log(err)
	}
	first.Close()
	first.Close() // counts once
	dial()
	third := <-taken
	defer third.Close()
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a fourth one is let in")
	}
}
