package source

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxErrorBytes bounds what is read of an error's body. S3's are under 2 KiB.
const maxErrorBytes = 64 << 10

// An answer is a service's refusal, as far as deciding about it needs.
type answer struct {
	status       int
	code         string // S3's error code; empty where the body names none
	message      string
	region       string    // the bucket's region, where the answer tells
	date         time.Time // the server's clock; zero where not told
	deleteMarker bool
	restoring    bool // archived, and a restore is under way
	cut          bool // the body broke, so that the code may be missing
}

// Error shows the code and the message as they came, quoted.
func (a *answer) Error() string {
	text := fmt.Sprintf("HTTP status %d", a.status)
	if a.code != "" {
		text += fmt.Sprintf(", code %.80q", a.code)
	}
	if a.message != "" {
		text += fmt.Sprintf(": %.1000q", a.message)
	}
	return text
}

// ErrorCode is the service's code, such as AccessDenied.
func (a *answer) ErrorCode() string { return a.code }

// ErrorMessage is the service's message.
func (a *answer) ErrorMessage() string { return a.message }

// readAnswer reads an unsuccessful response and leaves the body to be read
// once more. A body that breaks or is no XML leaves code and message empty;
// the status still tells something.
func readAnswer(resp *http.Response) *answer {
	body, err := errorBody(resp)
	a := &answer{
		cut:          err != nil,
		status:       resp.StatusCode,
		region:       resp.Header.Get("X-Amz-Bucket-Region"),
		deleteMarker: resp.Header.Get("X-Amz-Delete-Marker") == "true",
		restoring:    strings.Contains(resp.Header.Get("X-Amz-Restore"), `ongoing-request="true"`),
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.date = date
	}
	a.read(body)
	if !regionName.MatchString(a.region) {
		a.region = ""
	}
	return a
}

// read takes what it can of an error document, <Error><Code>…, element by
// element: behind the code it may quote a key with characters that XML cannot
// hold, and the code counts all the same.
func (a *answer) read(body []byte) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for root := false; ; {
		t, err := d.Token()
		if err != nil {
			return
		}
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case !root:
			if root = e.Name.Local == "Error"; !root {
				return
			}
		default:
			var text string
			if d.DecodeElement(&text, &e) != nil {
				return
			}
			a.take(e.Name.Local, strings.TrimSpace(text))
		}
	}
}

func (a *answer) take(name, text string) {
	switch name {
	case "Code":
		a.code = text
	case "Message":
		a.message = text
	case "Region":
		if a.region == "" {
			a.region = text
		}
	}
}

// errorBody reads an error's body, as much of it as may be read, and puts the
// same bytes in its place.
func errorBody(resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}
