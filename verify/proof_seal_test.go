package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
)

// The seal is the hash of all of the JSON, though it is not made of one piece.
func TestSealIsOfTheWholeProof(t *testing.T) {
	for _, p := range []Proof{
		{}, {Log: ProofLog{Gzip: []byte{}}}, {Log: ProofLog{Gzip: []byte("x")}}, {Log: ProofLog{Gzip: bytes.Repeat([]byte{0, 255, 7}, 100_001)}, Seal: "old"},
		{Tool: `"gzip":null`, Log: ProofLog{URI: `a"gzip":null,`, Gzip: []byte("xy")}, Event: ProofEvent{JSON: `{"gzip":null}`}},
	} {
		got, err := p.seal()
		if err != nil {
			t.Fatal(err)
		}
		p.Seal = ""
		var whole bytes.Buffer
		e := json.NewEncoder(&whole)
		e.SetEscapeHTML(false)
		if err := e.Encode(p); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(whole.Bytes()); got != hex.EncodeToString(sum[:]) {
			t.Errorf("%.200s", whole.Bytes())
		}
	}
}
