// Command peers-esdk stores one object as a message of the AWS Encryption SDK
// for Go. Its flags are those of tools/peers. Credentials come from
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	mpl "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygenerated"
	material "github.com/aws/aws-cryptographic-material-providers-library/releases/go/mpl/awscryptographymaterialproviderssmithygeneratedtypes"
	sdk "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygenerated"
	esdk "github.com/aws/aws-encryption-sdk/releases/go/encryption-sdk/awscryptographyencryptionsdksmithygeneratedtypes"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A job is an object to be stored, and with what it is encrypted.
type job struct {
	bucket, key, region string
	body                []byte
	s3, kms             string            // addresses
	kmsKey              string            // ARN
	suite               string            // "0x0578"
	context, metadata   map[string]string // of the data key, of the object
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("peers-esdk: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	j := job{context: map[string]string{}, metadata: map[string]string{}}
	writer := flag.String("writer", "esdk-go-0578", "`name`: esdk-go- and the algorithm suite")
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

	j.suite = strings.Replace(*writer, "esdk-go-", "0x", 1)
	if !slices.Contains(material.ESDKAlgorithmSuiteId("").Values(), material.ESDKAlgorithmSuiteId(j.suite)) {
		return fmt.Errorf("-writer must be esdk-go- and an algorithm suite, as in esdk-go-0578")
	}
	var err error
	if j.body, err = os.ReadFile(*in); err != nil {
		return err
	}
	return j.write(context.Background())
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

func (j job) write(ctx context.Context) error {
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
	})
	message, err := j.encrypt(ctx, kms.New(kms.Options{BaseEndpoint: &j.kms, Region: j.region, Credentials: credentials}))
	if err != nil {
		return err
	}
	at := s3.New(s3.Options{BaseEndpoint: &j.s3, UsePathStyle: true, Region: j.region, Credentials: credentials})
	_, err = at.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &j.bucket, Key: &j.key, Body: bytes.NewReader(message), Metadata: j.metadata,
		ContentType: aws.String("application/octet-stream"),
	})
	return err
}

func (j job) encrypt(ctx context.Context, keys *kms.Client) ([]byte, error) {
	providers, err := mpl.NewClient(material.MaterialProvidersConfig{})
	if err != nil {
		return nil, err
	}
	keyring, err := providers.CreateAwsKmsKeyring(ctx, material.CreateAwsKmsKeyringInput{KmsClient: keys, KmsKeyId: j.kmsKey})
	if err != nil {
		return nil, err
	}
	policy := material.ESDKCommitmentPolicyForbidEncryptAllowDecrypt
	if j.suite >= "0x0400" { // these commit to the key
		policy = material.ESDKCommitmentPolicyRequireEncryptRequireDecrypt
	}
	client, err := sdk.NewClient(esdk.AwsEncryptionSdkConfig{CommitmentPolicy: &policy})
	if err != nil {
		return nil, err
	}
	suite := material.ESDKAlgorithmSuiteId(j.suite)
	out, err := client.Encrypt(ctx, esdk.EncryptInput{
		Plaintext: j.body, EncryptionContext: j.context, Keyring: keyring, AlgorithmSuiteId: &suite,
	})
	if err != nil {
		return nil, err
	}
	return out.Ciphertext, nil
}
