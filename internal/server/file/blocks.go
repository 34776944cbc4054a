package file

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/kangbyounggwan/factor/internal/server/problem"
)

// Binary G-code, as https://github.com/prusa3d/libbgcode/blob/main/doc/specifications.md has it: a header of 10 bytes,
// then blocks, each with its own header, parameters by its type, data and, where the file says so, a CRC32.
const (
	bgcodeMagic  = "GCDE"
	fileHeader   = 10
	blockHeader  = 8 // and 4 more where it is compressed
	maxBlock     = 64 << 20
	maxBlocks    = 1 << 20
	maxUnpacked  = 8 << 30
	lastBlock    = 5 // the types are 0…5: metadata of file, G-code; slicer's, printer's, print's, thumbnail
	gcodeBlock   = 1
	thumbBlock   = 5
	maxThumbnail = 16 << 20
)

var errBlocks = problem.Field(codeNotGcode, "file", "This is no binary G-code that FACTOR knows: its blocks are damaged.")

// checkBlocks walks over the blocks of binary G-code without unpacking any. Errors: problems not_gcode, cut_off.
func checkBlocks(r io.ReaderAt, size int64) error {
	var h [blockHeader + 4]byte
	if size < fileHeader {
		return cutOff("it has not even a header.")
	}
	if _, err := r.ReadAt(h[:fileHeader], 0); err != nil && err != io.EOF {
		return fmt.Errorf("read a file: %w", err)
	}
	checksum := int64(0)
	switch version, kind := binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint16(h[8:]); {
	case version != 1 || kind > 1:
		return errBlocks
	case kind == 1:
		checksum = 4
	}
	at, unpacked, gcode := int64(fileHeader), int64(0), false
	for n := 0; at < size; n++ {
		if size-at < blockHeader {
			return cutOff("its last block is not whole.")
		}
		if got, err := r.ReadAt(h[:], at); err != nil && (err != io.EOF || got < blockHeader) {
			return fmt.Errorf("read a file: %w", err)
		}
		kind, packing := binary.LittleEndian.Uint16(h[0:]), binary.LittleEndian.Uint16(h[2:])
		plain := int64(binary.LittleEndian.Uint32(h[4:]))
		length, header := plain, int64(blockHeader)
		if packing != 0 {
			length, header = int64(binary.LittleEndian.Uint32(h[8:])), blockHeader+4
		}
		parameters := int64(2)
		if kind == thumbBlock {
			parameters = 6
		}
		unpacked += plain
		if kind > lastBlock || packing > 3 || n > maxBlocks || plain > maxBlock || length > maxBlock ||
			unpacked > maxUnpacked || (kind == thumbBlock && plain > maxThumbnail) {
			return errBlocks
		}
		gcode = gcode || kind == gcodeBlock
		at += header + parameters + length + checksum
	}
	switch {
	case at != size:
		return cutOff("its last block is not whole.")
	case !gcode:
		return errNoLine
	}
	return nil
}
