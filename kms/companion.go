package kms

import "strings"

// InstructionScheme is the format whose envelope an instruction file holds, or
// Plain where it holds none.
func InstructionScheme(content []byte) Scheme {
	_, scheme, err := readInstruction(content)
	if err != nil {
		return Plain
	}
	return scheme
}

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
