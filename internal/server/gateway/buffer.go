package gateway

import "sync"

// buffer is a piece of memory that a connection borrows while bytes wait in it. Between messages it has none: that
// is most of what keeps an idle connection small.
type buffer struct {
	b     []byte
	class int
}

// Sizes of buffers. The first holds the usual 2 KB snapshot, the last any packet that is kept at all.
var bufferSizes = [...]int{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, maxPacket + 5}

var bufferPools [len(bufferSizes)]sync.Pool

func borrow(class int) *buffer {
	if b, ok := bufferPools[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{b: make([]byte, bufferSizes[class]), class: class}
}

func (b *buffer) giveBack() { bufferPools[b.class].Put(b) }
