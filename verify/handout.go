package verify

import "github.com/trailseal/trailseal/digest"

// logs hands out the logs that a digest lists, each once however many digests
// list it.
func (c *chainRun) logs(d *sight, record *digest.Record, trusted bool, detail string) {
	uri := d.ref.URI()
	for _, l := range record.Logs {
		if c.stopped {
			return
		}
		if !c.g.firstTime(l, trusted, c.id.Backfill) {
			continue
		}
		c.r.Progress.Logs.Add(1)
		c.send(step{log: &logStep{listed: l, digest: uri, trusted: trusted, detail: detail}})
	}
	record.Logs = nil // the digest itself may wait a little longer; its logs need not
}
