package file

import (
	"io"
	"net/http"
	"time"
)

// patientBody reads a request's body as long as something comes, beyond the web server's own deadline.
type patientBody struct {
	body    io.Reader
	control *http.ResponseController
	due     time.Time
}

func (p *patientBody) Read(b []byte) (int, error) {
	if now := time.Now(); p.due.Sub(now) < sendPatience/2 {
		p.due = now.Add(sendPatience)
		_ = p.control.SetReadDeadline(p.due)
		_ = p.control.SetWriteDeadline(p.due.Add(sendPatience)) // for the answer
	}
	n, err := p.body.Read(b)
	if err != nil {
		err = io.EOF // however it ended: what came, counts
	}
	return n, err
}

// tellEvery is how often progress is told at most.
const tellEvery = 500 * time.Millisecond

// progress tells how far a body has come.
type progress struct {
	patientBody
	from int64
	last time.Time
	told func(n int64) error // its error ends the body
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.patientBody.Read(b)
	p.from += int64(n)
	if now := time.Now(); now.Sub(p.last) >= tellEvery {
		p.last = now
		if told := p.told(p.from); told != nil {
			return n, told
		}
	}
	return n, err
}
