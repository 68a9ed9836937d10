package kms

import "slices"

// Words of the S3 Encryption Client. Sources: its specification, "Content
// encryption", "Key commitment", and for V2 what its releases wrote.
const (
	boundCipher = "aws:x-amz-cek-alg" // in the encryption context: binds the cipher to the data key
	hintedKey   = "kms_cmk_id"        // in the legacy encryption context: the key's id, which binds nothing

	wrapContext = "kms+context"
	wrapLegacy  = "kms"
	cipherGCM   = "AES/GCM/NoPadding"
	cipherCBC   = "AES/CBC/PKCS5Padding"
	cipherCTR   = "AES/CTR/NoPadding" // how clients read a part; none writes it

	suiteCommit     = "115" // 0x0073: AES-256-GCM, HKDF-SHA512, key commitment
	suiteCommitID   = "\x00\x73"
	wrapContextV3   = "12"
	lengthCommitV3  = 28
	lengthMessageV3 = 28

	keyLength = 32
	ivGCM     = 12
	ivCBC     = 16
	tagLength = 16
)

// wrappedIn takes the wrapped data key out of an envelope, with the contexts that
// bind the cipher which the envelope names, and hold what the user demands.
func (o *Opener) wrappedIn(e envelope, keyField, contextField string) (w wrapped, err error) {
	if w.blob, err = readBase64(e.field, keyField, 1, mostWrapped); err != nil {
		return w, err
	}
	if w.contexts, err = readContexts(contextField, e.field[contextField], e.header); err != nil {
		return w, err
	}
	hint := w.contexts[0][hintedKey]
	w.named, w.keys = keyLike(hint), o.keysForAny(hint)
	if want, always := e.bound(); want != "" {
		got := w.contexts[0][boundCipher]
		w.contexts = slices.DeleteFunc(w.contexts, func(c map[string]string) bool {
			is, bound := c[boundCipher]
			return is != want && (bound || always)
		})
		if len(w.contexts) == 0 {
			return w, malformed("the content is said to be encrypted by %.80q, and the key to be for %.80q", want, got)
		}
	}
	w.contexts = slices.DeleteFunc(w.contexts, func(c map[string]string) bool { return !o.demanded(c) })
	if len(w.contexts) == 0 {
		return w, o.otherContext(w.named)
	}
	return w, nil
}

// bound is the cipher that the encryption context must name, so that nobody can
// have the content read by a weaker one. The legacy wrap need not bind it; where
// its context does all the same, somebody renamed the wrap.
func (e envelope) bound() (cipher string, always bool) {
	if e.scheme == S3ECv3 {
		return e.field[fieldSuite], true
	}
	return e.field[fieldCipher], e.field[fieldWrap] == wrapContext
}

// demanded says whether an encryption context holds the pairs that the user
// demands. What the client put there itself counts for none.
func (o *Opener) demanded(c map[string]string) bool {
	for name, want := range o.Context {
		if got, there := c[name]; !there || got != want || name == boundCipher || name == hintedKey {
			return false
		}
	}
	return true
}

// otherContext refuses an object whose context is not the one demanded. Whether
// its key may be asked comes first: who may not be asked is told nothing.
func (o *Opener) otherContext(key string) error {
	if none := !o.AnyKey && len(o.Keys) == 0; none || key != "" && !o.allows(key) { // an object need not name its key
		return notAllowed(key)
	}
	r := refuse(EnvelopeRefused, "its encryption context does not hold what is demanded of it")
	r.Key, r.Hint = key, "--encryption-context demands pairs that this object was not sealed with"
	return r
}
