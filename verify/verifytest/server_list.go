package verifytest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A listing is one page of ListObjects, either version.
type listing struct {
	bucket, prefix, delimiter string
	from                      string // the first key that may be on the page
	max                       int

	keys      []string
	objects   []Object
	prefixes  []string
	last      string // the last key or common prefix on the page
	truncated bool
}

func (s *Server) serveList(rw http.ResponseWriter, r *request, broken bool) {
	q := r.URL.Query()
	l := &listing{bucket: r.bucket, prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), max: s.opts.PageSize}
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil {
		l.max = min(l.max, n)
	}
	after, ok := startOf(q)
	if !ok {
		s3Error(rw, r, http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
		return
	}
	l.from = l.prefix
	if after != "" {
		l.from = max(l.prefix, l.next(after, q.Get("start-after") == after))
	}
	l.fill(s.w)
	encode := escape
	if q.Get("encoding-type") == "url" {
		encode = escapeURL
	}
	writeXML(rw, l.xml(q, r.page, encode), broken)
}

// startOf is where the page begins: after this key or common prefix.
func startOf(q url.Values) (string, bool) {
	token := q.Get("continuation-token")
	switch {
	case q.Get("list-type") != "2":
		return q.Get("marker"), true
	case token == "":
		return q.Get("start-after"), true
	}
	_, after, ok := readToken(token)
	return after, ok
}

// A token says which page comes next and where it begins.
func makeToken(page int, after string) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d:%s", page, after))
}

func readToken(token string) (page int, after string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(token)
	number, after, found := strings.Cut(string(raw), ":")
	page, errN := strconv.Atoi(number)
	return page, after, err == nil && errN == nil && found
}

// pageOf is the number of the page asked for, as far as the request tells.
func pageOf(q url.Values) int {
	if page, _, ok := readToken(q.Get("continuation-token")); ok {
		return page
	}
	if q.Get("marker") != "" {
		return 2
	}
	return 1
}

// next is the least key after what was last listed. What lies below a common
// prefix was listed with it; below a start-after that looks like one, not.
func (l *listing) next(after string, plain bool) string {
	if !plain && l.delimiter != "" && strings.HasSuffix(after, l.delimiter) && len(after) > len(l.prefix) {
		return pastPrefix(after)
	}
	return after + "\x00"
}

// pastPrefix is the least key after all that begin with a prefix that does not
// end in the byte 255.
func pastPrefix(prefix string) string {
	n := len(prefix) - 1
	return prefix[:n] + string([]byte{prefix[n] + 1})
}

func (l *listing) fill(w *World) {
	for again := true; again; {
		again = false
		for key, o := range w.Scan(l.bucket, l.from) {
			if !strings.HasPrefix(key, l.prefix) {
				return
			}
			if len(l.keys)+len(l.prefixes) >= l.max {
				l.truncated = l.max > 0
				return
			}
			if common, ok := l.common(key); ok {
				l.prefixes, l.last = append(l.prefixes, common), common
				l.from, again = pastPrefix(common), true
				break
			}
			l.keys, l.objects, l.last = append(l.keys, key), append(l.objects, o), key
		}
	}
}

// common is the common prefix that stands for a key.
func (l *listing) common(key string) (string, bool) {
	if l.delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(l.prefix):], l.delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(l.prefix)+i+len(l.delimiter)], true
}

func (l *listing) xml(q url.Values, page int, encode func(string) string) string {
	var b strings.Builder
	element := func(name, text string) { b.WriteString("<" + name + ">" + text + "</" + name + ">") }
	b.WriteString(`<ListBucketResult xmlns="` + s3Namespace + `">`)
	element("Name", l.bucket)
	element("Prefix", encode(l.prefix))
	if l.delimiter != "" {
		element("Delimiter", encode(l.delimiter))
	}
	element("MaxKeys", strconv.Itoa(l.max))
	if encoding := q.Get("encoding-type"); encoding != "" {
		element("EncodingType", encoding)
	}
	element("IsTruncated", strconv.FormatBool(l.truncated))
	l.position(element, q, page, encode)
	for i, key := range l.keys {
		o := l.objects[i]
		b.WriteString("<Contents>")
		element("Key", encode(key))
		element("LastModified", o.Modified.UTC().Format("2006-01-02T15:04:05.000Z"))
		element("ETag", escape(etag(o)))
		element("Size", strconv.Itoa(len(o.Bytes)))
		element("StorageClass", cmp.Or(o.StorageClass, "STANDARD"))
		b.WriteString("</Contents>")
	}
	for _, prefix := range l.prefixes {
		b.WriteString("<CommonPrefixes>")
		element("Prefix", encode(prefix))
		b.WriteString("</CommonPrefixes>")
	}
	b.WriteString("</ListBucketResult>")
	return b.String()
}

// position writes where the page stands among the others.
func (l *listing) position(element func(name, text string), q url.Values, page int, encode func(string) string) {
	if q.Get("list-type") != "2" {
		element("Marker", encode(q.Get("marker")))
		// Without a delimiter S3 leaves it to the caller to take the last key.
		if l.truncated && l.delimiter != "" {
			element("NextMarker", encode(l.last))
		}
		return
	}
	element("KeyCount", strconv.Itoa(len(l.keys)+len(l.prefixes)))
	if after := q.Get("start-after"); after != "" {
		element("StartAfter", encode(after))
	}
	if token := q.Get("continuation-token"); token != "" {
		element("ContinuationToken", token)
	}
	if l.truncated {
		element("NextContinuationToken", makeToken(page+1, l.last))
	}
}
