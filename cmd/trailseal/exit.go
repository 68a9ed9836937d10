package main

import (
	"context"
	"errors"
)

// The exit statuses. Which of kept, tampered and unproven a run ends in is
// decided by the engine (verify.Summary.Exit), whatever the report's format.
const (
	exitKept     = 0 // everything in the window is proven
	exitTampered = 1 // something was modified or deleted; wins over unproven
	exitUsage    = 2 // wrong usage or configuration: nothing was checked
	exitUnproven = 3 // something could not be proven, or the run did not finish
)

// An exitError carries the status that the command must end in. One without
// a cause prints nothing: the report has said it all.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// A usageError is a wrong use of the command. It exits 2, and says how to get
// help.
type usageError struct {
	err   error
	hints []string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// A hintedError is a failure before anything was checked, with what to do
// about it. It exits 2.
type hintedError struct {
	err   error
	hints []string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// exitCode is the status an error ends in. What failed before anything was
// checked is 2; code that has begun to check says exitError.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitKept
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, context.Canceled):
		return exitUnproven
	}
	return exitUsage
}
