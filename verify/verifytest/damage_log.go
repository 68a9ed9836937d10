package verifytest

import (
	"bytes"
	"errors"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
)

// logDamages befall one log file.
var logDamages = []Damage{
	logDamage("log-modified", "an address in a log is changed and the log compressed again", verify.HashMismatch, editLog),
	logDamage("log-appended", "bytes are appended to a log, after its gzip member", verify.TrailingData, func(gz []byte) []byte {
		return append(gz, "one more record"...)
	}),
	logDamage("log-second-member", "a second gzip member is appended to a log", verify.TrailingData, func(gz []byte) []byte {
		return append(gz, zip([]byte(`{"Records":[]}`))...)
	}),
	logDamage("log-nul-padded", "a log is padded with 16 NUL bytes, which gunzip passes over", verify.TrailingData, func(gz []byte) []byte {
		return append(gz, make([]byte, 16)...)
	}),
	logDamage("log-truncated", "the checksum and length at the end of a log are cut off", verify.Truncated, cutTrailer),
	logDamage("log-cut-half", "the second half of a log is cut off", verify.Truncated, func(gz []byte) []byte {
		return gz[:len(gz)/2]
	}),
	logDamage("log-corrupt", "the checksum at the end of a log is changed", verify.GzipCorrupt, func(gz []byte) []byte {
		gz[len(gz)-8] ^= 1
		return gz
	}),
	logDamage("log-not-gzip", "a log is stored uncompressed", verify.NotGzip, unzip),
	logDamage("log-empty", "a log is replaced by an empty file", verify.Truncated, func([]byte) []byte { return nil }),
	logDamage("log-bomb", "a log is replaced by 4 MB that inflate to 4 GiB", verify.TooLarge, func([]byte) []byte {
		return bomb(4 << 30)
	}),
	{
		Name: "log-deleted", Says: "a log is deleted", order: changes,
		Expect: "the log is deleted (not-found)", Exit: 1, do: deleteLog,
	},
	{
		Name: "log-recompressed", Says: "a log is compressed anew; its content is the same", order: changes,
		Expect: "nothing: the log is kept", Exit: 0, do: recompressLog,
	},
	{
		Name: "log-listed-twice", Says: "the next digest lists a log once more, as CloudTrail may", order: changes,
		Expect: "nothing: the log is kept, and counted once", Exit: 0, do: listTwice,
	},
	{
		Name: "forged-log", Says: "a log that CloudTrail never wrote is laid among the others", order: changes,
		Expect: "the log is unreferenced (no-digest), or pending while it is younger than 48 hours", Exit: 3, do: forgeLog,
	},
}

// logDamage changes the stored bytes of one log.
func logDamage(name, says string, reason verify.Reason, change func([]byte) []byte) Damage {
	return Damage{
		Name: name, Says: says, Expect: "the log is modified (" + string(reason) + ")", Exit: 1, order: changes,
		do: func(b *breaker) error {
			ref, err := b.log()
			if err != nil {
				return err
			}
			o, _ := b.w.Get(ref)
			o.Bytes = change(bytes.Clone(o.Bytes))
			o.Modified = o.Modified.Add(3 * time.Hour)
			b.w.Put(ref, o)
			b.victim(ref, logExpected(verify.Modified, reason))
			return nil
		},
	}
}

// log chooses a log file. Its digest is left alone from now on.
func (b *breaker) log() (verify.Ref, error) {
	s, err := b.middle(1)
	if err != nil {
		return verify.Ref{}, err
	}
	logs := b.logs(s.digest())
	b.w.taken[s.digest().Ref] = true
	return logs[b.rand.IntN(len(logs))], nil
}

func unzip(gz []byte) []byte {
	raw, _, err := digest.ReadGzip(bytes.NewReader(gz), verify.DefaultLogLimit)
	if err != nil {
		panic(err) // bytes in memory do not break
	}
	return raw
}

func editLog(gz []byte) []byte {
	return zip(bytes.Replace(unzip(gz), []byte(`"sourceIPAddress":"10.`), []byte(`"sourceIPAddress":"203.`), 1))
}

func cutTrailer(gz []byte) []byte { return gz[:len(gz)-8] }

func deleteLog(b *breaker) error {
	ref, err := b.log()
	if err != nil {
		return err
	}
	b.w.Delete(ref)
	b.victim(ref, logExpected(verify.Deleted, verify.NotFound))
	return nil
}

func recompressLog(b *breaker) error {
	ref, err := b.log()
	if err != nil {
		return err
	}
	o, _ := b.w.Get(ref)
	var again bytes.Buffer
	zip, err := gzip.NewWriterLevel(&again, gzip.BestSpeed)
	if err != nil {
		return err
	}
	_, err = zip.Write(unzip(o.Bytes))
	if err = errors.Join(err, zip.Close()); err != nil {
		return err
	}
	o.Bytes = again.Bytes()
	b.w.Put(ref, o)
	b.victim(ref, logExpected(verify.Kept))
	return nil
}

func listTwice(b *breaker) error {
	s, err := b.middle(1)
	if err != nil {
		return err
	}
	l := b.w.mustRecord(s.digest()).Logs[0]
	r := b.w.mustRecord(s.next())
	r.Logs = append(r.Logs, l)
	b.w.store(s.c, s.next(), r)
	b.w.relink(s.c, s.i+2)
	b.w.taken[s.digest().Ref], b.w.taken[s.next().Ref] = true, true
	b.victim(logRef(l), logExpected(verify.Kept))
	return nil
}

func forgeLog(b *breaker) error {
	ref, err := b.log()
	if err != nil {
		return err
	}
	name, err := digest.ParseLogName(ref.Key)
	if err != nil {
		return err
	}
	id := logID(b.rand)
	name.ID = string(id[:])
	o, _ := b.w.Get(ref)
	forged := verify.Ref{Bucket: ref.Bucket, Key: name.Key()}
	b.w.Put(forged, Object{Bytes: editLog(o.Bytes), Modified: o.Modified})
	b.victim(forged, Expected{byAge: true})
	return nil
}
