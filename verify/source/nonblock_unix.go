//go:build unix && !linux

package source

import "syscall"

const (
	nonblock   = syscall.O_NONBLOCK
	notInNames = ""
)
