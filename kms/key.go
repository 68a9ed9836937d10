package kms

import (
	"fmt"
	"strings"
)

// multiRegion begins the id of a key that has replicas in other regions, which
// share its id and its material.
const multiRegion = "mrk-"

// ParseKey reads the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID in any
// partition, and gives it back as it stands. An alias is refused, since whoever
// may move it decides what it allows, and so is a bare id, which names neither
// region nor account. The error says what is wanted.
func ParseKey(text string) (string, error) {
	wrong := ""
	switch p := strings.Split(text, ":"); {
	case strings.HasPrefix(text, "alias/") || len(p) == 6 && strings.HasPrefix(p[5], "alias/"):
		wrong = "an alias"
	case len(p) == 1:
		wrong = "no ARN"
	case len(p) != 6 || p[0] != "arn" || p[1] != "aws" && !strings.HasPrefix(p[1], "aws-") || p[2] != "kms":
		wrong = "not the ARN of a KMS key"
	case !only(p[1], lower+"-") || !only(p[3], lower+digits+"-"):
		wrong = "an ARN without a region"
	case len(p[4]) != 12 || !only(p[4], digits):
		wrong = "an ARN without an account of 12 digits"
	case !strings.HasPrefix(p[5], "key/") || len(p[5]) > 132 || !only(p[5][4:], letters+digits+"-"):
		wrong = "an ARN without key/ID"
	default:
		return text, nil
	}
	return "", fmt.Errorf("%.100q is %s: arn:aws:kms:REGION:ACCOUNT:key/ID is wanted (aws kms describe-key shows it)", text, wrong)
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	letters = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// only: at least one character, and each one of the set.
func only(text, set string) bool {
	return text != "" && strings.Trim(text, set) == ""
}

// KeyRegion is the region in a key's ARN, or empty where it tells none.
func KeyRegion(arn string) string { return keyPart(arn, 3) }

// KeyAccount is the account in a key's ARN, or empty where it tells none.
func KeyAccount(arn string) string { return keyPart(arn, 4) }

func keyPart(arn string, n int) string {
	p := strings.SplitN(arn, ":", 6)
	if len(p) < 6 || p[0] != "arn" || p[2] != "kms" {
		return ""
	}
	return p[n]
}

// sameKey says whether two ARNs name the same key, or the same multi-region key
// in two regions.
func sameKey(a, b string) bool {
	if a == b {
		return true
	}
	p, q := strings.SplitN(a, ":", 6), strings.SplitN(b, ":", 6)
	return len(p) == 6 && len(q) == 6 && p[1] == q[1] && p[4] == q[4] && p[5] == q[5] &&
		strings.HasPrefix(p[5], "key/"+multiRegion)
}

// keyLike is the text where it is a key's ARN: for messages, and for keys that
// an object names.
func keyLike(text string) string {
	key, _ := ParseKey(text)
	return key
}
