//go:build linux || darwin || freebsd

package main

import "syscall"

// freeSpace is how many bytes this user may still write to a path's file system.
func freeSpace(path string) (free int64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
