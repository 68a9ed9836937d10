//go:build unix

package bundle

import "syscall"

const nonblock = syscall.O_NONBLOCK
