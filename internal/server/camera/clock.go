package camera

import "time"

// maxDelay is how much older than its arrival a frame may claim to be. A device whose clock is off by more says nothing
// of use.
const maxDelay = 10 * time.Second

// when gives a frame's time of presentation: what the device says, in µs, where that can be, else when it arrived.
// Pictures that a later one is needed for come in another order than they are shown in, so it may go back.
func when(us uint64, received time.Time) time.Time {
	if us == 0 || us >= 1<<62 {
		return received
	}
	if said := time.UnixMicro(int64(us)); said.Before(received.Add(maxDelay/10)) && received.Sub(said) < maxDelay {
		return said
	}
	return received
}

// meter measures a stream over the last seconds.
type meter struct {
	second   time.Time // that is being counted
	frames   int
	bytes    int
	delay    time.Duration // from capture to arrival, smoothed
	fps      float64       // of the last whole spans
	kbps     float64
	measured time.Time
}

const meterSpan = 2 * time.Second

func (m *meter) add(now time.Time, bytes int, at time.Time) {
	if m.second.IsZero() {
		m.second = now
	}
	m.frames++
	m.bytes += bytes
	d := now.Sub(at)
	m.delay += (d - m.delay) / 8
	if span := now.Sub(m.second); span >= meterSpan {
		m.fps = float64(m.frames-1) / span.Seconds()
		m.kbps = float64(m.bytes) * 8 / 1000 / span.Seconds()
		m.second, m.frames, m.bytes, m.measured = now, 1, bytes, now
	}
}

// rate gives frames and kilobits a second; zeros when nothing has come of late.
func (m *meter) rate(now time.Time) (fps, kbps float64) {
	if m.measured.IsZero() || now.Sub(m.measured) > 3*meterSpan+2*pictureEvery {
		return 0, 0
	}
	return m.fps, m.kbps
}
