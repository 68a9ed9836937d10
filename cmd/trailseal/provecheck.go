package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/trailseal/trailseal/digest"
	"github.com/trailseal/trailseal/verify"
	"github.com/trailseal/trailseal/verify/report"
	"github.com/trailseal/trailseal/verify/source"
)

// runCheck checks a proof. It asks nobody.
func (o *proveOptions) runCheck(s streams) error {
	known, err := o.known(s)
	if err != nil {
		return err
	}
	f, err := os.Open(o.check)
	if err != nil {
		return fmt.Errorf("reading the proof: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return usagef("--check %q is a directory", o.check)
	}
	proof, exact, err := verify.ReadProof(f)
	if err != nil {
		err = fmt.Errorf("%q: %w", o.check, err)
		if errors.Is(err, verify.ErrNoProof) {
			return &hintedError{err, []string{"trailseal prove EVENT-ID SOURCE -o FILE writes one"}}
		}
		return err
	}
	result := verify.CheckProof(proof, exact, known, int64(o.logLimit))
	exit := o.exitOf(result)
	if err := report.WriteProofResult(s.out, o.format, result, exit, o.colors(s.out)); err != nil {
		if exit == exitKept {
			exit = exitUnproven
		}
		return &exitError{exit, fmt.Errorf("writing the result: %w", err)}
	}
	if exit != exitKept {
		return &exitError{code: exit}
	}
	return nil
}

// known are the public keys that the user has from elsewhere.
func (o *proveOptions) known(s streams) ([]digest.PublicKey, error) {
	if o.keyFiles == nil {
		return nil, nil
	}
	keys, err := source.OpenKeyFiles(o.keyFiles)
	if err != nil {
		return nil, usage(err)
	}
	warnAll(s.warner(o.quiet), keys)
	return append([]digest.PublicKey{}, keys.All()...), nil
}

// exitOf is the status that a check ends in.
func (o *proveOptions) exitOf(r verify.ProofResult) int {
	switch {
	case !r.Holds:
		return exitTampered
	case r.Confirmed || o.trust:
		return exitKept
	}
	return exitUnproven
}
