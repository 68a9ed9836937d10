package verifytest

import (
	"errors"
	"strings"

	"github.com/trailseal/trailseal/verify"
)

// faults are what goes wrong, and where.
type faults struct {
	versions error
	read     map[verify.Ref]error
	match    func(verify.Ref) error
	cuts     map[verify.Ref]int // how often a body still breaks; below zero: always
	lists    []listFault
	keys     map[string]error

	lifecycle error
}

type listFault struct {
	at    verify.Ref
	after int
	err   error
}

// FailRead makes reads of an object fail. A nil error stands for not found.
func (s *Store) FailRead(ref verify.Ref, err error) {
	if err == nil {
		err = &verify.NotFoundError{Ref: ref}
	}
	s.faults.read[ref] = err
}

// FailReads makes reads fail for which match gives an error.
func (s *Store) FailReads(match func(verify.Ref) error) { s.faults.match = match }

// Break makes the body of an object break half-way, so many times; below zero
// always.
func (s *Store) Break(ref verify.Ref, times int) { s.faults.cuts[ref] = times }

// FailList makes listings (and Dirs) of a prefix, and of what is below it, fail
// after so many entries.
func (s *Store) FailList(at verify.Ref, after int, err error) {
	s.faults.lists = append(s.faults.lists, listFault{at, after, err})
}

// FailKeys makes a region's keys fail.
func (s *Store) FailKeys(region string, err error) { s.faults.keys[region] = err }

// Unreadable is an error of a store's kind, for the faults.
func Unreadable(what string, reason verify.Reason) error {
	return &verify.UnreadableError{What: what, Reason: reason, Err: errors.New("as the test asked")}
}

func (s *Store) listFault(at verify.Ref) *listFault {
	for i, f := range s.faults.lists {
		if f.at.Bucket == at.Bucket && strings.HasPrefix(at.Key, f.at.Key) {
			return &s.faults.lists[i]
		}
	}
	return nil
}
