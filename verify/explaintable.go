package verify

// A subject is what an event was done to.
type subject int

const (
	ofTrail subject = iota
	ofOrganization
	ofBucket
	ofObject
	ofKey
)

// An effect is what an event may explain; the rules are in explainrules.go and,
// for people, in docs/explain.md.
type effect int

const (
	stops   effect = 1 << iota // a stretch without digests that begins about then
	starts                     // one that ends about then
	removes                    // files deleted since
	expires                    // files deleted since, also of what came later; what is missing at the window's begin
	alters                     // the very file, where it is not what CloudTrail stored
	locks                      // files that cannot be read for the subject's sake
	dooms                      // a key that waits for its end
	rekeys                     // files encrypted with a key that is not the trail's
)

// A deed is a kind of event that matters.
type deed struct {
	source, name string
	of           subject
	may          effect
}

const (
	cloudTrailSource = "cloudtrail.amazonaws.com"
	s3Source         = "s3.amazonaws.com"
	kmsSource        = "kms.amazonaws.com"
)

// deeds lists all that is looked for. S3 and its callers have several names for
// some of them: the API's, and the one that CloudTrail logs.
var deeds = []deed{
	{cloudTrailSource, "StopLogging", ofTrail, stops},
	{cloudTrailSource, "DeleteTrail", ofTrail, stops},
	{cloudTrailSource, "UpdateTrail", ofTrail, stops | starts | rekeys},
	{cloudTrailSource, "PutEventSelectors", ofTrail, stops | starts},
	{cloudTrailSource, "PutInsightSelectors", ofTrail, 0},
	{cloudTrailSource, "StartLogging", ofTrail, starts},
	{cloudTrailSource, "CreateTrail", ofTrail, starts},
	{cloudTrailSource, "RegisterOrganizationDelegatedAdmin", ofOrganization, 0},
	{cloudTrailSource, "DeregisterOrganizationDelegatedAdmin", ofOrganization, 0},

	{s3Source, "PutBucketLifecycle", ofBucket, expires},
	{s3Source, "PutBucketLifecycleConfiguration", ofBucket, expires},
	{s3Source, "DeleteBucketLifecycle", ofBucket, 0},
	{s3Source, "PutBucketPolicy", ofBucket, stops | starts | removes | locks},
	{s3Source, "DeleteBucketPolicy", ofBucket, stops | starts | removes | locks},
	{s3Source, "PutBucketAcl", ofBucket, stops | starts | removes | locks},
	{s3Source, "PutBucketOwnershipControls", ofBucket, stops | starts | locks},
	{s3Source, "DeleteBucketOwnershipControls", ofBucket, stops | starts | locks},
	{s3Source, "PutBucketRequestPayment", ofBucket, stops | starts | locks},
	{s3Source, "PutPublicAccessBlock", ofBucket, removes | locks},
	{s3Source, "PutBucketPublicAccessBlock", ofBucket, removes | locks},
	{s3Source, "DeletePublicAccessBlock", ofBucket, removes | locks},
	{s3Source, "DeleteBucketPublicAccessBlock", ofBucket, removes | locks},
	{s3Source, "PutBucketVersioning", ofBucket, removes},
	{s3Source, "PutObjectLockConfiguration", ofBucket, stops | removes},
	{s3Source, "PutBucketObjectLockConfiguration", ofBucket, stops | removes},
	{s3Source, "PutBucketReplication", ofBucket, removes},
	{s3Source, "DeleteBucketReplication", ofBucket, removes},
	{s3Source, "PutBucketEncryption", ofBucket, stops | starts | locks | rekeys},
	{s3Source, "DeleteBucketEncryption", ofBucket, stops | starts | locks},
	{s3Source, "PutBucketLogging", ofBucket, 0},
	{s3Source, "PutBucketNotification", ofBucket, removes},
	{s3Source, "PutBucketNotificationConfiguration", ofBucket, removes},
	{s3Source, "DeleteBucket", ofBucket, stops | removes | locks},
	{s3Source, "CreateBucket", ofBucket, starts},

	{s3Source, "DeleteObject", ofObject, removes},
	{s3Source, "DeleteObjects", ofObject, removes},
	{s3Source, "RenameObject", ofObject, removes | alters},
	{s3Source, "PutObject", ofObject, alters | rekeys},
	{s3Source, "CopyObject", ofObject, alters | rekeys},
	{s3Source, "CompleteMultipartUpload", ofObject, alters},
	{s3Source, "CreateMultipartUpload", ofObject, 0},
	{s3Source, "RestoreObject", ofObject, 0},
	{s3Source, "PutObjectAcl", ofObject, locks},
	{s3Source, "PutObjectRetention", ofObject, removes},
	{s3Source, "PutObjectLegalHold", ofObject, removes},
	{s3Source, "PutObjectTagging", ofObject, removes},
	{s3Source, "DeleteObjectTagging", ofObject, removes},
	{s3Source, "UpdateObjectEncryption", ofObject, locks | rekeys},

	{kmsSource, "ScheduleKeyDeletion", ofKey, stops | locks | dooms},
	{kmsSource, "CancelKeyDeletion", ofKey, starts | locks},
	{kmsSource, "DisableKey", ofKey, stops | locks},
	{kmsSource, "EnableKey", ofKey, starts},
	{kmsSource, "PutKeyPolicy", ofKey, stops | starts | locks},
	{kmsSource, "CreateGrant", ofKey, 0},
	{kmsSource, "RevokeGrant", ofKey, stops | locks},
	{kmsSource, "RetireGrant", ofKey, stops | locks},
	{kmsSource, "DeleteImportedKeyMaterial", ofKey, stops | locks},
	{kmsSource, "ImportKeyMaterial", ofKey, starts | dooms},
	{kmsSource, "EnableKeyRotation", ofKey, 0},
	{kmsSource, "DisableKeyRotation", ofKey, 0},
	{kmsSource, "CreateAlias", ofKey, 0},
	{kmsSource, "UpdateAlias", ofKey, stops | rekeys},
	{kmsSource, "DeleteAlias", ofKey, stops},
	{kmsSource, "UpdatePrimaryRegion", ofKey, 0},
}

// deedNames is the table for a sieve: of what is done to objects, only what names
// one of CloudTrail's folders matters, but for DeleteObjects, which need not name
// the objects. deedOf finds an event's row.
var deedNames, deedOf = func() (map[string]bool, map[[2]string]*deed) {
	names, of := map[string]bool{}, map[[2]string]*deed{}
	for i, d := range deeds {
		of[[2]string{d.source, d.name}] = &deeds[i]
		names[d.name] = d.of == ofObject && d.name != "DeleteObjects"
	}
	return names, of
}()
