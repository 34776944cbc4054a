package wire

import (
	"encoding/binary"
	"errors"
)

// CameraCommand is camera/{id}/cmd towards our agent: open or close the media link of one camera. The published plugin
// gets PluginCamera instead.
type CameraCommand struct {
	Action  string       `json:"action"`           // open, close
	Camera  string       `json:"camera"`           // id
	Link    string       `json:"link,omitzero"`    // open: names the link in GET /api/device/link?kind=camera&camera=…&link=…
	Options MediaOptions `json:"options,omitzero"` // open
	Source  *CameraInput `json:"source,omitzero"`  // open
}

// CameraInput is the camera as the server has it: the agent looks at this address and at no other.
type CameraInput struct {
	URL      string `json:"url"`
	Rotation int    `json:"rotation,omitzero"` // 0, 90, 180, 270, clockwise; told to viewers, who turn the picture
	FlipH    bool   `json:"flip_h,omitzero"`
	FlipV    bool   `json:"flip_v,omitzero"`
}

// MediaOptions says what is wanted of a stream. They can change while it runs.
type MediaOptions struct {
	MaxKbps  int     `json:"max_kbps,omitzero"`  // of the printer's uplink for this camera; 0: no limit
	MaxFPS   float64 `json:"max_fps,omitzero"`   // 0: as the camera has it; 0.5 for pictures only
	Pictures bool    `json:"pictures,omitzero"`  // single JPEGs are enough: nobody watches live
	Encode   bool    `json:"encode,omitzero"`    // MJPEG is to be encoded to H.264 beside the printer
	Auto     bool    `json:"auto,omitzero"`      // the same, as long as the uplink cannot carry what the camera sends
	KeyFrame bool    `json:"key_frame,omitzero"` // ask the camera for one, if it can; else the next one will do
}

// The media link is one WebSocket a camera. Each binary message, either way, is one frame:
//
//	byte 0      MediaKind
//	byte 1      flags: MediaKeyFrame
//	bytes 2…9   when it was captured: Unix time in µs by the server's clock, big-endian; 0 when it is not known. Of a
//	            stream with B-frames, which come in another order, it is the time of presentation
//	bytes 10…   payload
//
// Device → server: MediaConfig first and whenever it changes, then frames. Server → device: MediaWant.
const MediaHeader = 10

// MediaKind is what a message of the link carries.
type MediaKind byte

// The kinds of message.
const (
	MediaConfig MediaKind = 1 // JSON MediaInfo
	MediaH264   MediaKind = 2 // one access unit, Annex B; SPS and PPS before every IDR picture
	MediaJPEG   MediaKind = 3 // one JPEG
	MediaState  MediaKind = 4 // JSON CameraReport: the stream has trouble, or has none any more
	MediaWant   MediaKind = 5 // JSON MediaOptions
)

// MediaKeyFrame is the flag of an access unit that can be decoded without those before it; a JPEG always has it.
const MediaKeyFrame = 1

// Limits of the media link.
const (
	MaxAccessUnit = 4 << 20 // bytes of one H.264 access unit
	MaxJPEG       = 8 << 20
	MaxMediaJSON  = 4 << 10
)

// MediaInfo says what the frames that follow are.
type MediaInfo struct {
	Kind    string  `json:"kind"`            // mjpeg, jpeg, rtsp, hls, whep, v4l2: where they come from
	Codec   string  `json:"codec"`           // h264 or jpeg: what is sent
	Source  string  `json:"source,omitzero"` // what the camera itself sends: h264, h265, mjpeg
	Width   int     `json:"width,omitzero"`  // pixels
	Height  int     `json:"height,omitzero"`
	FPS     float64 `json:"fps,omitzero"`
	Encoder string  `json:"encoder,omitzero"`  // of ffmpeg, when it encodes: libx264, h264_v4l2m2m, …
	Why     string  `json:"why,omitzero"`      // it encodes: one of EncodeReasons
	Needs   int     `json:"needs,omitzero"`    // kbit/s that the camera's own pictures would take at a useful rate
	BFrames bool    `json:"b_frames,omitzero"` // WebRTC cannot carry them

	Rotation int  `json:"rotation,omitzero"`
	FlipH    bool `json:"flip_h,omitzero"`
	FlipV    bool `json:"flip_v,omitzero"`
}

