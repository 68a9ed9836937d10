package trailseal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/verifytest"
)

// MinIO encrypts what it stores, and refuses for real: with the key gone, with
// other bytes under its name, and with no KMS at all. A trail is stored under
// SSE-KMS, once with its digests and once without.
func TestMinIO(t *testing.T) {
	server := os.Getenv("TRAILSEAL_MINIO")
	if server == "" {
		t.Skip("SKIPPED: TRAILSEAL_MINIO does not name a minio binary, so SSE-KMS is not read from a real server (docs/testing.md)")
	}
	binary(t)
	m := &minio{server: server, data: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	right, other := minioKey(t, "ctlogs-key", keyBytes), minioKey(t, "ctlogs-key", otherBytes)
	stop := m.start(t, right)
	all, logs := m.store(t, "ctlogs-all", true), m.store(t, "ctlogs-logs", false)
	m.isCiphertext(t, logs)
	t.Run("sealed by a client too", func(t *testing.T) { testSealedOnMinIO(t, m) })
	for _, c := range []struct {
		name, kms, reason string
		exit              int
	}{
		{"the key that encrypted them", right, "", 0},
		{"other bytes under its name", other, "kms-key-changed", 3},
		{"another key", minioKey(t, "another-key", otherBytes), "kms-key-not-found", 3},
		{"no KMS", "", "kms-key-unusable", 3},
		{"the first key again", right, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			stop()
			stop = m.start(t, c.kms)
			all.check(t, c.reason, c.exit)
			logs.check(t, c.reason, c.exit)
		})
	}
}

// Two encryptions, one in the other: a library's, and MinIO's own of what that
// stored. MinIO gives metadata that are not ASCII back in words of RFC 2047.
func testSealedOnMinIO(t *testing.T, m *minio) {
	keys := localKMS(t, keyID+"="+keyBytes)
	s := sealedTrailAt(t, "http://"+m.address, keys, "ctlogs-both")
	if _, err := s.client.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
		Bucket: aws.String("ctlogs-both"),
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
				SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String("ctlogs-key"),
			},
		}}},
	}); err != nil {
		t.Fatal(err)
	}
	logs := s.sealLogs(t)
	r := s.verify(t, "--kms-key", keyARN(keyID), "--kms-endpoint-url", keys)
	logsOnly(t, s, r, 0, logs, "kept - s3ec", keyID)
	var arns []string
	for _, k := range r.Keys {
		if arns = append(arns, k.ARN); k.Files != logs || k.Unreadable != 0 {
			t.Errorf("%+v, want %d files", k, logs)
		}
	}
	if want := []string{"arn:aws:kms:ctlogs-key", keyARN(keyID)}; !slices.Equal(arns, want) {
		t.Errorf("keys %q, want %q", arns, want)
	}
}

// A minio is a MinIO server whose data outlive it.
type minio struct{ server, data, address string }

// minioKey is a key as MinIO takes it: its name and its bytes in base64.
func minioKey(t *testing.T, name, bytes string) string {
	t.Helper()
	raw, err := hex.DecodeString(bytes)
	if err != nil {
		t.Fatal(err)
	}
	return name + ":" + base64.StdEncoding.EncodeToString(raw)
}

func (m *minio) start(t *testing.T, key string) (stop func()) {
	t.Helper()
	env := []string{"MINIO_ROOT_USER=trailsealtest", "MINIO_ROOT_PASSWORD=trailsealtest", "MINIO_BROWSER=off", "MINIO_UPDATE=off"}
	if key != "" {
		env = append(env, "MINIO_KMS_SECRET_KEY="+key)
	}
	stop = launch(t, m.address, env, m.server, "server", "--quiet", "--address", m.address, m.data)
	m.ready(t)
	return stop
}

