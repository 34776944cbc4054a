package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// settle takes the program's own code and constants out of this process until they are used again. Initialising every
// package that is linked, those of the cameras' processes too, touches a little all over the file, and Linux maps 64 KB
// around each touch: 9 MB, of which 5 MB are never needed here. Nothing is read from the disk again for what comes back:
// the pages stay in the kernel's cache for as long as there is room.
func settle() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close()
	var from, to uintptr // of the mapping that the lines are about; to is 0 for one to leave alone
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		line := lines.Text()
		var begin, end uintptr
		var rights string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &rights); n == 3 {
			from, to = begin, 0
			if strings.HasSuffix(line, " "+program) && (rights == "r-xp" || rights == "r--p") {
				to = end
			}
			continue
		}
		key, size, _ := strings.Cut(line, ":")
		none := strings.TrimSpace(size) == "0 kB"
		switch {
		case to == 0:
		case key == "Anonymous" && !none:
			// Pages of its own, such as those that the loader of a position-independent program has written to, would come
			// back from the file as they were before.
			to = 0
		case key == "Swap" && none: // likewise for those on disk; this line stands behind the other
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); errno != 0 {
				return errno
			}
		}
	}
	return lines.Err()
}
