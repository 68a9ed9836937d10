package main

import (
	"slices"
	"strings"

	"github.com/trailseal/trailseal/kms"
)

// anyKey is the word of --kms-key that allows every key.
const anyKey = "any"

// kmsOptions are the flags about what KMS encrypted.
type kmsOptions struct {
	keys     []string
	context  []string
	decrypt  string
	endpoint string
	pairs    map[string]string // of context, once checked
}

func (k *kmsOptions) flags(f flagSet) {
	f.StringArrayVar(&k.keys, "kms-key", nil, "`ARN` of a KMS key that may open what a client encrypted (repeatable), or any (default: the trail's own)")
	f.StringArrayVar(&k.context, "encryption-context", nil, "`key=value` that the encryption context must hold to be opened (repeatable)")
	f.StringVar(&k.decrypt, "decrypt", "auto", "auto or off: open what a client encrypted")
	f.StringVar(&k.endpoint, "kms-endpoint-url", "", "`URL` of a server that speaks KMS")
}

// check refuses what makes no sense.
func (k *kmsOptions) check() error {
	for _, key := range k.keys {
		if key == anyKey {
			continue
		}
		if _, err := kms.ParseKey(key); err != nil {
			return usagef("--kms-key %w", err)
		}
	}
	k.pairs = map[string]string{}
	for _, pair := range k.context {
		name, value, ok := strings.Cut(pair, "=")
		if was, twice := k.pairs[name]; !ok || name == "" || twice && was != value {
			return usagef("--encryption-context %q: give it as key=value, each key once", pair)
		}
		k.pairs[name] = value
	}
	if err := oneOf("--decrypt", k.decrypt, "auto", "off"); err != nil {
		return err
	}
	if k.decrypt == "off" && len(k.keys)+len(k.context) > 0 {
		return usagef("--decrypt off opens nothing: --kms-key and --encryption-context do not go with it")
	}
	return nil
}

// opener opens what the keys allow; nil opens nothing.
func (k *kmsOptions) opener(ask kms.Decrypter, trailKey string) *kms.Opener {
	if k.decrypt == "off" {
		return nil
	}
	o := &kms.Opener{KMS: ask, Context: k.pairs, AnyKey: slices.Contains(k.keys, anyKey)}
	if len(k.keys) == 0 && trailKey != "" {
		o.Keys = []string{trailKey}
	}
	for _, key := range k.keys {
		if key != anyKey {
			o.Keys = append(o.Keys, key)
		}
	}
	return o
}

// own are the keys that files may be encrypted with, the trail's first.
func (k *kmsOptions) own(trailKey string) []string {
	var own []string
	if trailKey != "" {
		own = append(own, trailKey)
	}
	for _, key := range k.keys {
		if key != anyKey {
			own = append(own, key)
		}
	}
	return own
}
