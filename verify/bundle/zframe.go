package bundle

import (
	"bytes"
	"encoding/binary"
)

// Logs are gzip, which zstd cannot make smaller: trying takes longer than hashing
// them. Their entries go into frames of raw blocks and of such that repeat one byte
// (RFC 8878, 3.1.1.2.2), which the zeros of a tar header are.
const mostBlock = 128 << 10 // a block's most bytes

// The kinds of a block.
const (
	rawBlock = 0
	rleBlock = 1
)

// isPacked reports whether bytes are compressed already.
func isPacked(p []byte) bool { return bytes.HasPrefix(p, []byte{0x1f, 0x8b, 8}) }

// appendFrame appends a frame of an entry: a header of so many bytes, and size bytes
// with their padding.
func appendFrame(dst, entry []byte, header int, size int64) []byte {
	dst = append(dst, 0x28, 0xb5, 0x2f, 0xfd, 0b10_1_00000) // a size of 4 bytes, in one segment
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(entry)))
	dst = appendSparse(dst, entry[:header])
	end := header + int(size)
	for p := entry[header:end]; len(p) > 0; {
		n := min(len(p), mostBlock)
		dst = append(appendBlock(dst, rawBlock, n), p[:n]...)
		p = p[n:]
	}
	dst = appendSparse(dst, entry[end:])
	return append(dst, 1, 0, 0) // the last block is empty
}

// appendSparse appends the blocks of what is full of zeros.
func appendSparse(dst, p []byte) []byte {
	for len(p) > 0 {
		text := bytes.Index(p, manyZeros)
		if text < 0 {
			text = len(p)
		}
		if text > 0 {
			dst = append(appendBlock(dst, rawBlock, text), p[:text]...)
		}
		p = p[text:]
		zeros := 0
		for zeros+8 <= len(p) && binary.LittleEndian.Uint64(p[zeros:]) == 0 {
			zeros += 8
		}
		for zeros < len(p) && p[zeros] == 0 {
			zeros++
		}
		if zeros > 0 {
			dst = append(appendBlock(dst, rleBlock, zeros), 0)
		}
		p = p[zeros:]
	}
	return dst
}

// manyZeros are worth a block of their own.
var manyZeros = make([]byte, 16)

// appendBlock appends a block's header.
func appendBlock(dst []byte, kind, n int) []byte {
	head := uint32(n)<<3 | uint32(kind)<<1
	return append(dst, byte(head), byte(head>>8), byte(head>>16))
}
