package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

// A Statement is one of an IAM policy.
type Statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Action    string                       `json:"Action"`
	Resource  []string                     `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// Missing are the statements that would allow what was refused. They are hints:
// a policy of another account, a key's own policy or a service control policy
// may refuse all the same.
func (p Preflight) Missing() []Statement {
	statements := []Statement{
		{Sid: "ReadFiles", Action: "s3:GetObject"},
		{Sid: "DecryptInKMS", Action: "kms:Decrypt"},
		{Sid: "ExplainKeys", Action: "kms:DescribeKey"},
	}
	read, decrypt, describe := &statements[0], &statements[1], &statements[2]
	for _, r := range p.Refusals {
		if r.Err.Reason == verify.AccessDenied {
			read.on(p.filesOf(r.Ref))
		}
	}
	through := map[string]*Statement{}
	for _, k := range p.Keys {
		switch {
		case k.Err == nil:
		case k.Err.Reason == verify.AccessDenied:
			read.on(p.filesOf(k.Read))
		case k.Err.Reason == verify.KMSDenied && kms.KeyRegion(k.ARN) == "": // none of AWS's, or not known
		case k.Err.Reason == verify.KMSDenied && k.Err.Scheme != "":
			decrypt.on(k.ARN)
		case k.Err.Reason == verify.KMSDenied:
			service := viaS3(k.ARN)
			if through[service] == nil {
				through[service] = &Statement{Sid: "DecryptThroughS3", Action: "kms:Decrypt",
					Condition: map[string]map[string]string{"StringEquals": {"kms:ViaService": service}}}
			}
			through[service].on(k.ARN)
		}
		if k.ARN != "" && strings.Contains(k.State.Problem, "AccessDenied") {
			describe.on(k.ARN)
		}
	}
	for _, s := range through {
		statements = append(statements, *s)
	}
	return finish(statements)
}

func (s *Statement) on(resource string) {
	if !slices.Contains(s.Resource, resource) {
		s.Resource = append(s.Resource, resource)
	}
}

// finish leaves out what is not needed and puts the rest in order.
func finish(statements []Statement) []Statement {
	var needed []Statement
	for _, s := range statements {
		if len(s.Resource) > 0 {
			s.Effect = "Allow"
			slices.Sort(s.Resource)
			needed = append(needed, s)
		}
	}
	slices.SortFunc(needed, func(a, b Statement) int {
		return strings.Compare(a.Sid+strings.Join(a.Resource, ","), b.Sid+strings.Join(b.Resource, ","))
	})
	alike := map[string]int{}
	for i, s := range needed { // a policy wants each Sid once
		if alike[s.Sid]++; alike[s.Sid] > 1 {
			needed[i].Sid += "No" + strconv.Itoa(alike[s.Sid])
		}
	}
	return needed
}

// filesOf is the ARN of all that CloudTrail writes beside a file. Names that lie
// in the bucket may be anybody's: where the prefix is not plain text, which would
// be a wildcard or a variable in a policy, it is all below what the user named.
func (p Preflight) filesOf(ref verify.Ref) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/-_.+=@,", r))
	}
	prefix, _, _ := strings.Cut(ref.Key, logsFolder+"/")
	switch {
	case !strings.ContainsFunc(prefix, odd):
		return "arn:" + cmp.Or(p.partition, "aws") + ":s3:::" + ref.Bucket + "/" + prefix + logsFolder + "/*"
	case !strings.ContainsFunc(p.root.Key, odd):
		return "arn:" + cmp.Or(p.partition, "aws") + ":s3:::" + ref.Bucket + "/" + p.root.Key + "*"
	}
	return "arn:" + cmp.Or(p.partition, "aws") + ":s3:::" + ref.Bucket + "/PREFIX/*"
}

// viaS3 is S3 as KMS names it, in the region and partition of a key.
func viaS3(key string) string {
	domain := ".amazonaws.com"
	if strings.HasPrefix(key, "arn:aws-cn:") {
		domain = ".amazonaws.com.cn"
	}
	return "s3." + kms.KeyRegion(key) + domain
}
