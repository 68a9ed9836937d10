package report

import (
	"path"
	"strings"
	"time"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// OCSF's numbers for words.
const (
	ocsfRegular    = 1 // file.type_id
	ocsfFolder     = 2
	ocsfSHA256     = 3  // fingerprint.algorithm_id
	ocsfAWSAccount = 10 // account.type_id
)

// ocsfStandard is what a chain complies with. Whether that is what an auditor's
// own standard asks for is not ours to say.
const ocsfStandard = "AWS CloudTrail log file integrity validation"

// ocsfSeverity leaves out 2, Low.
func ocsfSeverity(s severity) int {
	if s == informational {
		return 1
	}
	return int(s) + 2
}

func ocsfStatus(c verify.Class, text string) *ocsfCompliance {
	s := &ocsfCompliance{Standards: []string{ocsfStandard}, Control: ocsfStandard, StatusID: 1, Status: "Pass", Detail: text}
	switch c {
	case verify.ClassUnproven: // "did not yield a result due to missing information"
		s.StatusID, s.Status = 2, "Warning"
	case verify.Tampering:
		s.StatusID, s.Status = 3, "Fail"
	}
	return s
}

func ocsfPlace(c verify.ChainRef) ocsfCloud {
	cloud := ocsfCloud{Provider: "AWS", Region: c.Region}
	if c.Account != "" {
		cloud.Account = &ocsfAccount{c.Account, "AWS Account", ocsfAWSAccount}
	}
	if digest.IsOrganization(c.Organization) {
		cloud.Org = &ocsfOrg{c.Organization}
	}
	return cloud
}

func ocsfEvidences(a alert) []ocsfEvidence {
	var e ocsfEvidence
	if a.uri != "" {
		bucket, key := bucketAndKey(a.uri)
		e.Databucket = &ocsfBucket{bucket, "S3", 1}
		e.File = &ocsfFile{Name: path.Base("/" + key), Path: a.uri, Type: "Regular File", TypeID: ocsfRegular}
		if strings.HasSuffix(key, "/") {
			e.File.Type, e.File.TypeID = "Folder", ocsfFolder
		}
	}
	f := a.file
	switch {
	case f != nil:
		e.Data = ocsfVouched{f.Reasons, f.Expected, f.Actual, f.Digest, f.Key, f.Envelope, f.Recover}
	case a.kmsKey != "":
		e.Data = ocsfVouched{KMSKey: a.kmsKey}
	case a.uri == "":
		return nil
	}
	if f != nil && e.File != nil {
		e.File.Size, e.File.Version = f.Size, f.Version
		if f.Actual != "" {
			e.File.Hashes = []ocsfHash{{"SHA-256", ocsfSHA256, f.Actual}}
		}
	}
	return []ocsfEvidence{e}
}

func ocsfResources(a alert) []ocsfResource {
	var all []ocsfResource
	if a.uri != "" {
		_, key := bucketAndKey(a.uri)
		all = append(all, ocsfResource{UID: objectARN(a.uri, a.chain.Region), Name: key, Type: "AWS::S3::Object", Partition: partition(a.chain.Region)})
	}
	if a.kmsKey != "" {
		all = append(all, ocsfResource{UID: a.kmsKey, Name: a.kmsKey, Type: "AWS::KMS::Key"})
	}
	if a.chain.Trail != "" {
		trail := ocsfResource{Name: a.chain.Trail, Type: "AWS::CloudTrail::Trail", Partition: partition(a.chain.Region)}
		if c := a.whole; c != nil {
			trail.UID, trail.Region = trailARN(*c), c.HomeRegion
		}
		all = append(all, trail)
	}
	return all
}

// millis are a time's milliseconds since 1970; nil for no time.
func millis(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	n := t.UnixMilli()
	return &n
}
