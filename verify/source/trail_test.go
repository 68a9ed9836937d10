package source

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trailseal/trailseal/verify"
)

const trailARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"

// trails answers like an account with one multi-region trail at home in us-east-1.
func trails(c call) (int, any) {
	switch c.operation {
	case "DescribeTrails":
		names, _ := c.in["trailNameList"].([]any)
		if len(names) != 1 || names[0] != "main" && names[0] != trailARN || c.in["includeShadowTrails"] != true {
			return 200, map[string]any{"trailList": []any{}}
		}
		return 200, map[string]any{"trailList": []any{map[string]any{
			"Name": "main", "TrailARN": trailARN, "S3BucketName": "bucket", "S3KeyPrefix": "pre/fix", "HomeRegion": "us-east-1",
			"IsMultiRegionTrail": true, "IsOrganizationTrail": true, "KmsKeyId": "arn:aws:kms:us-east-1:1:key/k", "LogFileValidationEnabled": true,
		}}}
	case "GetTrailStatus":
		if c.region != "us-east-1" || c.in["Name"] != trailARN {
			return 400, map[string]any{"__type": "TrailNotFoundException"}
		}
		return 200, map[string]any{"IsLogging": true, "LatestDigestDeliveryTime": 1767225600, "LatestDigestDeliveryError": "NoSuchBucket"}
	}
	return 400, map[string]any{"__type": "InvalidAction"}
}

func TestResolveTrail(t *testing.T) {
	want := Trail{
		ARN: trailARN, Name: "main", Bucket: "bucket", Prefix: "pre/fix", HomeRegion: "us-east-1", Account: "111122223333",
		MultiRegion: true, IsOrganization: true, KMSKeyID: "arn:aws:kms:us-east-1:1:key/k",
		Delivery: verify.Delivery{Trail: trailARN, Region: "us-east-1", LatestDigest: time.Unix(1767225600, 0).UTC(),
			DigestError: "NoSuchBucket", Logging: true, Validation: true},
	}
	for name, region := range map[string]string{"main": "eu-west-1", trailARN: "us-east-1"} {
		o, calls := newCloudTrail(t, trails)
		got, err := ResolveTrail(context.Background(), name, o)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if len(*calls) != 2 || (*calls)[0].region != region || (*calls)[1].region != "us-east-1" {
			t.Errorf("%s: %+v", name, *calls)
		}
	}
}

func TestTrailErrors(t *testing.T) {
	o, calls := newCloudTrail(t, trails)
	for _, name := range []string{"other", "arn:aws:s3:::bucket", "arn:aws:cloudtrail:evil.example:1:trail/x", "arn:x"} {
		var wrong *UsageError
		if _, err := ResolveTrail(context.Background(), name, o); !errors.As(err, &wrong) || wrong.Hint == "" {
			t.Errorf("%s: %v", name, err)
		} else if name == "other" && !strings.Contains(wrong.Hint, "--aws-region") {
			t.Errorf("%s: hint %s", name, wrong.Hint)
		}
	}
	if len(*calls) != 1 {
		t.Errorf("%+v", *calls)
	}
	o, _ = newCloudTrail(t, func(c call) (int, any) {
		if c.operation == "GetTrailStatus" {
			return 400, map[string]any{"__type": "AccessDeniedException"}
		}
		return trails(c)
	})
	if got, err := ResolveTrail(context.Background(), "main", o); err != nil || got.StatusErr == nil || got.Bucket != "bucket" || !got.Delivery.LatestDigest.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	o, _ = newCloudTrail(t, func(call) (int, any) { return 400, map[string]any{"__type": "AccessDeniedException"} })
	var wrong *UsageError
	if _, err := ResolveTrail(context.Background(), "main", o); !errors.As(err, &wrong) || wrong.Hint == "" {
		t.Error(err)
	}
}
