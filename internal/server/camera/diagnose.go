package camera

import (
	"context"
	"time"

	"github.com/kangbyounggwan/factor/internal/wire"
)

// diagnosisWait is how long a diagnosis waits for a camera to say how it is.
const diagnosisWait = 10 * time.Second

// Diagnosis is how a camera is, in the asker's language.
type Diagnosis struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	State    string  `json:"state" enum:"idle,opening,running,failed,offline" doc:"idle: nobody looks, so nothing is known"`
	Kind     string  `json:"kind,omitempty" doc:"Where the stream comes from: mjpeg, jpeg, rtsp, rtmp, hls, whep, v4l2, or plugin for the published one"`
	Codec    string  `json:"codec,omitempty" doc:"What the device sends: h264 or jpeg"`
	Source   string  `json:"source,omitempty" doc:"What the camera itself sends"`
	Encoder  string  `json:"encoder,omitempty" doc:"Of ffmpeg beside the printer, when it encodes"`
	Encoded  string  `json:"encoded,omitempty" enum:"always,budget,uplink,codec" doc:"Why it encodes: its owner wants it always; the camera's own pictures would take more than max_kbps, or more than the printer's uplink carries; or no browser plays what the camera sends"`
	Needs    int     `json:"needs_kbps,omitempty" doc:"What the camera's own pictures would take, at five a second or as many as it has"`
	MaxKbps  int     `json:"max_kbps,omitempty" doc:"What the camera may take of the printer's uplink now"`
	Width    int     `json:"width,omitempty" doc:"pixels"`
	Height   int     `json:"height,omitempty"`
	FPS      float64 `json:"fps,omitempty" doc:"Pictures a second, measured over the last seconds"`
	Kbps     int     `json:"kbps,omitempty" doc:"From the device, over the last seconds"`
	DelayMS  int     `json:"delay_ms,omitempty" doc:"From the camera to the server; none where the device's clock says nothing"`
	Drops    int     `json:"drops,omitempty" doc:"Frames that the device left out because its uplink is too slow"`
	Rotation int     `json:"rotation,omitempty" doc:"Degrees clockwise by which the page turns the picture"`
	FlipH    bool    `json:"flip_h,omitempty"`
	FlipV    bool    `json:"flip_v,omitempty"`
	Viewers  int     `json:"viewers" doc:"Who look now"`
	Now      int64   `json:"now" doc:"The server's clock, Unix ms: what X-Timestamp of a picture is compared with"`

	Rungs []RungState  `json:"rungs" doc:"The ways to show it, best first"`
	ICE   []ICEServer  `json:"ice_servers,omitempty" doc:"Relays for WebRTC, with a login for you; for RTCPeerConnection"`
	Error *CameraError `json:"error,omitempty" doc:"What is wrong, and what to do"`
}

// RungState tells whether a stream can go out one way.
type RungState struct {
	Rung     Rung         `json:"rung" enum:"whep,hls,mjpeg,picture"`
	Possible bool         `json:"possible" doc:"As far as is known: true until the stream runs"`
	Error    *CameraError `json:"error,omitempty" doc:"Why not"`
}

// CameraError is one thing that is wrong with a camera.
type CameraError struct {
	Code    string `json:"code" doc:"Stable name"`
	Message string `json:"message" doc:"What is wrong, in your language"`
	Cure    string `json:"cure" doc:"What to do, in your language"`
	Lines   string `json:"lines,omitempty" doc:"ffmpeg's last words"`
}

func (t Trouble) shown(language, lines string) *CameraError {
	w := t.in(language)
	e := &CameraError{Code: string(t), Message: w.message, Cure: w.cure}
	if t == Trouble(wire.CameraFFmpegDied) {
		e.Lines = lines
	}
	return e
}

