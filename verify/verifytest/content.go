package verifytest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/trailseal/trailseal/digest"
)

// A batch is what one log file is about.
type batch struct {
	account, region string
	oldest, newest  time.Time
	events          int
}

// An actor is one session. Real logs have few sessions with many calls, which
// is why they compress about tenfold.
type actor struct {
	identity, agent, address string
}

type call struct{ source, name, read, parameters string }

var calls = []call{
	{"s3.amazonaws.com", "GetObject", "true", `{"bucketName":"app-assets","Host":"app-assets.s3.amazonaws.com","key":"releases/%d/index.html"}`},
	{"s3.amazonaws.com", "PutObject", "false", `{"bucketName":"app-uploads","Host":"app-uploads.s3.amazonaws.com","key":"incoming/%d.json","x-amz-acl":"bucket-owner-full-control"}`},
	{"ec2.amazonaws.com", "DescribeInstances", "true", `{"instancesSet":{},"filterSet":{"items":[{"name":"tag:Slot","valueSet":{"items":[{"value":"%d"}]}}]}}`},
	{"ec2.amazonaws.com", "DescribeNetworkInterfaces", "true", `{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"eni-%d"}]},"filterSet":{}}`},
	{"sts.amazonaws.com", "AssumeRole", "true", `{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"run-%d","durationSeconds":3600}`},
	{"kms.amazonaws.com", "Decrypt", "true", `{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::app-uploads/incoming/%d.json"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`},
	{"lambda.amazonaws.com", "GetFunction20150331v2", "true", `{"functionName":"worker-%d"}`},
	{"logs.amazonaws.com", "CreateLogStream", "false", `{"logGroupName":"/aws/lambda/worker","logStreamName":"2026/03/10/[$LATEST]%d"}`},
	{"iam.amazonaws.com", "GetRole", "true", `{"roleName":"service-role-%d"}`},
	{"dynamodb.amazonaws.com", "DescribeTable", "true", `{"tableName":"orders-%d"}`},
}

// appendLog writes the JSON of one log file. Its first event is the oldest
// and its last the newest.
func (b batch) appendLog(out []byte, r *rand.Rand) []byte {
	actors := b.actors(r)
	who, what := actors[0], calls[r.IntN(len(calls))]
	out = append(out, `{"Records":[`...)
	for i := range b.events {
		if i > 0 {
			out = append(out, ',')
		}
		if r.IntN(4) == 0 { // calls come in bursts
			who, what = actors[r.IntN(len(actors))], calls[r.IntN(len(calls))]
		}
		out = b.appendEvent(out, r, b.eventTime(i), who, what)
	}
	return append(out, `]}`...)
}

func (b batch) eventTime(i int) time.Time {
	if i == b.events-1 {
		return b.newest
	}
	return b.oldest.Add(b.newest.Sub(b.oldest) * time.Duration(i) / time.Duration(b.events)).Truncate(time.Second)
}

// actors are one session for some eight events.
func (b batch) actors(r *rand.Rand) []actor {
	var all []actor
	for i := range 2 + b.events/8 {
		all = append(all, b.actor(r, [...]string{"deploy", "worker", "monitoring", "inventory"}[i%4]))
	}
	return all
}

func (b batch) actor(r *rand.Rand, role string) actor {
	id, session := "AROA"+token(r, 17), "i-"+strconv.FormatUint(r.Uint64()>>4, 16)
	return actor{
		identity: fmt.Sprintf(`{"type":"AssumedRole","principalId":"%[1]s:%[2]s","arn":"arn:aws:sts::%[3]s:assumed-role/%[4]s/%[2]s",`+
			`"accountId":"%[3]s","accessKeyId":"ASIA%[5]s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"%[1]s",`+
			`"arn":"arn:aws:iam::%[3]s:role/%[4]s","accountId":"%[3]s","userName":"%[4]s"},"attributes":{"creationDate":"%[6]s",`+
			`"mfaAuthenticated":"false"}}}`, id, session, b.account, role, token(r, 16), b.oldest.Format(timeLayout)),
		agent:   "aws-sdk-go-v2/1.41.0 ua/2.1 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#arm64 api/s3#1.96.0 m/E,n",
		address: fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), 1+r.IntN(254)),
	}
}

func (b batch) appendEvent(out []byte, r *rand.Rand, at time.Time, who actor, what call) []byte {
	out = append(out, `{"eventVersion":"1.11","userIdentity":`...)
	out = append(out, who.identity...)
	out = append(out, `,"eventTime":"`...)
	out = at.AppendFormat(out, timeLayout)
	out = fmt.Appendf(out, `","eventSource":"%s","eventName":"%s","awsRegion":"%s","sourceIPAddress":"%s","userAgent":"%s","requestParameters":`,
		what.source, what.name, b.region, who.address, who.agent)
	out = fmt.Appendf(out, what.parameters, r.IntN(1000))
	out = append(out, `,"responseElements":null,"requestID":"`...)
	out = appendUUID(out, r)
	out = append(out, `","eventID":"`...)
	out = appendUUID(out, r)
	out = append(out, '"')
	if what.source == "s3.amazonaws.com" {
		out = appendS3(out, r)
	}
	return fmt.Appendf(out, `,"readOnly":%s,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management",`+
		`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s"}}`,
		what.read, b.account, what.source)
}

// appendS3 adds what S3 says of its own calls; the id hardly compresses.
func appendS3(out []byte, r *rand.Rand) []byte {
	var id [76]byte
	draw(r, letters, id[:])
	return fmt.Appendf(out, `,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256",`+
		`"bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"%s","bytesTransferredOut":%d}`, id[:], r.IntN(1e6))
}

// A press makes gzip files, one member each, and keeps its state between them.
type press struct {
	zip *gzip.Writer
	raw []byte
}

var presses = sync.Pool{New: func() any { return newPress() }}

// zip makes one gzip file.
func zip(raw []byte) []byte {
	p := presses.Get().(*press)
	defer presses.Put(p)
	return p.gzip(raw)
}

func newPress() *press {
	zip, err := gzip.NewWriterLevel(nil, gzip.DefaultCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &press{zip: zip}
}

func (p *press) gzip(raw []byte) []byte {
	var b bytes.Buffer
	p.zip.Reset(&b)
	p.zip.Write(raw) // a buffer takes everything
	p.zip.Close()
	return bytes.Clone(b.Bytes())
}

// log makes one log file and the hash of its content.
func (p *press) log(b batch, r *rand.Rand) ([]byte, digest.Hash) {
	p.raw = b.appendLog(p.raw[:0], r)
	return p.gzip(p.raw), digest.Sum(p.raw)
}
