package verifytest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/flate"
)

// bomb is a gzip member of so many zeros, a whole number of MiB. One MiB is
// deflated and then repeated, because deflating gigabytes takes its time.
func bomb(size int64) []byte {
	made, _ := bombs.LoadOrStore(size, sync.OnceValue(func() []byte { return newBomb(size) }))
	return made.(func() []byte)()
}

var bombs sync.Map // size -> func() []byte

func newBomb(size int64) []byte {
	var piece bytes.Buffer
	zip, err := flate.NewWriter(&piece, flate.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	zeros := make([]byte, 1<<20)
	zip.Write(zeros) // a buffer takes everything
	zip.Flush()      // ends at a byte, so that the next piece can follow
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	sum := uint32(0)
	for range size >> 20 {
		out = append(out, piece.Bytes()...)
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	out = append(out, 3, 0) // a last, empty block
	out = binary.LittleEndian.AppendUint32(out, sum)
	return binary.LittleEndian.AppendUint32(out, uint32(size))
}
