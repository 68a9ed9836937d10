package verifytest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/trailseal/trailseal/digest"
)

// An Event is put into the first log of its hour, before that is hashed and
// signed, so that an honest digest vouches for it. An hour without logs gets one.
type Event struct {
	Account string    // empty: the first of the spec's
	Region  string    // empty: the first of the spec's
	At      time.Time // when it was logged, UTC; its JSON may say something else
	JSON    string    // the record
}

// A Call is an API call as CloudTrail records it.
type Call struct {
	At              time.Time
	Account, Region string
	Source, Name    string // "s3.amazonaws.com", "PutObject"
	Parameters      string // JSON; empty: null
	Error           string // errorCode, or empty
	Identity        string // JSON of userIdentity; empty: the user mallory
	Resources       string // JSON; empty: none
	ID              string // empty: one that follows from the rest
}

// Event is the call as it is put into a log.
func (c Call) Event() Event {
	return Event{Account: c.Account, Region: c.Region, At: c.At, JSON: c.JSON()}
}

// JSON is the call's record.
func (c Call) JSON() string {
	account := cmp.Or(c.Account, "111122223333")
	identity := cmp.Or(c.Identity, fmt.Sprintf(`{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::%[1]s:user/mallory","accountId":"%[1]s","accessKeyId":"AKIAMALLORYEXAMPLE","userName":"mallory"}`, account))
	id := c.ID
	if id == "" {
		id = string(appendUUID(nil, stream("call", 0, c.At.Unix(), c.Name, c.Parameters, c.Error)))
	}
	more := ""
	if c.Error != "" {
		more += `,"errorCode":` + quote(c.Error)
	}
	if c.Resources != "" {
		more += `,"resources":` + c.Resources
	}
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":%s,"eventTime":"%s","eventSource":"%s","eventName":"%s","awsRegion":"%s",`+
		`"sourceIPAddress":"203.0.113.7","userAgent":"aws-cli/2.27.0","requestParameters":%s,"responseElements":null%s,"eventID":"%s",`+
		`"readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management"}`,
		identity, c.At.UTC().Format(timeLayout), c.Source, c.Name, cmp.Or(c.Region, "eu-west-1"), cmp.Or(c.Parameters, "null"), more, id, account)
}

// events are those that the spec puts into a chain's hour.
func (m *minter) events(c *Chain, start time.Time) []Event {
	var all []Event
	for _, e := range m.spec.Events {
		if cmp.Or(e.Account, m.spec.Accounts[0]) == c.Account && cmp.Or(e.Region, m.spec.Regions[0]) == c.Region &&
			!c.Backfill && !e.At.Before(start) && e.At.Before(start.Add(time.Hour)) {
			all = append(all, e)
		}
	}
	return all
}

// logWith is log with some records more.
func (p *press) logWith(b batch, r *rand.Rand, events []Event) ([]byte, digest.Hash) {
	p.raw = b.appendLog(p.raw[:0], r)
	for _, e := range events {
		p.raw = append(p.raw[:len(p.raw)-len("]}")], ',')
		p.raw = append(append(p.raw, e.JSON...), "]}"...)
	}
	return p.gzip(p.raw), digest.Sum(p.raw)
}
