package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// Names are written as Clean shows them: the format's fields for names take
// no control characters, and one finding that is refused for its name would be
// a way to hide it.

// home is the account and region that a finding is imported into.
func (s *asffWriter) home(c verify.ChainRef) {
	if digest.IsAccount(c.Account) {
		s.account = c.Account
	}
	if asffRegion(c.Region) {
		s.region = c.Region
	}
	s.account, s.region = cmp.Or(s.options.ASFFAccount, s.account), cmp.Or(s.options.ASFFRegion, s.region)
}

// asffRegion reports whether the format takes this for a region.
func asffRegion(region string) bool {
	return region != "" && len(region) <= 16 && only(region, lower+digits+"-")
}

func (s *asffWriter) finding(a alert) asffFinding {
	s.home(a.chain)
	when := moment(s.header.Started)
	level := asffSeverity{map[severity]string{informational: "INFORMATIONAL", medium: "MEDIUM", high: "HIGH", critical: "CRITICAL"}[a.rank], a.class.String()}
	types := []string{"Software and Configuration Checks/AWS Security Best Practices"}
	if a.class == verify.Tampering {
		types = []string{"TTPs/Defense Evasion"}
	}
	f := asffFinding{
		SchemaVersion: "2018-10-08", ID: "trailseal/" + a.uid, ProductName: "trailseal", GeneratorID: "trailseal/" + a.generator(),
		ProductArn:   "arn:" + partition(s.region) + ":securityhub:" + s.region + ":" + s.account + ":product/" + s.account + "/default",
		AwsAccountID: s.account, Types: types, CreatedAt: when, UpdatedAt: when, Severity: level,
		Title: short(a.title, 256), Description: short(cmp.Or(a.text, a.title), 1024), ProductFields: s.fields(a), Resources: s.resources(a),
		RecordState: "ACTIVE", Provider: asffProvider{level, types},
	}
	if a.advice != "" && a.class >= verify.ClassUnproven {
		f.Remediation = &asffRemediation{}
		f.Remediation.Recommendation.Text = short(a.advice, 512)
	}
	if a.whole != nil {
		f.Compliance = &asffCompliance{[]string{verify.Good: "PASSED", verify.Remark: "PASSED", verify.ClassUnproven: "WARNING", verify.Tampering: "FAILED"}[a.class]}
	}
	return f
}

// generator names the check that made a finding.
func (a alert) generator() string {
	switch {
	case a.whole != nil:
		return "chain"
	case a.file != nil:
		return a.file.Kind + "/" + a.word
	}
	return "finding/" + a.word
}

// asffEvents is how many events a finding has fields for: it takes 50 in all.
const asffEvents = 25

// events are the events that may explain what was found, as one finding.
func (s *asffWriter) events(sum verify.Summary) alert {
	a := alert{
		uid: stableID("events", s.header.Source), word: "explanations", class: verify.Remark, rank: informational,
		title: "CloudTrail events that touched the trail, its bucket or its keys",
		start: second(sum.Window.Start), end: second(sum.Window.End),
	}
	var said []string
	for _, e := range sum.Explained[:min(len(sum.Explained), asffEvents)] {
		a.events = append(a.events, eventSaid(e))
		said = append(said, moment(e.Time)+" "+Clean(e.Event)+also(" by ", Clean(e.Who)))
	}
	if more := sum.UnlistedEvents + int64(len(sum.Explained)-len(a.events)); more > 0 {
		said = append(said, unlistedSaid(more))
	}
	a.text = sentences(said...)
	return a
}

// fields are what the format has no place for. It takes no empty ones.
func (s *asffWriter) fields(a alert) map[string]string {
	fields := map[string]string{
		"verdict": a.word, "class": a.class.String(), "organization": a.chain.Organization, "account": a.chain.Account, "region": a.chain.Region,
		"trail": a.chain.Trail, "version": s.header.Version, "backfill": backfill(a.chain), "uri": a.uri, "kmsKey": a.kmsKey, "start": instant(a.start), "end": instant(a.end),
	}
	if f := a.file; f != nil {
		fields["reasons"], fields["digest"] = words(f.Reasons), f.Digest
		fields["expected"], fields["actual"] = f.Expected, f.Actual
	}
	for i, e := range a.events {
		fields[fmt.Sprintf("event-%02d", i+1)] = e
	}
	if f := a.file; f != nil && f.Recover != nil {
		fields["recover"], fields["recoverVersionId"] = recoverSaid(f.Recover), f.Recover.Version
	}
	if c := a.whole; c != nil {
		fields["digests"], fields["logs"] = verdictCounts(c.Digests), verdictCounts(c.Logs)
	}
	named := map[string]string{}
	for name, value := range fields {
		if strings.TrimSpace(value) != "" {
			named["trailseal/"+name] = short(Clean(value), 2048)
		}
	}
	return named
}

func (s *asffWriter) resources(a alert) []asffResource {
	var all []asffResource
	add := func(kind, id string, d *asffDetails) {
		r := asffResource{Type: kind, ID: shortID(Clean(id), 512), Details: d}
		if asffRegion(a.chain.Region) {
			r.Region = a.chain.Region
		}
		if p := partition(a.chain.Region); p == "aws" || p == "aws-cn" || p == "aws-us-gov" { // no others are known to it
			r.Partition = p
		}
		all = append(all, r)
	}
	if a.uri != "" {
		add("AwsS3Object", objectARN(a.uri, a.chain.Region), asffObjectOf(a))
	} else if strings.TrimSpace(a.kmsKey) != "" {
		add("AwsKmsKey", a.kmsKey, nil)
	}
	if c := a.whole; c != nil {
		if arn := trailARN(*c); arn != "" && strings.TrimSpace(c.Trail) != "" {
			add("AwsCloudTrailTrail", arn, &asffDetails{Trail: &asffTrail{short(Clean(c.Trail), 128), strings.TrimSpace(Clean(c.HomeRegion))}})
		}
	}
	if len(all) == 0 {
		name := s.header.Source
		if a.chain != (verify.ChainRef{}) {
			name = chainPath(a.chain)
		}
		add("Other", "trailseal/"+name, nil)
	}
	return all
}

func asffObjectOf(a alert) *asffDetails {
	f := a.file
	if f == nil || strings.TrimSpace(f.Version+f.Key) == "" {
		return nil
	}
	return &asffDetails{Object: &asffObject{short(strings.TrimSpace(Clean(f.Version)), 512), short(strings.TrimSpace(Clean(f.Key)), 512)}}
}
