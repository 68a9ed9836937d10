package report

import "github.com/trailseal/trailseal/verify"

// advices tell what to do next about the words a report holds. An advice is
// given once, when one of its words was seen, in this order.
var advices = []struct {
	words []string
	text  string
}{
	{[]string{"tampering"},
		"Preserve what is there before anyone touches it: stop lifecycle rules and deletions on the bucket, copy the bucket with its metadata, and keep this report with the copy."},
	{[]string{string(verify.Deleted)},
		"Deleted files: where the bucket is versioned the earlier version may still be there: trailseal recover SOURCE finds it and says how to restore it. The access logs or data events of the bucket say who deleted it; --explain looks in the logs that are kept."},
	{[]string{string(verify.Modified)},
		"Modified files: trailseal recover SOURCE looks for the original among the object's versions; else compare with another copy, such as CloudWatch Logs or a replica."},
	{[]string{string(verify.Expired)},
		"Expired files: the bucket's lifecycle rule removes files of that age. Where they must be kept longer, change the rule; where that is as it should be, --accept expired, or ask for a window that begins later. Whoever may change the rule may delete with it: --explain shows who did."},
	{[]string{string(verify.AccessDenied)},
		"Access denied: the caller needs s3:ListBucket and s3:GetObject on the bucket and its AWSLogs/ prefix, and no bucket policy that denies them. Without s3:ListBucket, S3 says denied also for what does not exist."},
	{[]string{string(verify.KMSDenied)},
		"KMS denied: the caller needs kms:Decrypt on the trail's key, in the key's own policy too where the key belongs to another account."},
	{[]string{string(verify.KMSKeyDisabled), string(verify.KMSKeyPending), string(verify.KMSKeyNotFound), string(verify.KMSKeyUnusable), string(verify.KMSKeyChanged)},
		"KMS key not usable: enable the key, or cancel its deletion (aws kms cancel-key-deletion) while that is still possible. Find out who changed it: without it the logs are lost."},
	{[]string{string(verify.KeyNotAllowed)},
		"Key not allowed: these files were encrypted by a client before they were stored. Name the KMS key with --kms-key ARN, once you know whose it is: a request to a stranger's key tells the stranger who is looking."},
	{[]string{string(verify.EnvelopeRefused)},
		"Envelope refused: KMS does not take the wrapped key. Either the key is another one than --kms-key names, or somebody changed the object's metadata: compare with another copy."},
	{[]string{string(verify.EnvelopeUnsupported), string(verify.MasterKeyNeeded)},
		"Client-side encryption that cannot be opened here: decrypt these files with the client that wrote them, into a copy beside the others, and verify that."},
	{[]string{string(verify.RequesterPays)},
		"Requester pays: --request-payer says that you pay for the requests."},
	{[]string{string(verify.SSEC)},
		"SSE-C: CloudTrail never stores with a customer's key. Whoever stored these objects anew holds the key, and may hold them to ransom: look for earlier versions (aws s3api list-object-versions)."},
	{[]string{string(verify.Archived)},
		"Archived files: restore them (aws s3api restore-object), wait until they are there, then verify again."},
	{[]string{string(verify.BucketNotFound)},
		"Bucket not found: it was deleted, or the trail's older bucket is in another account or partition. What lay in it cannot be judged; look for a copy."},
	{[]string{string(verify.Throttled), string(verify.ReadFailed)},
		"Read failures: run again, with a lower --concurrency where the store asked for fewer requests."},
	{[]string{string(verify.SignatureMissing)},
		"Signatures missing: a plain copy loses the metadata that holds them, and only the next digest makes up for that. Copy one digest more, or save the metadata beside the newest digest: aws s3api head-object --bucket BUCKET --key KEY --query Metadata > FILE.metadata.json. In a bucket, verify the original: uploading again drops the metadata."},
	{[]string{string(verify.WrongLocation)},
		"Wrong location: a digest was copied to another place. Where the whole bucket is a copy of another (replication, an archive), --copy-of s3://BUCKET[/PREFIX] names the original."},
	{[]string{string(verify.KeyNotFound), string(verify.KeyNotValidThen)},
		"Keys: list them for the region and the time of the digests: aws cloudtrail list-public-keys --region REGION --start-time T --end-time T > public-keys.json. Where the key is not among them, CloudTrail did not sign that digest."},
	{[]string{string(verify.KeysUnavailable)},
		"Keys unavailable: the caller needs cloudtrail:ListPublicKeys in the digests' region. Without AWS credentials, give --public-keys FILE with what aws cloudtrail list-public-keys prints."},
	{[]string{string(verify.NotCopied)},
		"Not copied: copy the named bucket too, and put both copies side by side below the directory."},
	{[]string{string(verify.TooLarge)},
		"Too large: if the file is known to be that large, raise --max-log-size or --max-digest-size and verify again."},
	{[]string{string(verify.Unreferenced), string(verify.NoDigest)},
		"Unreferenced files: no digest that can be trusted names them. Where the digests of their time are kept, CloudTrail did not deliver them: do not trust what they say, and find out who put them there (data events of the bucket). Where a digest of their time is gone or damaged, recover it first."},
	{[]string{string(verify.Gap), string(verify.Stale), string(verify.NotStarted)},
		"Time not covered: --explain looks for who did it; else look for StopLogging, DeleteTrail, UpdateTrail and PutBucketPolicy in the last kept logs before it, and at aws cloudtrail get-trail-status for delivery errors. Nothing is proven about that time."},
	{[]string{string(verify.NoDigests), string(verify.Nothing)},
		"Nothing to go by: check the bucket, the prefix, the window and the filters, and that log file validation is on (aws cloudtrail get-trail)."},
	{[]string{string(verify.Unlisted)},
		"Listings failed: the caller needs s3:ListBucket on the whole bucket. A part that cannot be listed is never judged."},
	{[]string{string(verify.Undelivered)},
		"Delivery: CloudTrail knows of digests that were not found here, cannot deliver them, or was told to stop, or its word could not be had: aws cloudtrail get-trail-status --name TRAIL, and aws cloudtrail get-trail for log file validation. --explain looks for who changed the trail."},
	{[]string{string(verify.NotSearched)},
		"Not searched: trails may lie in folders that were not looked into. Name the trail's prefix (s3://BUCKET/PREFIX), or each of them in a run of its own."},
	{[]string{string(verify.KeysInCopy)},
		"Keys in the copy: list the keys anew (aws cloudtrail list-public-keys), keep them apart from the copy, and give them with --public-keys."},
	{[]string{string(verify.KeyDoomed), string(verify.KeyForeign), string(verify.KeyDisabled), string(verify.ClientSide)},
		"KMS keys: find out who changed them, in the logs that are kept: ScheduleKeyDeletion, DisableKey, PutKeyPolicy, UpdateTrail, UpdateObjectEncryption and CopyObject."},
	{[]string{string(verify.BundleAltered)},
		"Altered bundle: whoever had it after it was collected changed it, or a disk did. Compare its seal with the one that trailseal collect printed, and go back to the original or to another copy of the bundle."},
	{[]string{string(verify.NotChecked)},
		"Interrupted: run again for the rest; what is reported here stands."},
}

// Advice says what to do next about a report that holds these words:
// verdicts, reasons and kinds of findings, and "tampering" where its verdict
// is that.
func Advice(words map[string]bool) []string {
	var texts []string
	for _, a := range advices {
		for _, word := range a.words {
			if words[word] {
				texts = append(texts, a.text)
				break
			}
		}
	}
	return texts
}
