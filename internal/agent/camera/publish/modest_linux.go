package publish

import (
	"os"
	"syscall"
)

// modest puts the printer first: where processor or memory run short, it is the camera that waits or ends.
func modest() {
	syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5)
	os.WriteFile("/proc/self/oom_score_adj", []byte("600"), 0)
}
