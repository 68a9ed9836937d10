package source

import (
	"errors"
	"fmt"

	"github.com/trailseal/trailseal/verify"
)

// A UsageError is an argument or a configuration that the user must correct.
// Nothing was read.
type UsageError struct {
	What string // the argument, as given
	Hint string // what to do about it; may be empty
	Err  error
}

func (e *UsageError) Error() string { return fmt.Sprintf("%s: %v", e.What, e.Err) }

func (e *UsageError) Unwrap() error { return e.Err }

func usage(what, hint, format string, args ...any) *UsageError {
	return &UsageError{What: what, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// object names an object for people: quoted, since a key is hostile input.
func object(ref verify.Ref) string { return fmt.Sprintf("object %q", ref.URI()) }

func listing(ref verify.Ref) string { return fmt.Sprintf("listing of %q", ref.URI()) }

// aws's errors carry a code and a message; declared here so that nothing
// below the SDK needs to be imported.
type coded interface {
	ErrorCode() string
	ErrorMessage() string
}

// errorCode is the service's code and message, empty where the error has none.
func errorCode(err error) (code, message string) {
	var c coded
	if errors.As(err, &c) {
		return c.ErrorCode(), c.ErrorMessage()
	}
	return "", ""
}
