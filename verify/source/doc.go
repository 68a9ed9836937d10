// Package source is where files and keys are: the stores and key sources that
// package verify reads through its interfaces.
//
// # Stores
//
// [S3] reads a bucket. Listings go through the SDK; objects are fetched with
// net/http and the SDK's SigV4 signer, because the SDK's GetObject costs more
// than hashing a small log does. All requests of a store share one limiter,
// which climbs until the bucket says SlowDown and then keeps just below that.
//
// [Directory] reads a plain copy of one or several buckets, as
// `aws s3 sync s3://BUCKET DIR` leaves it. It knows neither the bucket nor the
// prefix the files were taken from and learns them from the digests in it.
//
// # Keys
//
// [CloudTrail] asks ListPublicKeys, each region in that region. [KeyFile] is
// what `aws cloudtrail list-public-keys` printed.
//
// # Errors
//
// A store fails for an object in exactly two ways. *verify.NotFoundError is
// said with authority: S3's own NoSuchKey, or a file missing from a copy of
// its bucket. Everything else is *verify.UnreadableError with a reason and,
// where there is something to do about it, a hint. What the user must correct
// before anything can be read is a *[UsageError].
package source
