// Package bundle reads and writes evidence bundles: what was collected of trails,
// in a directory, or in one .tar or .tar.zst file. See docs/bundle.md.
//
// A bundle holds entries (the bytes of objects, and a few files about the
// collection) and a manifest with the SHA-256 of each and all that is known of
// every object. The SHA-256 of the manifest's head is the bundle's seal.
package bundle
