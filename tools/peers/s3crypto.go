package main

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/kms"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/s3/s3crypto"
)

// s3cryptoV2 writes with the second client of the AWS SDK for Go v1.
func s3cryptoV2(instruction bool) func(context.Context, job) error {
	return func(ctx context.Context, j job) error {
		at, keys, err := j.sdkV1()
		if err != nil {
			return err
		}
		generator := s3crypto.NewKMSContextKeyGenerator(keys, j.kmsKey, description(j.context))
		client, err := s3crypto.NewEncryptionClientV2(at, s3crypto.AESGCMContentCipherBuilderV2(generator),
			func(o *s3crypto.EncryptionClientOptions) {
				if instruction {
					o.SaveStrategy = s3crypto.S3SaveStrategy{Client: s3.New(at)}
				}
			})
		if err != nil {
			return err
		}
		_, err = client.PutObjectWithContext(ctx, j.putV1())
		return err
	}
}

// s3cryptoV1 writes with its first client, which wraps data keys as "kms".
func s3cryptoV1(cbc bool) func(context.Context, job) error {
	return func(ctx context.Context, j job) error {
		at, keys, err := j.sdkV1()
		if err != nil {
			return err
		}
		generator := s3crypto.NewKMSKeyGeneratorWithMatDesc(keys, j.kmsKey, description(j.context))
		builder := s3crypto.AESGCMContentCipherBuilder(generator)
		if cbc {
			builder = s3crypto.AESCBCContentCipherBuilder(generator, s3crypto.AESCBCPadder)
		}
		_, err = s3crypto.NewEncryptionClient(at, builder).PutObjectWithContext(ctx, j.putV1())
		return err
	}
}

func (j job) sdkV1() (*session.Session, *kms.KMS, error) {
	config := aws.NewConfig().WithRegion(j.region).WithCredentials(credentials.NewEnvCredentials())
	at, err := session.NewSession(config.Copy().WithEndpoint(j.s3).WithS3ForcePathStyle(true))
	if err != nil {
		return nil, nil, err
	}
	keys, err := session.NewSession(config.Copy().WithEndpoint(j.kms))
	if err != nil {
		return nil, nil, err
	}
	return at, kms.New(keys), nil
}

func (j job) putV1() *s3.PutObjectInput {
	return &s3.PutObjectInput{
		Bucket: &j.bucket, Key: &j.key, Body: bytes.NewReader(j.body), Metadata: aws.StringMap(j.metadata),
		ContentType: aws.String("application/json"), ContentEncoding: aws.String("gzip"),
	}
}

func description(pairs map[string]string) s3crypto.MaterialDescription {
	return s3crypto.MaterialDescription(aws.StringMap(pairs))
}