func (s *Service) apiDiagnose(ctx context.Context, in *struct {
	Path
	Language
	Wait bool `query:"wait" default:"true" doc:"Open the camera and wait until it says how it is, some seconds at most; false: only what is known"`
}) (*struct{ Body Diagnosis }, error) {
	p, err := s.place(ctx, in.UUID, in.Camera, RungPicture, "")
	if err != nil {
		return nil, err
	}
	if in.Wait {
		if err := s.lookAt(ctx, p); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	d := s.diagnose(p, in.Language.of(p.actor), now)
	d.Now = now.UnixMilli()
	return &struct{ Body Diagnosis }{d}, nil
}

// lookAt opens a camera and waits until it says how it is.
func (s *Service) lookAt(ctx context.Context, p place) error {
	st, err := s.stream(p)
	if err != nil {
		return err
	}
	if st.touch() != nil {
		return nil // it has just ended; what is known of it says so
	}
	err = st.until(ctx, diagnosisWait, func() bool { return !st.lastFrame.IsZero() && (st.picture != nil || len(st.kept) > 0) })
	if t, ok := err.(troubleError); ok { // of a stream that says nothing itself, what is most likely
		st.mu.Lock()
		if st.failing() == "" && !st.over {
			st.fail(t.trouble)
		}
		st.mu.Unlock()
		return nil
	}
	if err == errCameraGone {
		return nil
	}
	return err
}

func (s *Service) diagnose(p place, language string, now time.Time) Diagnosis {
	c := &p.camera
	d := Diagnosis{ID: c.ID, Name: c.Name, State: "idle", Rotation: c.Rotation, FlipH: c.FlipH, FlipV: c.FlipV}
	device := s.Printers.Device(p.uuid)
	st := s.find(p.key())
	var info wire.MediaInfo
	var trouble Trouble
	lines, bFrames, known := "", false, false
	if st != nil {
		st.mu.Lock()
		info, trouble, lines = st.info, st.failing(), st.report.Lines
		if trouble == "" && st.report.Code != "" {
			trouble = Trouble(st.report.Code) // it runs, but not well
		}
		bFrames, known = st.params.bFrames || info.BFrames, !st.lastFrame.IsZero()
		d.MaxKbps = st.kbps()
		d.Viewers, d.Drops = len(st.viewers), st.report.Drops
		d.Width, d.Height = st.params.width, st.params.height
		var kbps float64
		d.FPS, kbps = st.meter.rate(now)
		d.Kbps = int(kbps)
		if known && now.Sub(st.lastFrame) < silence {
			d.DelayMS = int(st.meter.delay.Milliseconds())
		}
		switch {
		case st.failing() != "":
			d.State = "failed"
		case known:
			d.State = "running"
		case !st.over:
			d.State = "opening"
		}
		st.mu.Unlock()
	}
	if !device.Online {
		d.State, trouble = "offline", TroubleOffline
	}
	d.Kind, d.Codec, d.Source, d.Encoder = info.Kind, info.Codec, info.Source, info.Encoder
	d.Encoded, d.Needs = info.Why, info.Needs
	if d.Width == 0 {
		d.Width, d.Height = info.Width, info.Height
	}
	if d.FPS == 0 && known {
		d.FPS = info.FPS
	}
	d.FPS = float64(int(d.FPS*10+0.5)) / 10
	d.Rungs = s.rungStates(c, info.Codec, bFrames, known, language)
	d.ICE = s.iceServers(p, now)
	if trouble == "" {
		if code := s.reported.get(p, now); code != "" {
			trouble = Trouble(code)
		}
	}
	if trouble != "" {
		d.Error = trouble.shown(language, lines)
	}
	return d
}

// rungStates tells which ways a stream can go out. What is not known yet counts as possible: the page tries.
func (s *Service) rungStates(c *Camera, codec string, bFrames, known bool, language string) []RungState {
	list := make([]RungState, len(rungs))
	for i, r := range rungs {
		t := Trouble("")
		switch {
		case r == RungWHEP && !s.webrtc.on(s):
			t = troubleWebRTCOff
		case !known:
		case r == RungWHEP && codec == "h264" && bFrames:
			t = TroubleBFrames
		case r.video() && codec == "jpeg" && c.Encode != EncodeAlways:
			t = TroubleNoVideo
		case !r.video() && codec == "h264" && s.ffmpegPath() == "":
			t = TroubleNoPicture
		}
		list[i] = RungState{Rung: r, Possible: t == ""}
		if t != "" {
			list[i].Error = t.shown(language, "")
		}
	}
	return list
}

// rungNames gives the rungs that the stream can have now.
func (st *stream) rungNames() []string {
	st.mu.Lock()
	codec, b, c := st.info.Codec, st.params.bFrames || st.info.BFrames, st.camera
	st.mu.Unlock()
	var names []string
	for _, r := range st.s.rungStates(&c, codec, b, true, "en") {
		if r.Possible {
			names = append(names, string(r.Rung))
		}
	}
	return names
}
