package publish

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// modest puts the printer first: where processor or memory run short, it is the camera that waits or ends.
func modest() {
	syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5)
	os.WriteFile("/proc/self/oom_score_adj", []byte("600"), 0)
}

// yield has an encoder run only when nothing else of the machine wants the processor. It has just begun, and its threads
// take that over.
func yield(pid int) { syscall.Setpriority(syscall.PRIO_PROCESS, pid, 15) }

// used tells how much of a processor a process has had so far; 0 when that cannot be told.
func used(pid int) time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// Behind the name, which may have spaces in it: state is field 3, utime and stime are 14 and 15, in ticks of 10 ms (proc(5)).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(fields[11]), 10, 64)
	system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}
