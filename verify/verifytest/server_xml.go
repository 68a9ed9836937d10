package verifytest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

func writeXML(rw http.ResponseWriter, body string, broken bool) {
	rw.Header().Set("Content-Type", "application/xml")
	body = xml.Header + body
	if broken {
		cut(rw, []byte(body))
	}
	rw.Header().Set("Content-Length", fmt.Sprint(len(body)))
	io.WriteString(rw, body)
}

// s3Error answers with S3's error document, and more elements in it.
func s3Error(rw http.ResponseWriter, r *request, status int, code, message string, more ...string) {
	var b strings.Builder
	b.WriteString(xml.Header + "<Error><Code>" + escape(code) + "</Code><Message>" + escape(message) + "</Message>")
	for i := 0; i+1 < len(more); i += 2 {
		b.WriteString("<" + more[i] + ">" + escape(more[i+1]) + "</" + more[i] + ">")
	}
	b.WriteString("<RequestId>TRAILSEALTEST0001</RequestId><HostId>verifytest</HostId></Error>")
	rw.Header().Set("Content-Type", "application/xml")
	rw.Header().Set("Content-Length", fmt.Sprint(b.Len()))
	rw.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(rw, b.String())
	}
}

// escape writes text into XML as S3 does: control characters become character
// references, which XML 1.0 does not allow; that is why listings are asked for
// with encoding-type=url.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '"':
			b.WriteString("&quot;")
		case c < ' ':
			fmt.Fprintf(&b, "&#x%x;", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// escapeURL is S3's encoding-type=url.
func escapeURL(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }
