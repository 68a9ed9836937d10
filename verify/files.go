package verify

import "github.com/trailseal/trailseal/digest"

func digestFile(d *sight, r ruling) *File {
	start, end := d.start(), d.end()
	f := &File{
		Kind: "digest", URI: d.ref.URI(), Verdict: r.verdict, Reasons: r.reasons, Detail: r.detail,
		Size: d.content.Size, Start: &start, End: &end, Version: d.version,
		Key: d.sealing.key(), Envelope: d.sealing.envelope.Scheme, sealing: d.sealing,
	}
	f.sealing.at = d.name.End // not the digest's own word: one that nobody signed may say anything
	if d.vouched() && d.err == nil && d.altered == nil && r.verdict == Modified {
		f.Expected = d.previous().Hash.String()
		if d.content.Form == digest.Exact || d.content.Form == digest.TrailingData {
			f.Actual = d.content.Hash.String()
		}
	}
	return f
}

func logFile(s *logStep, seen logSight, r ruling) *File {
	f := &File{
		Kind: "log", URI: Ref{s.listed.Bucket, s.listed.Object}.URI(), Verdict: r.verdict, Reasons: r.reasons,
		Detail: r.detail, Digest: s.digest, Size: seen.content.Size, Version: seen.version,
		Key: seen.sealing.key(), Envelope: seen.sealing.envelope.Scheme, sealing: seen.sealing,
	}
	if f.sealing.at = s.listed.Newest; f.Key != "" {
		if name, err := digest.ParseLogName(s.listed.Object); err == nil {
			f.sealing.at = name.Delivered
		}
	}
	if !s.listed.Oldest.IsZero() {
		f.Start = &s.listed.Oldest
	}
	if !s.listed.Newest.IsZero() {
		f.End = &s.listed.Newest
	}
	if s.listed.Algorithm == digest.HashAlgorithm {
		f.Expected = s.listed.Hash.String()
	}
	if whole := seen.content.Form == digest.Exact || seen.content.Form == digest.TrailingData; s.trusted && whole && seen.err == nil && seen.altered == nil && r.verdict != Unattested {
		f.Actual = seen.content.Hash.String()
	}
	return f
}
