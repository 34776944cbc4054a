package discover

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What VIDIOC_QUERYCAP says: struct v4l2_capability of linux/videodev2.h.
const (
	queryCap      = 0x80685600 // _IOR('V', 0, 104 bytes)
	capCapture    = 0x00000001
	capM2M        = 0x00008000 // an encoder or a decoder, of which a Pi has several
	capStreaming  = 0x04000000
	capDeviceCaps = 0x80000000
)

type capability struct {
	driver       [16]byte
	card         [32]byte
	bus          [32]byte
	version      uint32
	capabilities uint32
	deviceCaps   uint32
	reserved     [3]uint32
}

// devices gives the cameras of this machine, by the name that lasts where udev gives one.
func devices() (found []Offer) {
	paths, err := filepath.Glob("/dev/video*")
	if err != nil {
		return nil
	}
	slices.SortFunc(paths, func(a, b string) int { return number(a) - number(b) })
	lasting := map[string]string{}
	links, _ := filepath.Glob("/dev/v4l/by-id/*")
	for _, link := range links {
		if to, err := filepath.EvalSymlinks(link); err == nil {
			lasting[to] = link
		}
	}
	for _, path := range paths[:min(len(paths), 64)] {
		name, ok := captures(path)
		if !ok {
			continue
		}
		if link := lasting[path]; link != "" {
			path = link
		}
		found = append(found, Offer{From: "v4l2", Name: name, URL: "v4l2://" + path, Complete: true})
	}
	return found
}

func number(path string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(path, "/dev/video"))
	if err != nil {
		return 1 << 20
	}
	return n
}

// captures tells whether a device is a camera, and its name. One that we may not open is one by its name.
func captures(path string) (name string, ok bool) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.EACCES {
		name, err := os.ReadFile("/sys/class/video4linux/" + filepath.Base(path) + "/name")
		index, _ := os.ReadFile("/sys/class/video4linux/" + filepath.Base(path) + "/index")
		return strings.TrimSpace(string(name)), err == nil && strings.TrimSpace(string(index)) == "0"
	}
	if err != nil {
		return "", false
	}
	defer unix.Close(fd)
	var c capability
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), queryCap, uintptr(unsafe.Pointer(&c))); errno != 0 {
		return "", false
	}
	return c.camera()
}

func (c *capability) camera() (name string, ok bool) {
	can := c.capabilities
	if can&capDeviceCaps != 0 {
		can = c.deviceCaps
	}
	name, _, _ = strings.Cut(string(c.card[:]), "\x00")
	return strings.ToValidUTF8(name, ""), can&capCapture != 0 && can&capM2M == 0 && can&capStreaming != 0
}
