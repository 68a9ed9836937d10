package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
	"github.com/nsmithuk/local-kms/src/service"
)

// asAWS makes up for two differences between local-kms and AWS in Decrypt, or
// answers itself and reports false. A request that names another key than the
// blob's is an IncorrectKeyException. One that names none is about the blob's
// key, and is told that key's state.
func asAWS(w http.ResponseWriter, r *http.Request, db *data.Database) bool {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	var request map[string]any
	var blob struct{ CiphertextBlob []byte }
	if json.Unmarshal(text, &request) != nil || json.Unmarshal(text, &blob) != nil {
		return true
	}
	arn, _, _, ok := service.UnpackCiphertextBlob(blob.CiphertextBlob)
	if _, err := db.LoadKey(arn); !ok || err != nil {
		return true
	}
	switch named, _ := request["KeyId"].(string); {
	case named == "":
		request["KeyId"] = arn
		text, _ = json.Marshal(request) // it was JSON before
		r.Body = io.NopCloser(bytes.NewReader(text))
	case config.EnsureArn("key/", named) != arn && !strings.Contains(named, "alias/"):
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"IncorrectKeyException","message":"The key ID in the request does not identify a CMK that can perform this operation."}`)
		return false
	}
	return true
}
