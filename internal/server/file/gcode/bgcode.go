package gcode

import (
	"bufio"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
)

// Binary G-code by github.com/prusa3d/libbgcode, doc/specifications.md, version 1: a header, then blocks of a header,
// parameters, data and a checksum. All numbers are little-endian.

// blockType is what a block holds.
type blockType uint16

const (
	fileMetadata    blockType = 0
	codeBlock       blockType = 1
	slicerMetadata  blockType = 2
	printerMetadata blockType = 3
	printMetadata   blockType = 4
	thumbnailBlock  blockType = 5
)

// What a binary file may have. libbgcode's code blocks hold 64 KB; deflate can pack a thousand bytes into one, G-code
// seldom comes to ten.
const (
	maxMetadata      = 4 << 20  // bytes of a block, unpacked
	maxMetadataCount = 16       // blocks
	MaxText          = 8 << 30  // bytes that a file may unpack to
	maxRatio         = 200      // unpacked to packed
	freeText         = 16 << 20 // bytes that may be unpacked before the ratio counts
)

// block is one block's header, with its data about to be read.
type block struct {
	kind         blockType
	compression  uint16
	unpackedSize uint32
	packedSize   uint32
	parameters   []byte
	data         *bufio.Reader // packed
}

// blockReader walks through a binary file. Nothing is allocated by a size that the file claims.
type blockReader struct {
	r    *bufio.Reader
	in   int64 // bytes read
	out  int64 // bytes unpacked
	crc  hash.Hash32
	sums bool

	body   *io.LimitedReader
	failed error // of reading
}

func newBlockReader(r io.Reader) (*blockReader, error) {
	b := &blockReader{r: bufio.NewReaderSize(r, 64<<10)}
	var head [10]byte
	if err := b.full(head[:]); err != nil {
		return nil, err
	}
	if string(head[:4]) != binaryMagic {
		return nil, refuse(NotGCode, "this is no binary G-code")
	}
	if version := binary.LittleEndian.Uint32(head[4:]); version != 1 {
		return nil, refuse(Unsupported, "binary G-code of version %d is not known: save plain G-code in the slicer", version)
	}
	switch sum := binary.LittleEndian.Uint16(head[8:]); sum {
	case 0:
	case 1:
		b.sums, b.crc = true, crc32.NewIEEE()
	default:
		return nil, refuse(Unsupported, "binary G-code with checksum %d is not known: save plain G-code in the slicer", sum)
	}
	return b, nil
}

// full fills p; a file that ends before is cut off.
func (b *blockReader) full(p []byte) error {
	n, err := io.ReadFull(b.r, p)
	b.in += int64(n)
	if b.sums {
		b.crc.Write(p[:n])
	}
	return early(err)
}

func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(CutOff, "the file ends within a block: it was cut off while it was saved or copied: slice or copy it again")
	}
	return err
}

// next reads a block's header; io.EOF after the last block.
func (b *blockReader) next() (*block, error) {
	if _, err := b.r.Peek(1); err == io.EOF {
		return nil, io.EOF
	}
	if b.sums {
		b.crc.Reset()
	}
	var head [12]byte
	if err := b.full(head[:8]); err != nil {
		return nil, err
	}
	k := &block{
		kind:         blockType(binary.LittleEndian.Uint16(head[0:])),
		compression:  binary.LittleEndian.Uint16(head[2:]),
		unpackedSize: binary.LittleEndian.Uint32(head[4:]),
	}
	if k.kind > thumbnailBlock || k.compression > 3 {
		return nil, refuse(Damaged, "a block of an unknown kind (%d, compression %d): slice or copy the file again", k.kind, k.compression)
	}
	k.packedSize = k.unpackedSize
	if k.compression != 0 {
		if err := b.full(head[8:]); err != nil {
			return nil, err
		}
		k.packedSize = binary.LittleEndian.Uint32(head[8:])
	}
	parameters := 2
	if k.kind == thumbnailBlock {
		parameters = 6
	}
	k.parameters = make([]byte, parameters)
	if err := b.full(k.parameters); err != nil {
		return nil, err
	}
	b.body = &io.LimitedReader{R: bodyReader{b}, N: int64(k.packedSize)}
	k.data = bufio.NewReaderSize(b.body, 16<<10)
	return k, nil
}

// bodyReader reads a block's data with its checksum.
type bodyReader struct{ b *blockReader }

func (r bodyReader) Read(p []byte) (int, error) {
	n, err := r.b.r.Read(p)
	r.b.in += int64(n)
	if r.b.sums {
		r.b.crc.Write(p[:n])
	}
	if err != nil && err != io.EOF {
		r.b.failed = err
	}
	return n, err
}

// unpack writes a block's data to w and checks its size and checksum.
func (b *blockReader) unpack(ctx context.Context, k *block, w io.Writer) error {
	var from io.Reader = k.data
	switch k.compression {
	case 1:
		z, err := zlib.NewReader(k.data)
		if err != nil {
			return b.unpackError(err)
		}
		from = z
	case 2:
		from = &heatshrink{r: k.data, window: 11}
	case 3:
		from = &heatshrink{r: k.data, window: 12}
	}
	left := int64(k.unpackedSize)
	buffer := make([]byte, 32<<10)
	for left > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := from.Read(buffer[:min(left, int64(len(buffer)))])
		left -= int64(n)
		b.out += int64(n)
		if b.out > MaxText || b.out > freeText+maxRatio*b.in {
			return refuse(Hostile, "the file unpacks to far more than any print has")
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		if err != nil && left > 0 {
			return b.unpackError(err)
		}
	}
	return b.end(k)
}

// unpackError tells a file that is cut off and one that is wrong from one that cannot be read.
func (b *blockReader) unpackError(err error) error {
	switch {
	case b.failed != nil:
		return b.failed
	case b.body.N > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return early(err)
	}
	return refuse(Damaged, "a block cannot be unpacked: slice or copy the file again")
}

// end reads what is left of a block and its checksum.
func (b *blockReader) end(k *block) error {
	if _, err := io.Copy(io.Discard, k.data); err != nil {
		return err
	}
	if b.body.N > 0 {
		return early(io.EOF)
	}
	if !b.sums {
		return nil
	}
	want := b.crc.Sum32()
	var sum [4]byte
	if err := b.full(sum[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(sum[:]) != want {
		return refuse(Damaged, "a block's checksum is wrong: slice or copy the file again")
	}
	return nil
}
