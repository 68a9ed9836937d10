package source

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

// pageOf is what both readers make of a document; plain: the quick one did.
func pageOf(doc string) (quick, slow page, plain bool, err error) {
	plain = readTags(&plainXML{doc: []byte(doc)}, &quick) == nil
	err = readTags(newAnyXML([]byte(doc)), &slow)
	return quick, slow, plain, err
}

const aPage = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>p/</Prefix><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>
  <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>1&#43;/=&amp;x</NextContinuationToken>
  <Contents><Key>p/a%20b</Key><LastModified>2026-03-10T01:02:03.456Z</LastModified><ETag>&quot;0123&quot;</ETag><Size>17</Size>
    <Owner><ID>x</ID><Key>not/this</Key></Owner><StorageClass>STANDARD</StorageClass></Contents>
  <Contents><Key>p/c</Key><LastModified>2026-03-10T01:02:03Z</LastModified><Size>0</Size></Contents>
  <CommonPrefixes><Prefix>p/d/</Prefix></CommonPrefixes>
</ListBucketResult>
`

func TestPage(t *testing.T) {
	want := page{known: true, escaped: true, truncated: true, next: "1+/=&x", prefixes: [][]byte{[]byte("p/d/")}, objects: []listed{
		{[]byte("p/a%20b"), 17, time.Date(2026, 3, 10, 1, 2, 3, 456e6, time.UTC)}, {[]byte("p/c"), 0, time.Date(2026, 3, 10, 1, 2, 3, 0, time.UTC)},
	}}
	plainly := strings.Replace(aPage, "&#43;", "+", 1)
	for name, doc := range map[string]string{
		"plain": plainly, "entity": aPage, "comment": strings.Replace(aPage, "<Size>", "<!-- of it --><Size>", 1),
		"section": strings.Replace(aPage, "p/c<", "<![CDATA[p/c]]><", 1), "one line": strings.ReplaceAll(plainly, "\n", ""),
		"prefix":          strings.NewReplacer("<Size>", "<x:Size>", "</Size>", "</x:Size>", "xmlns=", "xmlns:x=").Replace(aPage),
		"no zone":         strings.Replace(aPage, "T01:02:03Z", "T01:02:03", 1),
		"mark":            "\ufeff" + aPage,
		"comment after":   aPage + "<!-- that is all -->",
		"text in another": strings.Replace(aPage, "<Owner>", "<Owner>of it", 1),
		"1":               strings.Replace(aPage, ">true<", ">1<", 1),
		"offset":          strings.Replace(aPage, "T01:02:03Z", "T03:02:03+02:00", 1),
	} {
		var got page
		if err := readPage([]byte(doc), &got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range got.objects {
			got.objects[i].modified = got.objects[i].modified.UTC()
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, _, plain, err := pageOf(plainly); !plain || err != nil {
		t.Errorf("S3's own form is not plain: %v", err)
	}
}

// What is no page, or none that can be relied on, is an error.
func TestNoPage(t *testing.T) {
	for name, doc := range map[string]string{
		"nothing": "", "text": "hello", "html": "<html><body>x</body></html>", "cut": aPage[:len(aPage)-30], "two": aPage + aPage,
		"tail": aPage + "x", "size": strings.Replace(aPage, ">17<", ">many<", 1), "time": strings.Replace(aPage, "03-10", "13-10", 1),
		"truncated": strings.Replace(aPage, ">true<", ">maybe<", 1), "nested": strings.Replace(aPage, ">17<", ">17<Key>q</Key><", 1),
		"crossed": strings.Replace(aPage, "17</Size>", "17</Key>", 1), "deep": strings.Replace(aPage, "<Owner>", strings.Repeat("<x>", 50_000), 1),
	} {
		var p page
		if err := readPage([]byte(doc), &p); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Where the quick reader says something, encoding/xml says the same.
func FuzzPage(f *testing.F) {
	for _, doc := range []string{aPage, strings.ReplaceAll(aPage, "&#43;", "+"), "<a>", "<ListBucketResult/>", "<ListBucketResult></ListBucketResult>",
		"<ListBucketResult><Contents><Key>\r\n]]&gt;</Key></Contents></ListBucketResult>", "<?xml ?><ListBucketResult><Name/></ListBucketResult>",
		`<?xml version="2.0"?><ListBucketResult></ListBucketResult>`, `<ListBucketResult xmlns="a<b"></ListBucketResult>`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		quick, slow, plain, err := pageOf(string(doc))
		switch {
		case !plain:
		case err != nil:
			t.Fatalf("encoding/xml: %v", err)
		case !samePage(quick, slow):
			t.Fatalf("%+v\nencoding/xml: %+v", quick, slow)
		}
	})
}

func samePage(a, b page) bool {
	if a.known != b.known || a.escaped != b.escaped || a.truncated != b.truncated || a.next != b.next || len(a.objects) != len(b.objects) || len(a.prefixes) != len(b.prefixes) {
		return false
	}
	for i, o := range a.objects {
		if p := b.objects[i]; !bytes.Equal(o.key, p.key) || o.size != p.size || !o.modified.Equal(p.modified) {
			return false
		}
	}
	for i := range a.prefixes {
		if !bytes.Equal(a.prefixes[i], b.prefixes[i]) {
			return false
		}
	}
	return true
}

// BenchmarkPage reads a page of 1,000 logs.
func BenchmarkPage(b *testing.B) {
	var doc strings.Builder
	doc.WriteString(`<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>`)
	for range 1000 {
		doc.WriteString("<Contents><Key>AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/10/111122223333_CloudTrail_us-east-1_20260310T0100Z_0123456789abcdef.json.gz</Key>" +
			"<LastModified>2026-03-10T01:02:03.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>12345</Size><StorageClass>STANDARD</StorageClass></Contents>")
	}
	doc.WriteString(`</ListBucketResult>`)
	text := []byte(doc.String())
	var p page
	for name, reader := range map[string]func() tagger{
		"plain": func() tagger { return &plainXML{doc: text} },
		"any":   func() tagger { return newAnyXML(text) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				p.reset()
				if err := readTags(reader(), &p); err != nil || len(p.objects) != 1000 {
					b.Fatal(err)
				}
			}
		})
	}
}
