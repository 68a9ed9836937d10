package verifytest

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A KeyState is what DescribeKey calls KeyState, and KeyGone.
type KeyState string

// States of a key. All but KeyEnabled make it refuse to decrypt.
const (
	KeyEnabled                KeyState = "Enabled"
	KeyDisabled               KeyState = "Disabled"
	KeyPendingDeletion        KeyState = "PendingDeletion"        // with a DeletionDate
	KeyPendingReplicaDeletion KeyState = "PendingReplicaDeletion" // with a DeletionWindow
	KeyPendingImport          KeyState = "PendingImport"          // its material was deleted, or never came
	KeyUnavailable            KeyState = "Unavailable"            // its key store is not connected
	KeyCreating               KeyState = "Creating"
	KeyUpdating               KeyState = "Updating"
	KeyGone                   KeyState = "" // there is no such key, or no longer
)

// KeySettings are what is so of a key, and may change while a server runs.
type KeySettings struct {
	State          KeyState
	Denied         bool // the caller may not Decrypt with it
	DescribeDenied bool // nor, apart from that, DescribeKey

	DeletionDate    time.Time
	DeletionWindow  int // days
	Manager         string
	Origin          string    // "AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"
	ExpirationModel string    // of an EXTERNAL key
	ValidTo         time.Time // likewise
	Primary         string    // of a multi-Region replica: its primary's ARN
	Material        [32]byte  // the AES-256 key; another one makes all that was wrapped before unreadable
}

// A KMSKey is one key of the stand-in for KMS.
type KMSKey struct {
	ARN string

	mu       sync.Mutex
	settings KeySettings
}

// Change changes a key's settings, all at once for those who ask meanwhile.
func (k *KMSKey) Change(change func(*KeySettings)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(&k.settings)
}

// SetState puts the key into a state.
func (k *KMSKey) SetState(state KeyState) { k.Change(func(s *KeySettings) { s.State = state }) }

// Settings are the key's settings at this moment.
func (k *KMSKey) Settings() KeySettings {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.settings
}

// A KMS is a stand-in for AWS KMS in all regions at once. Unlike the rest of a
// world its keys may change at any time, and any number of goroutines may use
// it.
type KMS struct {
	mu      sync.Mutex
	keys    map[string]*KMSKey // by ARN
	account string             // of the caller
}

// NewKMS makes a stand-in for KMS without a world, for callers of account
// 111122223333.
func NewKMS() *KMS { return &KMS{keys: map[string]*KMSKey{}, account: "111122223333"} }

// KMS is the world's stand-in for KMS. It has no keys but those that were
// added, and those that Mint, EncryptSSE and Seal encrypted with.
func (w *World) KMS() *KMS { return w.kms }

// Add makes a key: enabled, customer managed, of KMS's own material unless the
// options say otherwise. The material follows from the ARN; a key whose id
// begins with mrk- has the same in all regions. A key that is there already
// keeps its settings but for the options.
func (k *KMS) Add(arn string, options ...func(*KeySettings)) *KMSKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := k.keys[arn]
	if key == nil {
		key = &KMSKey{ARN: arn, settings: KeySettings{
			State: KeyEnabled, Manager: "CUSTOMER", Origin: "AWS_KMS", Material: material(arn),
		}}
		k.keys[arn] = key
	}
	for _, option := range options {
		key.Change(option)
	}
	return key
}

// Replicate makes a multi-Region key's replica in another region: a key of its
// own, with its own state, that opens what the other wrapped.
func (k *KMS) Replicate(arn, region string) *KMSKey {
	primary := k.Add(arn).Settings()
	return k.Add(parseKeyARN(arn).in(region), func(s *KeySettings) {
		s.Primary, s.Material, s.Origin = arn, primary.Material, primary.Origin
	})
}

// Key is the key of an ARN, or nil.
func (k *KMS) Key(arn string) *KMSKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[arn]
}

// family is a multi-Region key in all its regions, by ARN.
func (k *KMS) family(of keyARN) []*KMSKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	var keys []*KMSKey
	for _, arn := range slices.Sorted(maps.Keys(k.keys)) {
		if of.related(parseKeyARN(arn)) {
			keys = append(keys, k.keys[arn])
		}
	}
	return keys
}

// A keyARN is arn:PARTITION:kms:REGION:ACCOUNT:key/ID. Of a key that has no
// such name only the id is known.
type keyARN struct{ partition, region, account, id string }

func parseKeyARN(arn string) keyARN {
	f := strings.SplitN(arn, ":", 6)
	if len(f) < 6 {
		return keyARN{id: arn}
	}
	return keyARN{partition: f[1], region: f[3], account: f[4], id: strings.TrimPrefix(f[5], "key/")}
}

func (a keyARN) multiRegion() bool { return strings.HasPrefix(a.id, "mrk-") }

func (a keyARN) in(region string) string {
	return "arn:" + a.partition + ":kms:" + region + ":" + a.account + ":key/" + a.id
}

// related says of two ARNs that they are one multi-Region key's.
func (a keyARN) related(b keyARN) bool {
	a.region, b.region = "", ""
	return a == b && a.multiRegion()
}

func material(arn string) [32]byte {
	if a := parseKeyARN(arn); a.multiRegion() {
		arn = a.in("")
	}
	return sha256.Sum256([]byte("kms material\x00" + arn))
}
