package report

import (
	"strconv"

	"github.com/trailseal/trailseal/verify"
)

// alertOfEvent is an event that touched the trail, as a remark: it is what was done,
// not what is wrong. It goes to the account and region in which it was done.
func alertOfEvent(e verify.Explanation, names shortNames) alert {
	e = jsonExplanation(e)
	at := e.Time
	title := "CloudTrail event " + Clean(e.Event) + " touched the trail"
	if len(e.Explains) > 0 {
		title += " and may explain what was found"
	}
	return alert{
		uid: stableID("event", e.ID, e.Event, moment(e.Time)), word: "event", class: verify.Remark, rank: informational,
		title: title, text: eventText(e, names), chain: verify.ChainRef{Account: e.Account, Region: e.Region},
		start: &at, end: &at, event: &e,
	}
}

// alertOfUnlisted counts the events that a report has no room for.
func alertOfUnlisted(n int64) alert {
	return alert{uid: stableID("events", "unlisted"), word: "event", class: verify.Remark, rank: informational,
		title: "CloudTrail events touched the trail that are not listed", text: sentences(notTold(0, n))}
}

// alertsOfEvents are those of a whole run.
func alertsOfEvents(s verify.Summary, names shortNames) []alert {
	var all []alert
	for _, e := range s.Explained {
		all = append(all, alertOfEvent(e, names))
	}
	if s.UnlistedEvents > 0 {
		all = append(all, alertOfUnlisted(s.UnlistedEvents))
	}
	return all
}

// eventFields are what ASFF has no place for of an event, by name.
func eventFields(e *verify.Explanation) map[string]string {
	if e == nil {
		return nil
	}
	fields := map[string]string{"event": e.Event, "eventSource": e.Service, "eventId": e.ID, "who": e.Who, "accessKeyId": e.AccessKey,
		"sourceIp": e.From, "userAgent": e.Agent, "errorCode": e.Error, "target": e.Target, "detail": e.Detail, "log": e.Log, "explains": places(*e)}
	return fields
}

// recoverFields are the same of what versions hold of a file.
func recoverFields(r *verify.Recover) map[string]string {
	if r == nil {
		return nil
	}
	return map[string]string{"recover": recovered(r) + removed(r), "recoverVersion": r.Version, "recoverCommand": r.Command,
		"recoverSaved": r.Saved, "recoverProblem": r.Problem, "recoverLooked": strconv.Itoa(r.Looked)}
}