// Why pictures are encoded beside the printer.
const (
	EncodeAlways = "always" // the owner wants it
	EncodeBudget = "budget" // they would take more than the owner lets this camera have
	EncodeUplink = "uplink" // they would take more than the way to the server was measured to carry
	EncodeCodec  = "codec"  // no browser plays what the camera sends
)

// EncodeReasons are all of them.
var EncodeReasons = []string{EncodeAlways, EncodeBudget, EncodeUplink, EncodeCodec}

// CameraReport is what the agent says of a camera: the code is one of a fixed list, never a text from the network.
type CameraReport struct {
	State string `json:"state"` // opening, running, failed, closed
	Code  string `json:"code,omitzero"`
	Lines string `json:"lines,omitzero"` // ffmpeg's last words, without addresses, ≤ 500 bytes
	Kbps  int    `json:"kbps,omitzero"`  // sent, over the last seconds
	Drops int    `json:"drops,omitzero"` // frames left out because the uplink is too slow
}

// ErrMedia says that a message of the media link is malformed.
var ErrMedia = errors.New("malformed message on the media link")

// AppendMedia appends a message's header to b; the payload follows it. at is Unix time in µs.
func AppendMedia(b []byte, kind MediaKind, flags byte, at uint64) []byte {
	b = append(b, byte(kind), flags)
	return binary.BigEndian.AppendUint64(b, at)
}

// ParseMedia splits a message of the media link. It keeps m and checks sizes by kind. Errors: ErrMedia.
func ParseMedia(m []byte) (kind MediaKind, flags byte, at uint64, payload []byte, err error) {
	if len(m) < MediaHeader {
		return 0, 0, 0, nil, ErrMedia
	}
	kind, flags, at, payload = MediaKind(m[0]), m[1], binary.BigEndian.Uint64(m[2:]), m[MediaHeader:]
	limit := MaxMediaJSON
	switch kind {
	case MediaH264:
		limit = MaxAccessUnit
	case MediaJPEG:
		limit = MaxJPEG
	case MediaConfig, MediaState, MediaWant:
	default:
		return 0, 0, 0, nil, ErrMedia
	}
	if len(payload) == 0 || len(payload) > limit {
		return 0, 0, 0, nil, ErrMedia
	}
	return kind, flags, at, payload, nil
}

// PluginCamera is camera/{id}/cmd towards the published plugin, which has one camera at a time.
type PluginCamera struct {
	Action  string               `json:"action"` // start, stop, restart, state
	Options *PluginCameraOptions `json:"options,omitzero"`
}

// PluginCameraOptions is what the published plugin's ffmpeg is to do. There is no field for its systemd_unit, which
// would have it start a service of the machine.
type PluginCameraOptions struct {
	Input       string `json:"input"` // HTTP only: its ffmpeg is given options that nothing else knows
	Name        string `json:"name"`  // [A-Za-z0-9_-]{1,50}: the path it publishes to
	RTSPBase    string `json:"rtsp_base"`
	WebRTCBase  string `json:"webrtc_base"`
	FPS         int    `json:"fps,omitzero"`
	BitrateKbps int    `json:"bitrateKbps,omitzero"` // 100…20000
	Encoder     string `json:"encoder"`              // v4l2m2m, omx, libx264
	LowLatency  bool   `json:"lowLatency"`
}

// PluginCameraState is camera/{id}/state of the published plugin. It comes only after a command.
type PluginCameraState struct {
	Running   bool   `json:"running"`
	LastError string `json:"last_error"`
}
