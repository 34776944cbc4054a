package gcode

import "io"

// heatshrink unpacks LZSS as Heatshrink writes it (github.com/atomicobject/heatshrink): bits from the highest down, 1 and
// 8 bits for a byte; 0, window bits and 4 bits for how far back and how long something is that came before.
type heatshrink struct {
	r      io.ByteReader
	window uint // bits: 11 or 12

	past  [1 << 12]byte
	at    int
	bits  uint32
	have  uint
	back  int // what is left of a repetition: how far back
	again int // and how many bytes
}

const lookahead = 4 // bits

func (h *heatshrink) Read(p []byte) (int, error) {
	mask := 1<<h.window - 1
	for n := range p {
		if h.again == 0 {
			literal, err := h.take(1)
			if err != nil {
				return n, err
			}
			if literal == 1 {
				c, err := h.take(8)
				if err != nil {
					return n, err
				}
				p[n] = byte(c)
				h.past[h.at&mask] = byte(c)
				h.at++
				continue
			}
			back, err := h.take(h.window)
			if err != nil {
				return n, err
			}
			length, err := h.take(lookahead)
			if err != nil {
				return n, err
			}
			h.back, h.again = back+1, length+1
		}
		c := h.past[(h.at-h.back)&mask]
		p[n] = c
		h.past[h.at&mask] = c
		h.at++
		h.again--
	}
	return len(p), nil
}

// take gives the next n bits. The last byte is filled up with zeros, so an end within a symbol is the end.
func (h *heatshrink) take(n uint) (int, error) {
	for h.have < n {
		c, err := h.r.ReadByte()
		if err != nil {
			return 0, err
		}
		h.bits = h.bits<<8 | uint32(c)
		h.have += 8
	}
	h.have -= n
	v := h.bits >> h.have & (1<<n - 1)
	return int(v), nil
}
