package local

import (
	"bytes"
	"os"
	"strconv"
)

// RSS is the memory of this process that is in RAM, in bytes.
func RSS() int64 {
	content, err := os.ReadFile("/proc/self/statm") // proc(5): size resident shared … in pages
	fields := bytes.Fields(content)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