// ready waits until the server answers for its buckets, which it does without a
// KMS too.
func (m *minio) ready(t *testing.T) {
	t.Helper()
	c, err := client("http://"+m.address), error(nil)
	for range 200 {
		if _, err = c.ListBuckets(t.Context(), &s3.ListBucketsInput{}); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("MinIO does not begin to work: %v", err)
}

// isCiphertext looks into MinIO's own files: what is encrypted is not found in
// them, and what is not is.
func (m *minio) isCiphertext(t *testing.T, trail *minioTrail) {
	t.Helper()
	var stored []byte
	err := filepath.WalkDir(filepath.Join(m.data, trail.Buckets()[0]), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, failed := os.ReadFile(path)
			stored, err = append(stored, text...), failed
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := func(ref verify.Ref) bool { o, _ := trail.Get(ref); return bytes.Contains(stored, o.Bytes[:64]) }
	if log, digest := found(trail.Logs()[0]), found(trail.Chains()[0].Digests[0].Ref); log || !digest {
		t.Errorf("on MinIO's disk the plaintext of a log is found: %v, that of a digest stored without encryption: %v", log, digest)
	}
}

// A minioTrail is a trail that MinIO encrypted.
type minioTrail struct {
	*verifytest.World
	env, args []string
	digests   bool // they are encrypted too
}

func (m *minio) store(t *testing.T, bucket string, digests bool) *minioTrail {
	t.Helper()
	w := mintWorld(t, func(s *verifytest.Spec) {
		s.Bucket, s.Regions, s.Backfill, s.Markers = bucket, []string{"us-east-1"}, false, false
	})
	c, isDigest := client("http://"+m.address), map[string]bool{}
	for _, chain := range w.Chains() {
		for _, d := range chain.Digests {
			isDigest[d.Key] = true
		}
	}
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	for key, o := range w.Scan(bucket, "") {
		put := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(o.Bytes), Metadata: o.Metadata}
		if digests || !isDigest[key] {
			put.ServerSideEncryption, put.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String("ctlogs-key")
		}
		if _, err := c.PutObject(t.Context(), put); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	return &minioTrail{
		World: w, digests: digests, env: append(awsEnv(t, "http://"+m.address), "AWS_MAX_ATTEMPTS=2"),
		args: slices.Concat([]string{"s3://" + bucket}, window(w), keyFiles(t, w)),
	}
}

// check verifies the trail. Where a reason is given, it is that of each file
// which is encrypted; logs of digests that cannot be read are not judged by them.
func (m *minioTrail) check(t *testing.T, reason string, exit int) {
	t.Helper()
	r := verifyKeys(t, m.env, m.args...)
	const key = "arn:aws:kms:ctlogs-key"
	want := map[string]map[string]int{"log": {"kept - -": len(m.Logs())}, "digest": {"kept - -": judged(m.World)}}
	switch refused := "unreadable " + reason + " -"; {
	case reason != "" && m.digests:
		want["digest"] = map[string]int{refused: judged(m.World)}
		want["log"] = nil
	case reason != "":
		want["log"] = map[string]int{refused: len(m.Logs())}
	}
	for kind, want := range want {
		if got := r.outcomes(kind); want != nil && !maps.Equal(got, want) {
			t.Errorf("%ss of %s: %v, want %v", kind, m.Buckets()[0], got, want)
		}
		if got, sealed := r.keysOf(kind), kind == "log" || m.digests; want != nil && slices.Equal(got, []string{"ctlogs-key"}) != sealed {
			t.Errorf("%ss of %s name the keys %q", kind, m.Buckets()[0], got)
		}
	}
	if r.Exit != exit || r.Summary.Logs["modified"]+r.Summary.Logs["deleted"]+r.Summary.Digests["modified"]+r.Summary.Digests["deleted"] != 0 {
		t.Errorf("%s: exit %d, want %d: %+v", m.Buckets()[0], r.Exit, exit, r.Summary)
	}
	if len(r.Keys) != 1 || r.Keys[0].ARN != key {
		t.Errorf("keys: %+v, want %s", r.Keys, key)
	}
	if t.Failed() {
		t.Logf("%+v", r.Findings)
	}
}
