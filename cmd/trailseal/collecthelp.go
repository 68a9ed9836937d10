package main

const collectLong = `Collect what CloudTrail delivered in a window into an evidence bundle, and verify it on the way:
one request an object gives the bundle its bytes and the verdict its hash. The report is that of
verify, and so is the exit status.

The bundle holds digests and logs as they are stored, what S3 tells of each, CloudTrail's public
keys, the settings of the trail and its bucket as far as they may be asked for, listings, and the
SHA-256 of every part. trailseal verify BUNDLE needs nothing else: no network, no credentials, no
KMS. What a client had encrypted is stored as it opened.

The last line on standard error is the bundle's seal: one number that everything in the bundle
hangs on. Write it down elsewhere; verify --seal holds a bundle against it.

A collection that is interrupted is gone on with by the same command: what was taken whole is not
fetched again. Trouble that may pass (a network, a busy store) leaves it unfinished as well, unless
--finish is given. Whether it all fits on the disk is found out first.

`

const collectExample = `  # the last 24 hours of a bucket, in one file
  trailseal collect s3://my-trail-bucket -o evidence.tar.zst

  # two days of one trail, in a directory
  trailseal collect --trail management-events --start 2026-03-10 --end 2026-03-12 -o ./evidence

  # anywhere, without AWS
  trailseal verify evidence.tar.zst --seal 3f1c…`
