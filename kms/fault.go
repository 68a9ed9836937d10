package kms

import "fmt"

// malformed says that no writer makes such an envelope.
func malformed(format string, args ...any) error {
	return &AlteredError{Reason: Malformed, Detail: fmt.Sprintf(format, args...)}
}

// altered says that the bytes are not what the key sealed.
func altered(format string, args ...any) error {
	return &AlteredError{Reason: Altered, Detail: fmt.Sprintf(format, args...)}
}

// refuse says that the object cannot be opened, for something other than its
// key.
func refuse(reason Reason, format string, args ...any) *RefusedError {
	return &RefusedError{Reason: reason, Err: fmt.Errorf(format, args...)}
}
