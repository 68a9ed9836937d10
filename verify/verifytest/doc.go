// Package verifytest mints honest CloudTrail trails with throwaway keys and
// damages them by name.
//
// Mint makes a World from a Spec: buckets with the digest files, log files and
// S3 metadata that CloudTrail would have left there, and the public keys that
// it would publish. World.Damage then breaks it the way an attacker, an
// accident or a lifecycle rule would, and notes which files it touched and
// what a verifier should say of them (World.Victims, World.Expect).
//
// A world can be looked at in three ways: as a directory (World.WriteDir, what
// `aws s3 sync` leaves), as a verify.Store and verify.Keys in memory (Store,
// with faults by name), and as an HTTP server that speaks the parts of S3,
// CloudTrail, KMS, STS and Organizations that a verifier uses (Server, which
// the AWS CLI and the SDKs can be pointed at with AWS_ENDPOINT_URL).
//
// What is stored may be encrypted, by S3 under a key of the world's KMS
// (Spec.KMSKey, World.EncryptSSE), or by a client that sealed it before it
// stored it (World.Seal). The keys' states can change while a server runs.
//
// The same code serves the engine's tests, the benchmarks and the command
// `trailseal simulate`.
//
// # The same spec gives the same bytes
//
// Everything is drawn from streams seeded by the spec: names, times, events,
// and the primes of the keys. The keys depend only on the region and the date,
// so that many worlds in one process cost one set of keys. They protect
// nothing: anyone who reads this package can make them. The compressed bytes
// also depend on the version of github.com/klauspost/compress in go.mod; what
// is hashed and signed (the uncompressed bytes) does not.
package verifytest
