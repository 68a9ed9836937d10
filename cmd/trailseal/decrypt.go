package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

const decryptLong = `Write the plaintext of one object or file: what a client encrypted with KMS (the S3
Encryption Client, the AWS Encryption SDK), or what S3 itself decrypts. It stays gzip where it
was gzip. Nothing is written before its authentication tags are checked.

Where the object lies among CloudTrail's files, the digests of its time are verified to say
whether one vouches for it. What nobody sealed, and AES-CBC, which old clients wrote, has no tag: it
is unauthenticated unless a digest vouches for it. What is unauthenticated, or not what a digest
vouches for, is written only with --allow-unauthenticated. The file written is readable by its
owner alone.

Exit status: 0 written, and a digest or a tag vouches for it, or it was allowed; 1 what is stored
is not what was sealed or what a digest vouches for; 2 wrong usage; 3 it could not be opened, or
nothing vouches for it.`

const decryptExample = `  trailseal decrypt s3://my-archive/AWSLogs/…/111122223333_CloudTrail_eu-west-1_20260310T0210Z_ZpOUha8gn2aqzdpt.json.gz \
      --kms-key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab -o log.json.gz
  trailseal decrypt ./message.esdk --kms-key any -o - | gunzip | jq .Records`

// decryptOptions are decrypt's flags.
type decryptOptions struct {
	verifyOptions
	to    string
	loose bool
}

func newDecrypt(s streams) *cobra.Command {
	o := decryptOptions{verifyOptions: verifyOptions{logLimit: verify.DefaultLogLimit, digestLimit: verify.DefaultDigestLimit}}
	cmd := &cobra.Command{
		Use:     "decrypt URI|FILE",
		Short:   "Write the plaintext of one object or file",
		Long:    decryptLong,
		Example: decryptExample,
		Args: func(_ *cobra.Command, args []string) error {
			return oneArg("decrypt", "s3://BUCKET/KEY or a file", args)
		},
		PreRunE: func(*cobra.Command, []string) error { return o.kms.check() },
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), s, args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.to, "output", "o", "", "write to this `file`, whole or not at all (default and -: standard output)")
	f.BoolVar(&o.loose, "allow-unauthenticated", false, "write also what nothing vouches for: AES-CBC without a digest, or what a digest contradicts")
	f.StringArrayVar(&o.keyFiles, "public-keys", nil, "`file` that aws cloudtrail list-public-keys printed (repeatable)")
	o.aws.flags(f)
	o.kms.flags(f)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "do not say what vouches for it")
	return cmd
}

// oneArg wants exactly one argument.
func oneArg(command, what string, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return usagef("%s wants %s", command, what)
	case len(args) > 1:
		return usagef("%s takes one argument, got %d: %q", command, len(args), args)
	}
	return nil
}

// run opens, asks the digests, and only then writes: what must not be written
// is known first.
func (o *decryptOptions) run(ctx context.Context, s streams, name string) error {
	if err := o.checkOutput(s, name); err != nil {
		return err
	}
	t, err := o.target(ctx, name, s.warner(o.quiet), source.OpenFile)
	if err != nil {
		return err
	}
	out, err := openOutputMode(o.to, s.out, 0o600) // what was encrypted is nobody else's to read
	if err != nil {
		return err
	}
	defer out.Discard()
	kept := &holder{}
	defer kept.Close()
	seen, err := t.unseal(ctx, kept)
	if err != nil {
		return t.failed(err)
	}
	verdict := o.ask(ctx, t, seen, kept)
	if !o.quiet {
		fmt.Fprintf(s.err, "trailseal: %s; %s\n", report.CleanText(sealedHow(seen, verdict.vouched)), report.CleanText(verdict.says))
	}
	refused := refuse(seen, verdict)
	if refused != nil && !o.loose {
		return refused
	}
	if err = kept.copyTo(out); err == nil {
		err = out.Commit()
	}
	switch {
	case err != nil:
		return &exitError{exitUnproven, fmt.Errorf("writing the plaintext: %w", err)}
	case verdict.bad:
		return &exitError{code: exitTampered}
	}
	return nil
}

// checkOutput keeps the plaintext from the terminal, which it may do things to,
// and from the evidence.
func (o *decryptOptions) checkOutput(s streams, name string) error {
	if o.to == "" && isTerminal(s.out) {
		return usagef("standard output is a terminal, and the plaintext need not be text").hint("-o FILE writes it to a file, -o - to the terminal all the same")
	}
	in, err := os.Stat(name)
	out, err2 := os.Stat(o.to)
	if err == nil && err2 == nil && os.SameFile(in, out) {
		return usagef("--output %q is the file that is to be opened: the evidence is never written to", o.to)
	}
	return nil
}

