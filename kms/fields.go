package kms

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of hostile text.
const (
	mostText  = 64 << 10 // bytes of all metadata of an object, or of an instruction file; S3 allows 2 KB of the first
	mostPairs = 512      // of an encryption context; KMS's own bound is 8,192 characters
)

// readFlat reads a JSON object whose members are strings; loose, it reads numbers
// as their text as well, and null as an empty one. A member that comes twice is an
// error, since KMS and a person could each see another of the two.
func readFlat(text string, loose bool) (map[string]string, error) {
	if len(text) > mostText || !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return nil, errors.New("no JSON text, or a long one")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	flat := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		key := name.(string)
		text, ok := flatText(value, loose)
		if _, twice := flat[key]; twice || !ok || len(flat) == mostPairs {
			return nil, fmt.Errorf("%.80q is no string, or comes twice, or there are too many", key)
		}
		flat[key] = text
	}
	return flat, nil
}

func flatText(value json.Token, loose bool) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), loose
	case nil:
		return "", loose
	}
	return "", false
}

// readBase64 reads a field of at least low and at most high bytes.
func readBase64(f map[string]string, field string, low, high int) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(f[field])
	if err != nil {
		return nil, malformed("%s is not base64", field)
	}
	if len(b) < low || len(b) > high {
		return nil, malformed("%s has %d bytes", field, len(b))
	}
	return b, nil
}
