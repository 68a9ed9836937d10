package source

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// logOf makes a log file of about so many gzip bytes, as compressible as real ones.
func logOf(size int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var records []map[string]any
	for {
		for range max(4, size/600) {
			records = append(records, map[string]any{
				"eventVersion": "1.09", "eventTime": fmt.Sprintf("2026-03-01T12:%02d:%02dZ", r.IntN(60), r.IntN(60)),
				"eventSource": []string{"s3.amazonaws.com", "ec2.amazonaws.com", "sts.amazonaws.com"}[r.IntN(3)],
				"eventName":   []string{"GetObject", "DescribeInstances", "AssumeRole", "PutObject"}[r.IntN(4)],
				"awsRegion":   "eu-west-1", "sourceIPAddress": fmt.Sprintf("10.0.%d.%d", r.IntN(4), r.IntN(256)),
				"userAgent": "[aws-sdk-go-v2/1.47.7 os/linux lang/go]", "requestID": fmt.Sprintf("%016x", r.Uint64()),
				"eventID":      fmt.Sprintf("%08x-%04x-%04x-%012x", r.Uint32(), r.IntN(65536), r.IntN(65536), r.Uint64()>>16),
				"userIdentity": map[string]any{"type": "AssumedRole", "accountId": account, "arn": "arn:aws:sts::111122223333:assumed-role/app/session"},
				"readOnly":     r.IntN(2) == 0, "recipientAccountId": account,
			})
		}
		text, _ := json.Marshal(map[string]any{"Records": records})
		if z := zip(string(text)); len(z) >= size {
			return z
		}
	}
}

// BenchmarkDirectory compares reading and hashing a copy's files with hashing
// the same bytes in memory.
func BenchmarkDirectory(b *testing.B) {
	for _, size := range []int{2 << 10, 5 << 10, 20 << 10} {
		const files = 200
		dir := filepath.Join(b.TempDir(), "bucket")
		var data [files][]byte
		var refs [files]verify.Ref
		for i := range files {
			text := logOf(size, uint64(i))
			data[i] = []byte(text)
			refs[i] = verify.Ref{Bucket: "bucket", Key: fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/%d.json.gz", i)}
			writeFile(b, dir, refs[i].Key, text)
		}
		d := openDir(b, dir)
		b.Run(fmt.Sprintf("%dKiB/bare", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := digest.HashGzip(bytes.NewReader(data[i%files]), 1<<30); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%dKiB/read", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				err := d.Read(context.Background(), refs[i%files], func(o verify.Object) error {
					_, err := digest.HashGzip(o.Body, 1<<30)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