// refuse is why a plaintext is not written, unless the user wants it all the
// same. What a tag covers is what the key sealed; all else is as good as the
// digest that vouches for it.
func refuse(seen verify.Object, v answer) error {
	hints := []string{"--allow-unauthenticated writes it all the same"}
	tagged := seen.Envelope.Scheme != "" && !seen.Envelope.Loose
	switch {
	case v.bad:
		return &exitError{exitTampered, &hintedError{errors.New("a digest vouches for something else, and nothing was written"), hints}}
	case !tagged && !v.vouched:
		return &exitError{exitUnproven, &hintedError{errors.New("it is unauthenticated, and nothing was written"), hints}}
	}
	return nil
}

// unseal reads the plaintext. An object that broke half-way begins anew.
func (t *target) unseal(ctx context.Context, kept *holder) (seen verify.Object, err error) {
	err = t.store.Read(ctx, t.ref, func(o verify.Object) error {
		seen = o
		if o.Altered != nil {
			return nil
		}
		if err := kept.reset(); err != nil {
			return err
		}
		_, err := io.Copy(kept, o.Body)
		return err
	})
	if err == nil && seen.Altered != nil {
		err = fmt.Errorf("%w: %s: %s", errAltered, seen.Altered.Reason, seen.Altered.Detail)
	}
	return seen, err
}

var errAltered = errors.New("what is stored is not what was sealed")

// failed is what a failure to open ends in.
func (t *target) failed(err error) error {
	var missing *verify.NotFoundError
	var unreadable *verify.UnreadableError
	switch {
	case errors.Is(err, errAltered):
		return &exitError{exitTampered, err}
	case errors.As(err, &missing):
		return err
	case errors.As(err, &unreadable) && unreadable.Hint != "":
		return &exitError{exitUnproven, &hintedError{err, []string{unreadable.Hint}}}
	}
	return &exitError{exitUnproven, err}
}

// An answer is what the digests say of the object.
type answer struct {
	says    string
	vouched bool
	bad     bool // a digest that is trusted vouches for something else
}

// A held store gives the plaintext that is held in the place of the object: a
// digest must vouch for what is written, and not for what another request brings.
type held struct {
	verify.Store
	ref  verify.Ref
	seen verify.Object
	kept *holder
}

func (h *held) Read(ctx context.Context, ref verify.Ref, use func(verify.Object) error) error {
	if !h.Holds(h.ref, ref) {
		return h.Store.Read(ctx, ref, use)
	}
	body, err := h.kept.reader()
	if err != nil {
		return err
	}
	o := h.seen
	o.Body = body
	return use(o)
}

// ask verifies the digests of the object's time.
func (o *decryptOptions) ask(ctx context.Context, t target, seen verify.Object, kept *holder) answer {
	if !t.placed {
		return answer{says: "no digest was asked: it does not lie where CloudTrail writes"}
	}
	file, found, doubt, err := verify.Vouch(ctx, verify.Request{
		Version: readBuild().Version, Source: t.name, Store: &held{t.store, t.ref, seen, kept}, Keys: t.keys, Now: time.Now().UTC(),
		LogLimit: int64(o.logLimit), DigestLimit: int64(o.digestLimit),
	}, t.ref)
	switch {
	case err != nil:
		return answer{says: "no digest vouches for it: " + err.Error()}
	case !found && doubt != "":
		return answer{says: "no digest vouches for it, and not all of its time could be asked: " + doubt}
	case !found:
		return answer{says: "no digest vouches for it: none of its time names it"}
	case file.Verdict == verify.Kept:
		return answer{says: "a digest vouches for it" + by(file), vouched: true}
	}
	says := fmt.Sprintf("it is %s: %s%s", file.Verdict, report.Explain(file), by(file))
	return answer{says: says, bad: file.Verdict.Class() == verify.Tampering}
}

func by(f verify.File) string {
	if f.Digest == "" {
		return ""
	}
	return " (" + f.Digest + ")"
}

// sealedHow says how the object was sealed and what that is worth.
func sealedHow(o verify.Object, vouched bool) string {
	e := o.Envelope
	switch {
	case e.Planted:
		return "no client encrypted it, though its metadata says so"
	case e.Scheme == "" && o.SSE.Key != "":
		return "no client encrypted it, as far as can be seen; S3 decrypted it with the key " + o.SSE.Key
	case e.Scheme == "":
		return "no client encrypted it, as far as can be seen"
	case e.Loose && !vouched:
		return fmt.Sprintf("%s, opened with the key %s: unauthenticated, AES-CBC has no tag of its own", e.Scheme, e.Key)
	case e.Loose:
		return fmt.Sprintf("%s, opened with the key %s: AES-CBC, authenticated by the digest alone", e.Scheme, e.Key)
	}
	return fmt.Sprintf("%s, opened with the key %s: authenticated", e.Scheme, e.Key)
}
