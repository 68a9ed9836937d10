package bundle

import (
	"bytes"
	"encoding/binary"
)

// Logs are gzip, which zstd cannot make smaller: trying takes longer than hashing
// them. Their bytes go into frames of raw blocks (RFC 8878, 3.1.1.2.2).
const rawBlock = 128 << 10 // a block's most bytes

// isPacked reports whether bytes are compressed already.
func isPacked(p []byte) bool { return bytes.HasPrefix(p, []byte{0x1f, 0x8b, 8}) }

// appendRaw appends a frame that holds p as it is.
func appendRaw(dst, p []byte) []byte {
	dst = append(dst, 0x28, 0xb5, 0x2f, 0xfd, 0b10_1_00000) // a size of 4 bytes, in one segment
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(p)))
	for {
		n := min(len(p), rawBlock)
		head := uint32(n) << 3
		if n == len(p) {
			head |= 1 // the last
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, p[:n]...)
		if p = p[n:]; len(p) == 0 {
			return dst
		}
	}
}
