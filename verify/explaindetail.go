package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// params are an event's request parameters, whose forms differ between services
// and years. What is not of the form looked for is not there.
type params map[string]any

// maxParam is longer than any name that AWS allows: longer ones are none.
const maxParam = 2048

// first is the first of some parameters that is a text.
func (p params) first(names ...string) string {
	for _, name := range names {
		if s, ok := p[name].(string); ok && s != "" && len(s) <= maxParam {
			return s
		}
	}
	return ""
}

// at follows a path of objects; of a list it takes the first.
func (p params) at(path ...string) params {
	for _, name := range path {
		p = objectOf(p[name])
	}
	return p
}

func objectOf(v any) params {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		if len(v) > 0 {
			return objectOf(v[0])
		}
	}
	return nil
}

// listOf is a list of objects; XML that became JSON has no list where there is one.
func listOf(v any) []params {
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	var objects []params
	for _, one := range all {
		if o, ok := one.(map[string]any); ok {
			objects = append(objects, o)
		}
	}
	return objects
}

// encryptionKey is the KMS key that a request asks S3 to encrypt with.
func (p params) encryptionKey() string {
	if key := p.first("x-amz-server-side-encryption-aws-kms-key-id"); key != "" {
		return key
	}
	byDefault := p.at("ServerSideEncryptionConfiguration", "Rule", "ApplyServerSideEncryptionByDefault")
	if key := byDefault.first("KMSMasterKeyID"); key != "" {
		return key
	}
	return p.at("ObjectEncryption", "SSEKMS").first("KMSKeyArn", "kmsKeyArn")
}

// deletedKeys are the objects that DeleteObjects names, where it names any.
func (p params) deletedKeys() []string {
	var keys []string
	for _, name := range []string{"delete", "Delete"} {
		of := p.at(name)
		for _, list := range []any{of["objects"], of["Objects"], of["Object"], of["object"]} {
			for _, o := range listOf(list) {
				keys = append(keys, o.first("key", "Key"))
			}
		}
	}
	return keys
}

// told are parameters that are said elsewhere, or say nothing.
var told = []string{"name", "trailName", "bucketName", "key", "Host", "keyId", "policy", "lifecycle", "versioning", "encryption",
	"delete", "x-id", "notification", "acl", "publicAccessBlock", "replication", "object-lock", "logging", "requestPayment", "ownershipControls", "retention", "legal-hold", "tagging"}

// detail says in plain words what an event asked for.
func detail(l *lead, p params) string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch l.deed.name {
	case "PutBucketLifecycle", "PutBucketLifecycleConfiguration":
		for _, rule := range listOf(p.at("LifecycleConfiguration")["Rule"]) {
			say("%s", lifecycleRule(rule))
		}
	case "PutBucketPolicy":
		for _, s := range listOf(p.at("bucketPolicy")["Statement"]) {
			say("%s %s to %s", strings.ToLower(word(s["Effect"])), word(s["Action"]), word(s["Principal"]))
		}
	case "PutEventSelectors":
		for _, s := range listOf(p["eventSelectors"]) {
			say("selector: %s", strings.Join(scalars(s), ", "))
		}
		for _, s := range listOf(p["advancedEventSelectors"]) {
			say("advanced selector %q", s.first("name"))
		}
	case "PutBucketVersioning":
		say("versioning %s", word(p.at("VersioningConfiguration")["Status"]))
	case "PutBucketEncryption":
		by := p.at("ServerSideEncryptionConfiguration", "Rule", "ApplyServerSideEncryptionByDefault")
		say("%s", strings.Join(scalars(by), ", "))
	case "PutPublicAccessBlock", "PutBucketPublicAccessBlock":
		say("%s", strings.Join(scalars(p.at("PublicAccessBlockConfiguration")), ", "))
	case "DeleteObjects":
		if l.blind {
			say("which objects, CloudTrail does not log")
		} else {
			say("%d of CloudTrail's objects", len(l.keys))
		}
	}
	parts = append(parts, scalars(p)...)
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, ", ")
}

// lifecycleRule says what a rule does to objects.
func lifecycleRule(rule params) string {
	what := "does not expire current objects"
	switch e := rule.at("Expiration"); {
	case e["Days"] != nil:
		what = "expires after " + days(e["Days"])
	case e["Date"] != nil:
		what = "expires on " + word(e["Date"])
	}
	if n := rule.at("NoncurrentVersionExpiration")["NoncurrentDays"]; n != nil {
		what += ", former versions after " + days(n)
	}
	s := "rule " + word(rule["ID"]) + " " + what
	if prefix := rule.first("Prefix") + rule.at("Filter").first("Prefix"); prefix != "" {
		s += " below " + prefix
	}
	if status := rule.first("Status"); status != "" && status != "Enabled" {
		s += " (" + status + ")"
	}
	return s
}

func days(v any) string {
	if word(v) == "1" {
		return "1 day"
	}
	return word(v) + " days"
}

// scalars are the plain values among parameters, in order of their names.
func scalars(p params) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		switch p[name].(type) {
		case string, bool, json.Number:
			if w := word(p[name]); w != "" && !slices.Contains(told, name) {
				all = append(all, clip(name, 64)+"="+w)
			}
		}
		if len(all) > 20 {
			break
		}
	}
	return all
}

// word is a value in few words.
func word(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return clip(v, 160)
	case bool, json.Number:
		return clip(fmt.Sprint(v), 160)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return clip(string(b), 160)
}
