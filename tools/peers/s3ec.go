package main

import (
	"bytes"
	"context"
	"os"

	"github.com/aws/amazon-s3-encryption-client-go/v3/client"
	"github.com/aws/amazon-s3-encryption-client-go/v3/materials"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// s3ecV3 writes with the Amazon S3 Encryption Client for Go, version 3, which
// writes the object format V2.
func s3ecV3(ctx context.Context, j job) error {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
	})
	at := s3.New(s3.Options{BaseEndpoint: &j.s3, UsePathStyle: true, Region: j.region, Credentials: credentials})
	keys := kms.New(kms.Options{BaseEndpoint: &j.kms, Region: j.region, Credentials: credentials})
	manager, err := materials.NewCryptographicMaterialsManager(materials.NewKmsKeyring(keys, j.kmsKey))
	if err != nil {
		return err
	}
	c, err := client.New(at, manager)
	if err != nil {
		return err
	}
	// The context of the data key is handed over in the Go context.
	ctx = context.WithValue(ctx, client.EncryptionContext, j.context)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &j.bucket, Key: &j.key, Body: bytes.NewReader(j.body), Metadata: j.metadata,
		ContentType: aws.String("application/json"), ContentEncoding: aws.String("gzip"),
	})
	return err
}
