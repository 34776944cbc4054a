package wire

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// CameraSchemes are what an agent can look at. webrtc and whep name what is spoken over HTTP(S), v4l2 a device of the
// agent's machine.
var CameraSchemes = []string{"http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "webrtc", "webrtcs", "whep", "wheps", "hls", "onvif", "v4l2"}

// CameraAddressFault says what is wrong with an address of a camera, by a stable name.
type CameraAddressFault string

// The faults of ParseCamera.
const (
	AddressEmpty     CameraAddressFault = "empty"
	AddressCharacter CameraAddressFault = "character" // one that no address can have; or it is longer than MaxCameraAddress
	AddressMalformed CameraAddressFault = "malformed"
	AddressScheme    CameraAddressFault = "scheme" // one that no agent can look at
	AddressHost      CameraAddressFault = "host"   // there is none
	AddressDevice    CameraAddressFault = "device" // no camera of this machine, or no size or rate of one
)

func (f CameraAddressFault) Error() string { return "camera address: " + string(f) }

// MaxCameraAddress is how long an address may be, in bytes.
const MaxCameraAddress = 2048

var (
	// cameraDevice are the names of cameras of a machine: /dev/video0, or the lasting name that udev gives it.
	cameraDevice = regexp.MustCompile(`^/dev/(video[0-9]{1,3}|v4l/by-(id|path)/[A-Za-z0-9._:+-]{1,200})$`)
	cameraSize   = regexp.MustCompile(`^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$`)
)

// ParseCamera takes a camera's address apart, as a person gives it. A device may be named by its path alone. Errors:
// CameraAddressFault; nothing of the address is in them, since it may hold a password.
func ParseCamera(address string) (*url.URL, error) {
	address = strings.TrimSpace(address)
	if address == "" {
		return nil, AddressEmpty
	}
	if _, changed := CleanText(address, MaxCameraAddress); changed || strings.ContainsAny(address, " \"<>\\^`{|}") {
		return nil, AddressCharacter
	}
	if strings.HasPrefix(address, "/dev/") {
		address = "v4l2://" + address
	}
	u, err := url.Parse(address)
	if err != nil || !strings.Contains(address, "://") {
		return nil, AddressMalformed
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case !slices.Contains(CameraSchemes, u.Scheme):
		return nil, AddressScheme
	case u.Opaque != "":
		return nil, AddressHost
	case u.Scheme == "v4l2":
		if u.Host != "" || u.User != nil || !cameraDevice.MatchString(u.Path) || !cameraAsks(u.Query()) {
			return nil, AddressDevice
		}
	case u.Hostname() == "":
		return nil, AddressHost
	}
	if len(u.String()) > MaxCameraAddress { // as it is written then
		return nil, AddressCharacter
	}
	return u, nil
}

// cameraAsks tells whether size and rate of a device are such, where they are asked for.
func cameraAsks(q url.Values) bool {
	if size := q.Get("size"); size != "" && !cameraSize.MatchString(size) {
		return false
	}
	if fps := q.Get("fps"); fps != "" {
		if n, err := strconv.Atoi(fps); err != nil || n < 1 || n > 60 {
			return false
		}
	}
	return true
}
