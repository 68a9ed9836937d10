package source

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// A setting is an answer as the SDK gave it, or why there is none.
type setting struct {
	Answer any    `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

func newSetting(answer any, err error) setting {
	if err != nil {
		return setting{Error: briefly(err)}
	}
	return setting{Answer: answer}
}

// settingsWait bounds how long one setting is asked for.
const settingsWait = 20 * time.Second

// ask asks for one setting.
func ask[T any](ctx context.Context, call func(context.Context) (T, error)) setting {
	ctx, cancel := context.WithTimeout(ctx, settingsWait)
	defer cancel()
	answer, err := call(ctx)
	return newSetting(answer, err)
}

// askS3 is ask of a bucket: the store's wire has read a refusal's text.
func askS3(ctx context.Context, call func(context.Context) (any, error)) setting {
	return ask(ctx, func(ctx context.Context) (any, error) {
		ctx, x := begin(ctx)
		defer x.cancel(nil)
		answer, err := call(ctx)
		if err != nil && x.answer != nil {
			err = x.answer
		}
		return answer, err
	})
}

// BucketSettings is what S3 tells of a bucket's settings, as JSON: each as the SDK
// gave it, or the error's text. Many callers may see few of them, so that none of
// it fails. The error is the context's.
func (s *S3) BucketSettings(ctx context.Context, bucket string) ([]byte, error) {
	place, err := s.places.of(ctx, bucket)
	if err != nil {
		return json.MarshalIndent(map[string]setting{"bucket": newSetting(nil, err)}, "", "  ")
	}
	at := func(o *s3.Options) { o.Region = place.region }
	asked := map[string]func(context.Context) (any, error){
		"versioning": func(ctx context.Context) (any, error) {
			return s.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket}, at)
		},
		"lifecycle": func(ctx context.Context) (any, error) {
			return s.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &bucket}, at)
		},
		"policy": func(ctx context.Context) (any, error) {
			return s.client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket}, at)
		},
		"encryption": func(ctx context.Context) (any, error) {
			return s.client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &bucket}, at)
		},
		"objectLock": func(ctx context.Context) (any, error) {
			return s.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &bucket}, at)
		},
		"logging": func(ctx context.Context) (any, error) {
			return s.client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &bucket}, at)
		},
		"replication": func(ctx context.Context) (any, error) {
			return s.client.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &bucket}, at)
		},
	}
	var mu sync.Mutex
	var work errgroup.Group
	all := map[string]setting{}
	for name, call := range asked {
		work.Go(func() error {
			answer := askS3(ctx, call)
			mu.Lock()
			defer mu.Unlock()
			all[name] = answer
			return nil
		})
	}
	_ = work.Wait()
	return marshal(ctx, all)
}

// marshal leaves out what only the SDK needs.
func marshal(ctx context.Context, v any) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, err
	}
	prune(plain)
	return json.MarshalIndent(plain, "", "  ")
}

// prune removes what the SDK adds to an answer of its own, and what it leaves empty.
func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "ResultMetadata")
		for name, inner := range v {
			if prune(inner); inner == nil {
				delete(v, name)
			}
		}
	case []any:
		for _, inner := range v {
			prune(inner)
		}
	}
}

// mostTrails bounds the trails whose settings are asked for.
const mostTrails = 20

// A trailSettings is what CloudTrail tells of one trail.
type trailSettings struct {
	Trail     any     `json:"trail"`
	Status    setting `json:"status"`
	Selectors setting `json:"eventSelectors"`
}

// TrailSettings is what CloudTrail tells of a trail, or where none is named of
// those that deliver to the bucket and can be seen from the configured region, as
// JSON. What could not be had is in it. The error is the context's.
func TrailSettings(ctx context.Context, nameOrARN, bucket string, o AWSOptions) ([]byte, error) {
	session, err := load(ctx, o)
	if err == nil {
		err = session.credentials(ctx)
	}
	if err != nil {
		return marshal(ctx, map[string]setting{"describeTrails": newSetting(nil, err)})
	}
	region := session.cfg.Region
	if a, err := parseTrailARN(nameOrARN); err == nil {
		region = a.Region
	}
	in := &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}
	if nameOrARN != "" {
		in.TrailNameList = []string{nameOrARN}
	}
	short, cancel := context.WithTimeout(ctx, settingsWait)
	out, err := session.cloudtrail(region).DescribeTrails(short, in)
	cancel()
	if err != nil {
		return marshal(ctx, map[string]setting{"describeTrails": newSetting(nil, err)})
	}
	all := struct {
		Trails []trailSettings `json:"trails"`
	}{Trails: []trailSettings{}}
	for _, t := range out.TrailList {
		named := nameOrARN != "" && (nameOrARN == aws.ToString(t.Name) || nameOrARN == aws.ToString(t.TrailARN))
		if len(all.Trails) < mostTrails && (named || nameOrARN == "" && aws.ToString(t.S3BucketName) == bucket) {
			all.Trails = append(all.Trails, session.trailSettings(ctx, t, region))
		}
	}
	return marshal(ctx, all)
}

func (s session) trailSettings(ctx context.Context, t types.Trail, region string) trailSettings {
	if home := aws.ToString(t.HomeRegion); regionName.MatchString(home) {
		region = home
	}
	client := s.cloudtrail(region)
	if aws.ToString(t.TrailARN) == "" {
		none := newSetting(nil, errors.New("the trail has no ARN"))
		return trailSettings{t, none, none}
	}
	return trailSettings{
		Trail: t,
		Status: ask(ctx, func(ctx context.Context) (any, error) {
			return client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: t.TrailARN})
		}),
		Selectors: ask(ctx, func(ctx context.Context) (any, error) {
			return client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: t.TrailARN})
		}),
	}
}
