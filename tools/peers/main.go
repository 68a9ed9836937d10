// Command peers stores one object, encrypted by a library that is not this
// project's. Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
//
//	peers -writer NAME -bucket B -key K -in FILE -s3 URL -kms URL -kms-key ARN
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

// A job is an object to be stored, and with what it is encrypted.
type job struct {
	bucket, key, region string
	body                []byte
	s3, kms             string            // addresses
	kmsKey              string            // ARN
	context, metadata   map[string]string // of the data key, of the object
}

// writers are named by library, client, wrapping and content encryption.
var writers = map[string]func(context.Context, job) error{
	"s3crypto-v2-kms-context-gcm":             s3cryptoV2(false),
	"s3crypto-v2-kms-context-gcm-instruction": s3cryptoV2(true),
	"s3crypto-v1-kms-gcm":                     s3cryptoV1(false),
	"s3crypto-v1-kms-cbc":                     s3cryptoV1(true),
	"s3ec-go-v3-kms-context-gcm":              s3ecV3,
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("peers: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	j := job{context: map[string]string{}, metadata: map[string]string{}}
	names := slices.Sorted(maps.Keys(writers))
	writer := flag.String("writer", "", "`name`: "+strings.Join(names, ", "))
	in := flag.String("in", "", "`file` with the content")
	flag.StringVar(&j.bucket, "bucket", "", "`name` of the bucket")
	flag.StringVar(&j.key, "key", "", "`key` of the object")
	flag.StringVar(&j.region, "region", "us-east-1", "`region` of both services")
	flag.StringVar(&j.s3, "s3", "", "`URL` of S3")
	flag.StringVar(&j.kms, "kms", "", "`URL` of KMS")
	flag.StringVar(&j.kmsKey, "kms-key", "", "`ARN` of the KMS key")
	flag.Func("context", "a pair of the encryption context, `k=v`; repeatable", pair(j.context))
	flag.Func("metadata", "a pair of the object's metadata, `k=v`; repeatable", pair(j.metadata))
	flag.Parse()

	write, ok := writers[*writer]
	if !ok {
		return fmt.Errorf("-writer must be one of %s", strings.Join(names, ", "))
	}
	var err error
	if j.body, err = os.ReadFile(*in); err != nil {
		return err
	}
	return write(context.Background(), j)
}

func pair(into map[string]string) func(string) error {
	return func(s string) error {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("want k=v")
		}
		into[k] = v
		return nil
	}
}
