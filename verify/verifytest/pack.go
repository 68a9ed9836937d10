package verifytest

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
)

// A pack holds the log files of one day's folder in some 30 bytes each, so
// that a world of 200,000 logs is itself small: the key, the time and the
// content are worked out when they are asked for.
type pack struct {
	folder string // a bucket's key up to the day, with a final "/"
	stem   string // how the file names begin: ACCOUNT_KIND_REGION_
	day    time.Time
	pool   *pool
	logs   []packed // in the byte order of their keys, once sorted
	sorted bool
}

type packed struct {
	slot    uint16 // minute of the day in the name
	id      [16]byte
	sse     uint16 // index in the pool
	content uint32 // likewise
	after   int32  // seconds from the name's time to LastModified
}

// A pool holds the compressed contents of log files, and in which ways they
// are encrypted in S3, the default first.
type pool struct {
	gz  [][]byte
	sse []sse
}

func (p *pool) add(gz []byte) uint32 {
	p.gz = append(p.gz, gz)
	return uint32(len(p.gz) - 1)
}

// way is the index of a way to encrypt.
func (p *pool) way(e sse) uint16 {
	i := slices.Index(p.sse, e)
	if i < 0 {
		i, p.sse = len(p.sse), append(p.sse, e)
	}
	return uint16(i)
}

const logSuffix = ".json.gz"

func (p *pack) sort() {
	if p.sorted {
		return
	}
	slices.SortFunc(p.logs, func(a, b packed) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), bytes.Compare(a.id[:], b.id[:]))
	})
	p.sorted = true
}

func (p *pack) key(l packed) string {
	at := p.day.Add(time.Duration(l.slot) * time.Minute)
	b := make([]byte, 0, len(p.folder)+len(p.stem)+39)
	b = append(append(b, p.folder...), p.stem...)
	b = at.AppendFormat(b, "20060102T1504Z")
	b = append(append(b, '_'), l.id[:]...)
	return string(append(b, logSuffix...))
}

func (p *pack) object(l packed) Object {
	at := p.day.Add(time.Duration(l.slot)*time.Minute + time.Duration(l.after)*time.Second)
	e := p.pool.sse[l.sse]
	return Object{Bytes: p.pool.gz[l.content], Modified: at, SSE: e.SSE, Key: e.Key}
}

// from is the index of the first log whose key is not less than the given one.
func (p *pack) from(key string) int {
	if key <= p.folder {
		return 0
	}
	return sort.Search(len(p.logs), func(i int) bool { return p.key(p.logs[i]) >= key })
}

func (p *pack) find(key string) (Object, bool) {
	i := p.from(key)
	if i == len(p.logs) || p.key(p.logs[i]) != key {
		return Object{}, false
	}
	return p.object(p.logs[i]), true
}

// folderOf is a key up to and including its last "/".
func folderOf(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }
