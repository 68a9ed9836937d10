package kms

import "strings"

// IsInstruction reports whether a file's content is an instruction file of the
// S3 Encryption Client and nothing else besides.
func IsInstruction(content []byte) bool {
	fields, scheme, err := readInstruction(content)
	if err != nil || scheme == Plain {
		return false
	}
	for name := range fields {
		if !strings.HasPrefix(name, "x-amz-") {
			return false
		}
	}
	return true
}
