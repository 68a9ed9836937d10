package trailseal_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// A sealedTrail is a minted trail in a real S3 server, some of whose files other
// people's libraries have encrypted under a key of local-kms.
type sealedTrail struct {
	*verifytest.World
	s3, kms string // addresses
	client  *s3.Client
	env     []string // of the tool
	args    []string // of verify
}

// newSealedTrail stores a trail as CloudTrail would, in a real S3 server. Nothing
// is sealed yet.
func newSealedTrail(t *testing.T) *sealedTrail {
	t.Helper()
	keys := localKMS(t, keyID+"="+keyBytes, otherKeyID+"="+otherBytes)
	return sealedTrailAt(t, versitygw(t), keys, "example-trail-logs")
}

func sealedTrailAt(t *testing.T, at, keys, bucket string) *sealedTrail {
	t.Helper()
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Bucket, s.Regions, s.Backfill, s.Markers = bucket, []string{"us-east-1"}, false, false
	})
	s := &sealedTrail{
		World: w, s3: at, kms: keys, client: client(at), env: append(awsEnv(t, at), "AWS_MAX_ATTEMPTS=2"),
		args: slices.Concat([]string{"s3://" + bucket}, window(w), keyFiles(t, w)),
	}
	upload(t, s.client, w)
	return s
}

// verify runs the tool with further flags.
func (s *sealedTrail) verify(t *testing.T, more ...string) keyReport {
	t.Helper()
	return verifyKeys(t, s.env, slices.Concat(s.args, more)...)
}

// seal has a library write an object anew, encrypted; its metadata stay.
func (s *sealedTrail) seal(t *testing.T, module, writer string, ref verify.Ref) {
	t.Helper()
	peer := toolBinary(t, module, "what other libraries encrypt is not read")
	o, ok := s.Get(ref)
	if !ok {
		t.Fatalf("there is no %s", ref.URI())
	}
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, o.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-writer", writer, "-bucket", ref.Bucket, "-key", ref.Key, "-in", in,
		"-s3", s.s3, "-kms", s.kms, "-kms-key", keyARN(keyID), "-context", "case=42", "-context", "équipe=sécurité"}
	for _, name := range slices.Sorted(maps.Keys(o.Metadata)) {
		args = append(args, "-metadata", name+"="+o.Metadata[name])
	}
	cmd := exec.Command(peer, args...)
	cmd.Env = append(os.Environ(), s.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", writer, err, out)
	}
}

// alter changes one byte of what is stored, and leaves the metadata.
func (s *sealedTrail) alter(t *testing.T, ref verify.Ref, at int) {
	t.Helper()
	raw, metadata := s.stored(t, ref)
	raw[(at+len(raw))%len(raw)] ^= 1
	if _, err := s.client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &ref.Bucket, Key: &ref.Key, Body: bytes.NewReader(raw), Metadata: metadata,
	}); err != nil {
		t.Fatal(err)
	}
}

// stored is an object as it lies in the bucket.
func (s *sealedTrail) stored(t *testing.T, ref verify.Ref) ([]byte, map[string]string) {
	t.Helper()
	o, err := s.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &ref.Bucket, Key: &ref.Key})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(o.Body); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes(), o.Metadata
}

// save writes an object to disk as it lies in the bucket, its metadata beside it.
func (s *sealedTrail) save(t *testing.T, ref verify.Ref, name string) {
	t.Helper()
	raw, metadata := s.stored(t, ref)
	side, err := json.Marshal(metadata)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{name: raw, name + verifytest.SideFile: side} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// download copies the bucket to a directory.
func (s *sealedTrail) download(t *testing.T) (dir string) {
	t.Helper()
	dir, bucket := t.TempDir(), s.Buckets()[0]
	all, err := s.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all.Contents {
		s.save(t, verify.Ref{Bucket: bucket, Key: *o.Key}, filepath.Join(dir, filepath.FromSlash(*o.Key)))
	}
	return dir
}

// everyWriter are the ways in which tools/peers encrypts.
var everyWriter = []string{
	"s3crypto-v2-kms-context-gcm",
	"s3crypto-v2-kms-context-gcm-instruction",
	"s3crypto-v1-kms-gcm",
	"s3crypto-v1-kms-cbc",
	"s3ec-go-v3-kms-context-gcm",
}

// sealLogs seals every log, with each library in turn.
func (s *sealedTrail) sealLogs(t *testing.T) (logs int) {
	t.Helper()
	for i, ref := range s.Logs() {
		s.seal(t, "peers", everyWriter[i%len(everyWriter)], ref)
		logs++
	}
	return logs
}
