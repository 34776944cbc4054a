package wire

// CameraCode is what is wrong with a camera. The pages, the server and the agent each have their own words for it.
type CameraCode string

// The codes that an agent reports. Those up to CameraBadURL are the ones of a look at an address.
const (
	CameraUnreachable    CameraCode = "unreachable"
	CameraNameNotFound   CameraCode = "name_not_found"
	CameraRefusedLogin   CameraCode = "refused_login"
	CameraNotFound       CameraCode = "not_found" // the camera does not know the path
	CameraNotAStream     CameraCode = "not_a_stream"
	CameraTimeout        CameraCode = "timeout" // no whole picture came in time
	CameraTooLarge       CameraCode = "too_large"
	CameraCodec          CameraCode = "unsupported_codec"
	CameraFFmpegMissing  CameraCode = "ffmpeg_missing"
	CameraAddressRefused CameraCode = "address_refused"
	CameraBadURL         CameraCode = "bad_url"

	CameraFFmpegDied CameraCode = "ffmpeg_died"  // CameraReport.Lines has its last words
	CameraNoKeyFrame CameraCode = "no_key_frame" // nothing to begin with for many seconds
	CameraUplinkSlow CameraCode = "uplink_slow"  // it runs, with frames left out
	CameraBusy       CameraCode = "busy"         // the agent has as many cameras open as it can

	CameraDeviceBusy   CameraCode = "device_busy"   // another program of that machine has its V4L2 device open
	CameraDeviceDenied CameraCode = "device_denied" // the agent's user may not open it
)

// CameraCodes lists what an agent may report. Anything else is treated as CameraTimeout.
var CameraCodes = []CameraCode{
	CameraUnreachable, CameraNameNotFound, CameraRefusedLogin, CameraNotFound, CameraNotAStream, CameraTimeout, CameraTooLarge,
	CameraCodec, CameraFFmpegMissing, CameraAddressRefused, CameraBadURL, CameraFFmpegDied, CameraNoKeyFrame, CameraUplinkSlow, CameraBusy,
	CameraDeviceBusy, CameraDeviceDenied,
}
