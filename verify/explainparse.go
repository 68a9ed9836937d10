package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trailseal/trailseal/digest"
)

// A lead is an event that may have touched the trail, what belongs to it, or
// neither: that is known only when all has been read.
type lead struct {
	Explanation
	deed   *deed
	trail  string   // name or ARN
	bucket string   //
	keys   []string // of objects, those in CloudTrail's folders
	blind  bool     // it does not name the objects
	kms    []string // keys that it was done to, by ARN, id or alias
	sets   string   // the KMS key that is to be encrypted with from then on
	size   int      // about how much memory it takes
}

// An event's texts come from whoever called the API.
const (
	maxField  = 512  // bytes of a text
	maxTarget = 1200 // and of an object's URI, of which the key has at most 1,024
	maxKeyLen = 1024
	maxNamed  = 32 << 10 // of the keys of one DeleteObjects
)

// A text is a JSON string, or nothing where there is something else.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// A record is what is read of an event. The names of its fields are CloudTrail's.
type record struct {
	ID        text          `json:"eventID"`
	Name      text          `json:"eventName"`
	Source    text          `json:"eventSource"`
	Time      text          `json:"eventTime"`
	Region    text          `json:"awsRegion"`
	From      text          `json:"sourceIPAddress"`
	Agent     text          `json:"userAgent"`
	Error     text          `json:"errorCode"`
	Recipient text          `json:"recipientAccountId"`
	Identity  loose[caller] `json:"userIdentity"`
	Request   loose[params] `json:"requestParameters"`
	Response  loose[params] `json:"responseElements"`
	Resources loose[[]struct {
		ARN text `json:"ARN"`
	}] `json:"resources"`
}

type caller struct {
	Type      text `json:"type"`
	Principal text `json:"principalId"`
	ARN       text `json:"arn"`
	Account   text `json:"accountId"`
	AccessKey text `json:"accessKeyId"`
	InvokedBy text `json:"invokedBy"`
	UserName  text `json:"userName"`
}

// A loose value is the zero one where the JSON is of another form.
type loose[T any] struct{ v T }

func (l *loose[T]) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v T
	if err := d.Decode(&v); err == nil || errors.As(err, new(*json.UnmarshalTypeError)) {
		l.v = v
	}
	return nil
}

// parseLead reads an event. It is nil where the event is none that matters
// whatever trails, buckets and keys the run turns out to be about.
func parseLead(raw []byte) *lead {
	var e record
	if json.Unmarshal(raw, &e) != nil {
		return nil
	}
	d := deedOf[[2]string{string(e.Source), string(e.Name)}]
	at, err := time.Parse(time.RFC3339, string(e.Time))
	if d == nil || err != nil || at.Year() < 1 || at.Year() > 9999 {
		return nil
	}
	l := &lead{deed: d, Explanation: Explanation{
		Event: d.name, Service: d.source, ID: bounded(e.ID), Time: at.UTC(), Account: bounded(e.Recipient), Region: bounded(e.Region),
		Who: e.Identity.v.who(), AccessKey: bounded(e.Identity.v.AccessKey), From: bounded(e.From), Agent: bounded(e.Agent), Error: bounded(e.Error),
		Explains: []int64{},
	}}
	if l.Account == "" {
		l.Account = bounded(e.Identity.v.Account)
	}
	if !l.touch(&e) {
		return nil
	}
	l.Detail = bounded(text(detail(l, e.Request.v)))
	l.size = 600 + len(l.Detail) + len(l.Target) + len(l.Agent) + len(l.Who) + len(l.trail) + len(l.bucket) + len(l.sets)
	for _, k := range append(l.keys, l.kms...) {
		l.size += len(k) + 16
	}
	return l
}

// who is the principal, or what stands for it.
func (c caller) who() string {
	for _, name := range []text{c.ARN, c.InvokedBy, c.Principal, c.UserName, c.Type} {
		if name != "" {
			return bounded(name)
		}
	}
	return ""
}

// isCloudTrail reports whether CloudTrail itself did it: AWS says so, not the
// caller.
func (c caller) isCloudTrail() bool {
	return c.Type == "AWSService" && c.InvokedBy == cloudTrailSource
}

// touch reads what the event was done to. It reports false where that is nothing
// that a trail consists of.
func (l *lead) touch(e *record) bool {
	p := e.Request.v
	switch l.deed.of {
	case ofTrail:
		l.trail = p.first("name", "trailName")
		l.Target, l.sets = bounded(text(l.trail)), p.first("kmsKeyId")
		return l.trail != ""
	case ofBucket:
		l.bucket = p.first("bucketName")
		l.Target, l.sets = bounded(text("s3://"+l.bucket)), p.encryptionKey()
		return l.bucket != ""
	case ofObject:
		l.bucket, l.sets = p.first("bucketName"), p.encryptionKey()
		l.objects(e)
		return l.bucket != "" && (l.blind || len(l.keys) > 0) && !e.Identity.v.isCloudTrail()
	case ofKey:
		l.touchKey(e)
		return len(l.kms) > 0
	}
	return true
}

// objects reads which of CloudTrail's objects the event names.
func (l *lead) objects(e *record) {
	p, room, named := e.Request.v, maxNamed, false
	add := func(key string) {
		if named = named || key != ""; key == "" || len(key) > maxKeyLen || room < len(key) || !isTrailObject(key) {
			return
		}
		room -= len(key)
		l.keys = append(l.keys, key)
	}
	add(p.first("key"))
	if l.deed.name == "RenameObject" {
		from := p.first("x-amz-rename-source", "renameSource")
		add(strings.TrimPrefix(strings.TrimPrefix(from, "/"), l.bucket+"/"))
	}
	for _, k := range p.deletedKeys() {
		add(k)
	}
	for _, r := range e.Resources.v {
		if _, path, ok := strings.Cut(string(r.ARN), ":s3:::"+l.bucket+"/"); ok && l.deed.name == "DeleteObjects" {
			add(path)
		}
	}
	l.blind = l.deed.name == "DeleteObjects" && !named
	l.Target = clip("s3://"+l.bucket, maxTarget)
	if len(l.keys) == 1 {
		l.Target = clip("s3://"+l.bucket+"/"+l.keys[0], maxTarget)
	}
}

// isTrailObject reports whether a key lies where CloudTrail writes logs and
// digests: other services write below AWSLogs as well.
func isTrailObject(key string) bool {
	below, ok := digest.FromAWSLogs(key)
	return ok && strings.Contains(below, "/"+digest.LogFolders[0])
}

// touchKey reads which keys and aliases an event names.
func (l *lead) touchKey(e *record) {
	add := func(name string) {
		if name != "" && len(name) <= maxField && len(l.kms) < 8 {
			l.kms = append(l.kms, name)
		}
	}
	for _, r := range e.Resources.v {
		if strings.Contains(string(r.ARN), ":kms:") {
			add(string(r.ARN))
		}
	}
	for _, p := range []params{e.Request.v, e.Response.v} {
		for _, field := range []string{"keyId", "targetKeyId", "aliasName"} {
			add(p.first(field))
		}
	}
	if len(l.kms) > 0 {
		l.Target = l.kms[0]
	}
	for _, name := range l.kms { // a whole ARN says most
		if strings.Contains(name, ":key/") {
			l.Target = name
			break
		}
	}
}

func bounded(t text) string { return clip(string(t), maxField) }

// clip cuts a text to so many bytes, between characters.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= most {
		return s
	}
	for most -= len("…"); most > 0 && !utf8.RuneStart(s[most]); most-- {
	}
	return s[:most] + "…"
}
