package kms

import (
	"crypto/cipher"
	"crypto/ecdsa"
	"encoding/binary"
	"hash"
	"io"
	"math"
	"slices"
)

// Labels of the additional data of a message's pieces. Source: the AWS
// Encryption SDK's specification, "Message body AAD".
const (
	labelFrame = "AWSKMSEncryptionClient Frame"
	labelFinal = "AWSKMSEncryptionClient Final Frame"
	labelOne   = "AWSKMSEncryptionClient Single Block"
)

// A message is a body being read, whose header was found to be what the data key
// sealed.
type message struct {
	r        io.Reader
	limit    int64 // bytes of a piece
	id       []byte
	frame    uint32
	sequence uint32 // of the next piece
	aead     cipher.AEAD
	sum      hash.Hash // of what is signed; nil where nothing is
	public   *ecdsa.PublicKey
	buf      []byte          // of a piece
	head     [ivGCM + 8]byte // of a piece
	aad      []byte          // of a piece
	done     bool
}

// open checks the header's tag, which covers everything in it.
func (h *header) open(dataKey []byte, r io.Reader, limit int64) (*message, error) {
	key, err := h.contentKey(dataKey)
	if err != nil {
		return nil, err
	}
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	if _, wrong := aead.Open(nil, h.iv, h.tag, h.covered); wrong != nil {
		return nil, altered("the message header does not fit its tag")
	}
	m := &message{r: r, limit: limit, id: h.id, frame: h.frame, sequence: 1, aead: aead, public: h.public}
	if h.public != nil {
		m.sum = h.suite.sign()
		m.sum.Write(h.raw)
	}
	return m, nil
}

// next decrypts the next piece, which is good until next is called again, and
// checks with the last one that the message ends well. After that its error is
// io.EOF.
func (m *message) next() ([]byte, error) {
	if m.done {
		return nil, io.EOF
	}
	label, length, iv, err := m.pieceHead()
	if err != nil {
		return nil, err
	}
	if length > uint64(m.limit) {
		return nil, tooLarge(m.limit)
	}
	sealed, err := m.piece(int(length) + tagLength)
	if err != nil {
		return nil, err
	}
	m.aad = append(append(m.aad[:0], m.id...), label...)
	m.aad = binary.BigEndian.AppendUint32(m.aad, m.sequence)
	m.aad = binary.BigEndian.AppendUint64(m.aad, length)
	content, wrong := m.aead.Open(sealed[:0], iv, sealed, m.aad)
	if wrong != nil {
		return nil, altered("piece %d of the message does not fit its tag", m.sequence)
	}
	m.sequence++
	if m.done = label != labelFrame; m.done {
		if err := m.finish(); err != nil {
			return nil, err
		}
	}
	return content, nil
}

// pieceHead reads what comes before a piece's ciphertext: the sequence number of
// a frame, the IV, and the length where it may be any.
func (m *message) pieceHead() (label string, length uint64, iv []byte, err error) {
	const final = math.MaxUint32
	b := m.head[:]
	if m.frame == 0 {
		err = m.take(b)
		return labelOne, binary.BigEndian.Uint64(b[ivGCM:]), b[:ivGCM], err
	}
	label, length = labelFrame, uint64(m.frame)
	if err = m.take(b[:4]); err == nil && binary.BigEndian.Uint32(b) == final {
		label, err = labelFinal, m.take(b[:4])
	}
	if err != nil {
		return "", 0, nil, err
	}
	if got := binary.BigEndian.Uint32(b); got != m.sequence {
		return "", 0, nil, altered("piece %d of the message where piece %d belongs", got, m.sequence)
	}
	if err = m.take(b[:ivGCM]); err == nil && label == labelFinal {
		err = m.take(b[ivGCM : ivGCM+4])
		length = uint64(binary.BigEndian.Uint32(b[ivGCM:]))
	}
	if err == nil && length > uint64(m.frame) {
		err = altered("the last frame has %d bytes, more than the others", length)
	}
	return label, length, b[:ivGCM], err
}

// piece reads n bytes. A length is hostile: memory grows with what comes.
func (m *message) piece(n int) ([]byte, error) {
	const step = 1 << 20
	b := m.buf[:0]
	for at := 0; at < n; at = len(b) {
		more := min(n-at, max(step, at))
		b = slices.Grow(b, more)[:at+more]
		if err := m.take(b[at:]); err != nil {
			return nil, err
		}
	}
	m.buf = b
	return b, nil
}

// take fills b with what comes next and is signed.
func (m *message) take(b []byte) error {
	if err := m.fill(b); err != nil {
		return err
	}
	if m.sum != nil {
		m.sum.Write(b)
	}
	return nil
}

func (m *message) fill(b []byte) error {
	_, err := readFull(m.r, b)
	if err == io.EOF {
		return malformed("the message ends inside piece %d", m.sequence)
	}
	return err
}

// finish checks the signature, and that nothing follows the message.
func (m *message) finish() error {
	if m.sum != nil {
		var length [2]byte
		if err := m.fill(length[:]); err != nil {
			return err
		}
		signature := make([]byte, binary.BigEndian.Uint16(length[:]))
		if err := m.fill(signature); err != nil {
			return err
		}
		if !ecdsa.VerifyASN1(m.public, m.sum.Sum(nil), signature) {
			return altered("the message's signature does not hold")
		}
	}
	end, err := ended(m.r)
	if err == nil && !end {
		err = malformed("bytes follow the message")
	}
	return err
}
