package verify

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Each kind of event is read from a record of its form.
func TestParseLeadOfEveryDeed(t *testing.T) {
	params := map[subject]string{
		ofTrail: `{"name":"t","trailName":"t"}`, ofOrganization: `null`, ofBucket: `{"bucketName":"b"}`,
		ofObject: `{"bucketName":"b","key":"AWSLogs/111122223333/CloudTrail/k"}`, ofKey: `{"keyId":"k","aliasName":"alias/a"}`,
	}
	for _, d := range deeds {
		raw := `{"eventVersion":"1.11","eventTime":"2026-03-10T00:00:00Z","eventSource":"` + d.source + `","eventName":"` + d.name + `","requestParameters":` + params[d.of] + `}`
		l := parseLead([]byte(raw))
		if l == nil || l.Event != d.name || l.Service != d.source || l.deed.of != d.of {
			t.Errorf("%s: %+v", d.name, l)
		}
		if _, wanted := deedNames[d.name]; !wanted {
			t.Errorf("%s is not looked for", d.name)
		}
		if other := parseLead([]byte(strings.Replace(raw, d.source, "example.amazonaws.com", 1))); other != nil {
			t.Errorf("%s of another service: %+v", d.name, other)
		}
	}
}

// What an event asked for, in words.
func TestDetail(t *testing.T) {
	for _, c := range []struct{ source, name, params, want string }{
		{s3Source, "PutBucketLifecycle", `{"bucketName":"b","LifecycleConfiguration":{"Rule":{"ID":"x","Status":"Enabled","Expiration":{"Days":1}}}}`, "rule x expires after 1 day"},
		{s3Source, "PutBucketLifecycle", `{"bucketName":"b","LifecycleConfiguration":{"Rule":[{"ID":"x","Filter":{"Prefix":"AWSLogs/"},"Expiration":{"Days":30},"NoncurrentVersionExpiration":{"NoncurrentDays":2}},{"ID":"y","Status":"Disabled","Expiration":{"Date":"2026-01-01"}}]}}`,
			"rule x expires after 30 days, former versions after 2 days below AWSLogs/, rule y expires on 2026-01-01 (Disabled)"},
		{s3Source, "PutBucketLifecycle", `{"bucketName":"b","LifecycleConfiguration":[1,"x"]}`, ""},
		{s3Source, "PutBucketVersioning", `{"bucketName":"b","VersioningConfiguration":{"Status":"Suspended"}}`, "versioning Suspended"},
		{s3Source, "PutBucketEncryption", `{"bucketName":"b","ServerSideEncryptionConfiguration":{"Rule":{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"k"}}}}`, "KMSMasterKeyID=k, SSEAlgorithm=aws:kms"},
		{s3Source, "PutBucketPublicAccessBlock", `{"bucketName":"b","PublicAccessBlockConfiguration":{"BlockPublicAcls":false}}`, "BlockPublicAcls=false"},
		{cloudTrailSource, "UpdateTrail", `{"name":"t","isMultiRegionTrail":false,"enableLogFileValidation":false}`, "enableLogFileValidation=false, isMultiRegionTrail=false"},
		{cloudTrailSource, "PutEventSelectors", `{"trailName":"t","eventSelectors":[{"readWriteType":"ReadOnly","includeManagementEvents":false}]}`, "selector: includeManagementEvents=false, readWriteType=ReadOnly"},
		{kmsSource, "ScheduleKeyDeletion", `{"keyId":"k","pendingWindowInDays":7}`, "pendingWindowInDays=7"},
		{kmsSource, "PutKeyPolicy", `{"keyId":"k","policyName":"default","policy":"{}"}`, "policyName=default"},
		{s3Source, "DeleteObjects", `{"bucketName":"b"}`, "which objects, CloudTrail does not log"},
	} {
		l := parseLead([]byte(`{"eventTime":"2026-03-10T00:00:00Z","eventSource":"` + c.source + `","eventName":"` + c.name + `","requestParameters":` + c.params + `}`))
		if l == nil || l.Detail != c.want {
			t.Errorf("%s %s: %+v, want %q", c.name, c.params, l, c.want)
		}
	}
}

// FuzzParseLead: no event makes it panic, and no text of one is long or broken.
func FuzzParseLead(f *testing.F) {
	for _, d := range deeds {
		f.Add([]byte(`{"eventTime":"2026-03-10T00:00:00Z","eventSource":"` + d.source + `","eventName":"` + d.name + `","requestParameters":{"name":"n","bucketName":"b","keyId":"k","key":"AWSLogs/CloudTrail","LifecycleConfiguration":{"Rule":[{"Expiration":{"Days":1}}]},"bucketPolicy":{"Statement":{}},"eventSelectors":[{}],"delete":{"objects":[{"key":"AWSLogs/CloudTrail"}]}},"userIdentity":{"arn":"a"},"resources":[{"ARN":"arn:aws:kms:r:a:key/k"}]}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := parseLead(raw)
		if l == nil {
			return
		}
		if !json.Valid(raw) || deedOf[[2]string{l.Service, l.Event}] == nil || l.Explains == nil {
			t.Errorf("%q: %+v", raw, l)
		}
		for _, s := range []string{l.ID, l.Account, l.Region, l.Who, l.AccessKey, l.From, l.Agent, l.Error, l.Target, l.Detail} {
			if len(s) > maxTarget || !utf8.ValidString(s) {
				t.Errorf("%d bytes: %.80q", len(s), s)
			}
		}
		total := 0
		for _, k := range append(l.keys, l.kms...) {
			total += len(k)
		}
		if total > maxNamed+8*maxField+maxKeyLen {
			t.Errorf("%d bytes of names", total)
		}
	})
}
