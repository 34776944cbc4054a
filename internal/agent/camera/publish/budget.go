package publish

import "time"

// budget keeps a mean rate: what is sent makes a debt, which time pays off. The zero value has no limit.
type budget struct {
	bytesPerSecond float64
	free           time.Time // when the debt is paid
}

func (b *budget) limit(kbps int) { b.bytesPerSecond = float64(kbps) * 1000 / 8 }

// wait tells how long nothing may be sent.
func (b *budget) wait(now time.Time) time.Duration {
	if b.bytesPerSecond <= 0 {
		return 0
	}
	return max(b.free.Sub(now), 0)
}

// spend takes note of what is sent. A little that was saved before may be spent at once.
func (b *budget) spend(now time.Time, bytes int) {
	if b.bytesPerSecond <= 0 {
		return
	}
	if saved := now.Add(-saving); b.free.Before(saved) {
		b.free = saved
	}
	b.free = b.free.Add(time.Duration(float64(bytes) / b.bytesPerSecond * float64(time.Second)))
}

const saving = 250 * time.Millisecond

// pace lets through so many frames a second, evenly, and keeps the mean where frames do not come evenly. The zero value
// lets everything through.
type pace struct {
	fps float64
	due time.Time
}

func (p *pace) take(at time.Time) bool {
	if p.fps <= 0 {
		return true
	}
	every := time.Duration(float64(time.Second) / p.fps)
	if at.Before(p.due.Add(-every / 10)) {
		return false
	}
	if p.due = p.due.Add(every); at.Sub(p.due) > every {
		p.due = at.Add(every)
	}
	return true
}
