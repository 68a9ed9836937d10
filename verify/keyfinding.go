package verify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// keyFindings says what is to be found on one KMS key. It is a pure function.
func (r *run) keyFindings(k KeyUse, use *keyUse, s KeyState, accounts map[string]bool) []Finding {
	var found []Finding
	add := func(kind FindingKind, start, end *time.Time, format string, args ...any) {
		found = append(found, Finding{Kind: kind, Key: k.ARN, Start: start, End: end, Message: "key " + k.ARN + " " + fmt.Sprintf(format, args...)})
	}
	switch {
	case s.State == "PendingReplicaDeletion":
		add(KeyDoomed, nil, nil, "waits for the deletion of its replicas and is deleted %d days after that; %s are then lost for good, unless it is stopped: %s", s.Waits, k.holds(), k.Remedy)
	case s.State == "PendingDeletion" && k.Deletion != nil:
		add(KeyDoomed, nil, nil, "is deleted on %s; %s are then lost for good, unless it is stopped: %s", day(*k.Deletion), k.holds(), k.Remedy)
	case s.State == "PendingDeletion":
		add(KeyDoomed, nil, nil, "waits for its deletion; %s are then lost for good, unless it is stopped: %s", k.holds(), k.Remedy)
	case k.Expires != nil:
		add(KeyDoomed, nil, nil, "holds imported material that ends on %s; %s are unreadable from then on, unless who holds it imports it again: aws kms import-key-material", day(*k.Expires), k.holds())
	}
	switch s.State {
	case "Disabled":
		add(KeyDisabled, nil, nil, "is disabled%s: %s", stillRead(k), k.Remedy)
	case "PendingImport":
		add(KeyDisabled, nil, nil, "has no key material (it was deleted or has expired)%s: who holds it can import it again, %s", stillRead(k), k.Remedy)
	case "Unavailable":
		add(KeyDisabled, nil, nil, "is unavailable, its key store is not connected%s: %s", stillRead(k), k.Remedy)
	}
	if foreign := r.foreign(k, use, accounts); foreign != "" {
		add(KeyForeign, stamp(use.oddFirst), stamp(use.oddLast), "%s", foreign)
	}
	return found
}

// foreign says why a key is none that the files should be encrypted with.
func (r *run) foreign(k KeyUse, use *keyUse, accounts map[string]bool) string {
	if slices.Contains(r.OwnKeys, k.ARN) {
		return ""
	}
	var parts []string
	if why := r.stranger(k, accounts); why != "" {
		parts = append(parts, why+"; "+k.holds()+" are encrypted with it")
	}
	if use.odd > 0 {
		parts = append(parts, fmt.Sprintf("was not the trail's at the time: %d of its files lie among others of the chain, delivered within %d hours before and after, that are encrypted with %s", use.odd, amongHours, use.usual))
	}
	return strings.Join(parts, "; it ")
}

// stranger says whose a key is that nobody has named as the trail's own, where
// that is neither an account whose logs these are nor that of an own key.
func (r *run) stranger(k KeyUse, accounts map[string]bool) string {
	if k.Account == "" || accounts[k.Account] || slices.ContainsFunc(r.OwnKeys, func(own string) bool { return arnPart(own, 4) == k.Account }) {
		return ""
	}
	return fmt.Sprintf("belongs to the account %.20q, none of whose logs were verified (--kms-key names keys that are known)", k.Account)
}

// holds says what depends on a key.
func (k KeyUse) holds() string {
	files := fmt.Sprintf("%d files", k.Files)
	if k.Files == 1 {
		files = "1 file"
	}
	if k.First == nil || k.Last == nil {
		return files
	}
	return fmt.Sprintf("%s of %s to %s", files, day(*k.First), day(*k.Last))
}

// stillRead tells what could be read under a key before it was disabled, or
// while S3 still remembered it.
func stillRead(k KeyUse) string {
	if n := k.Files - k.Unreadable; n > 0 && k.Unreadable > 0 {
		return fmt.Sprintf(", since %d of its %d files were read in this run", n, k.Files)
	}
	return ""
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// remedy is the command that undoes a key's state.
func remedy(k KeyUse) string {
	enable := "aws kms enable-key" + keyFlags(k)
	switch k.State {
	case "Disabled":
		return enable
	case "PendingDeletion", "PendingReplicaDeletion":
		return "aws kms cancel-key-deletion" + keyFlags(k) + " && " + enable
	case "PendingImport":
		return "aws kms import-key-material" + keyFlags(k) + " …"
	case "Unavailable":
		return "aws kms connect-custom-key-store …"
	}
	return ""
}

// keyFlags names a key to the AWS CLI. Where the ARN is not made of what ARNs
// are made of, it is not put into a command that somebody may paste.
func keyFlags(k KeyUse) string {
	plain := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(":/-_", c))
	}
	if strings.ContainsFunc(k.ARN, plain) || k.Region == "" {
		return " --key-id KEY"
	}
	return " --key-id " + k.ARN + " --region " + k.Region
}
