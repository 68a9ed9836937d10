package digest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// trailLike is text like a log file's, of about n bytes: a few sessions that
// call in bursts, fresh identifiers and times, everything else repeated. It
// compresses about 1:10, as real log files do.
func trailLike(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	id := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("0123456789abcdef"[rng.IntN(16)])
		}
		return b.String()
	}
	uuid := func() string { return id(8) + "-" + id(4) + "-" + id(4) + "-" + id(4) + "-" + id(12) }
	type session struct{ who, key, ip, agent string }
	var sessions []session
	for i := range 6 {
		sessions = append(sessions, session{fmt.Sprintf("role-%d/worker-%s", i, id(8)), strings.ToUpper(id(16)),
			fmt.Sprintf("10.%d.%d.%d", rng.IntN(256), rng.IntN(256), rng.IntN(256)), []string{"aws-sdk-go-v2/1.47.7 os/linux lang/go#1.26 md/GOARCH#amd64", "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.0", "AWS Internal"}[i%3]})
	}
	events := []string{"AssumeRole:sts", "GetObject:s3", "Decrypt:kms", "DescribeInstances:ec2", "PutLogEvents:logs", "ListBuckets:s3",
		"GetParameter:ssm", "Invoke:lambda", "Query:dynamodb", "CreateTags:ec2", "GetSecretValue:secretsmanager", "PutObject:s3"}
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	s, e, clock := sessions[0], events[0], 0
	for b.Len() < n {
		if rng.IntN(5) == 0 {
			s = sessions[min(rng.IntN(6), rng.IntN(6))]
		}
		if rng.IntN(3) == 0 {
			e = events[min(rng.IntN(12), rng.IntN(12))]
		}
		clock += rng.IntN(4)
		name, source, _ := strings.Cut(e, ":")
		fmt.Fprintf(&b, `{"eventVersion":"1.10","userIdentity":{"type":"AssumedRole","principalId":"AROA%s:%s","arn":"arn:aws:sts::111122223333:assumed-role/%s","accountId":"111122223333","accessKeyId":"ASIA%s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA%s","arn":"arn:aws:iam::111122223333:role/%s","accountId":"111122223333","userName":"%s"},"attributes":{"creationDate":"2026-03-10T05:%02d:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-03-10T06:%02d:%02dZ","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"us-east-2","sourceIPAddress":"%s","userAgent":"%s","requestParameters":{"resource":"projects/data-%d/part-%05d","limit":%d},"responseElements":null,"additionalEventData":{"bytesTransferredIn":%d,"x-amz-id-2":"%s"},"requestID":"%s","eventID":"%s","readOnly":%v,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s.us-east-2.amazonaws.com"}},`,
			s.key, s.who, s.who, s.key, s.key, s.who[:6], s.who[:6], len(s.who), clock/60%60, clock%60, source, name, s.ip, s.agent,
			rng.IntN(8), rng.IntN(100000), rng.IntN(100), rng.IntN(1e6), id(40), uuid(), uuid(), name[0] != 'P', source)
	}
	b.Truncate(b.Len() - 1)
	b.WriteString("]}")
	return b.Bytes()
}

// benchSizes are uncompressed: a quiet account's log, a usual one, a busy one.
var benchSizes = []struct {
	name string
	raw  int
}{{"17KB", 17 << 10}, {"219KB", 219 << 10}, {"2MB", 2 << 20}}

// benchBodies makes different files of one size, so that no branch predictor
// learns one by heart.
func benchBodies(b *testing.B, raw int) (bodies [][]byte, bytesEach int64) {
	n, total := max(2, min(64, 4<<20/raw)), 0
	for i := range n {
		text := trailLike(raw, uint64(i))
		total += len(text)
		bodies = append(bodies, member(b, text, 6, false))
	}
	return bodies, int64(total / n)
}

func BenchmarkHashGzip(b *testing.B) {
	for _, size := range benchSizes {
		bodies, n := benchBodies(b, size.raw)
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			r := bytes.NewReader(nil)
			for i := range b.N {
				r.Reset(bodies[i%len(bodies)])
				if c, err := HashGzip(r, 1<<30); c.Form != Exact || err != nil {
					b.Fatal(c.Form, err)
				}
			}
		})
	}
}

// BenchmarkHashGzipSieve is BenchmarkHashGzip with an EventSieve beside it: none of
// the names is in the logs.
func BenchmarkHashGzipSieve(b *testing.B) {
	for _, size := range benchSizes {
		bodies, n := benchBodies(b, size.raw)
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			s := &EventSieve{Names: map[string]bool{"StopLogging": false, "PutObject": true}, Event: func([]byte) { b.Error("an event") }}
			r := bytes.NewReader(nil)
			for i := range b.N {
				r.Reset(bodies[i%len(bodies)])
				if c, err := HashGzipTo(r, 1<<30, s); c.Form != Exact || err != nil {
					b.Fatal(c.Form, err)
				}
				s.Close()
			}
		})
	}
}

// BenchmarkBareLoop is what HashGzip is held against: the standard library's
// inflater, kept from file to file, and SHA-256, with no question asked.
func BenchmarkBareLoop(b *testing.B) {
	for _, size := range benchSizes {
		bodies, n := benchBodies(b, size.raw)
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			var z gzip.Reader
			r, sha, buf := bytes.NewReader(nil), sha256.New(), make([]byte, 128<<10)
			for i := range b.N {
				r.Reset(bodies[i%len(bodies)])
				sha.Reset()
				if err := z.Reset(r); err != nil {
					b.Fatal(err)
				}
				if _, err := io.CopyBuffer(struct{ io.Writer }{sha}, &z, buf); err != nil {
					b.Fatal(err)
				}
				sha.Sum(nil)
			}
		})
	}
}

// BenchmarkHashOnly is the part that no inflater can make cheaper.
func BenchmarkHashOnly(b *testing.B) {
	for _, size := range benchSizes {
		text := trailLike(size.raw, 1)
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for range b.N {
				Sum(text)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{10, 120, 1200} {
		raw := manyLogs(n)
		b.Run(fmt.Sprintf("%dlogs", n), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for range b.N {
				if _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
