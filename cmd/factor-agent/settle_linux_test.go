package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// mustFilePages gives how much of the program is in this process, in KB.
func mustFilePages(t *testing.T) (kb int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}

// Half of the program goes, and what is used again comes back as it was.
func TestSettle(t *testing.T) {
	sum := 0
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := mustFilePages(t)
	if err := settle(); err != nil {
		t.Fatal(err)
	}
	if after := mustFilePages(t); after > before*2/3 {
		t.Errorf("%d KB of %s, %d KB before", after, program, before)
	}
	for _, w := range []*words{&english, &korean} {
		sum += len(fmt.Sprintf("%+v", *w))
	}
	if sum < 5000 {
		t.Errorf("%d bytes of words", sum)
	}
}
