package kms

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Gone is the state of a key that KMS says does not exist.
const Gone = "NotFound"

// mostKeys bounds how many keys are asked for in a run.
const mostKeys = 2000

// A State is what DescribeKey says of a key.
type State struct {
	ARN         string    // as KMS has it, or as it was asked for
	Account     string    // that owns it
	Name        string    // KeyState ("Enabled", "PendingDeletion", …) or Gone; empty where it is not known
	Deletion    time.Time // DeletionDate: when it will be deleted; zero where it will not
	Expires     time.Time // ValidTo: when its imported material is deleted by itself; zero where it is not
	Waits       int       // PendingDeletionWindowInDays of a primary key that waits for its replicas' deletion
	Manager     string    // KeyManager: "CUSTOMER" or "AWS"
	Origin      string    // AWS_KMS, EXTERNAL, AWS_CLOUDHSM or EXTERNAL_KEY_STORE
	MultiRegion bool
	Replicas    []string // ARNs of the other multi-region keys of the same material
	Err         error    // why the state is not known
}

type described struct {
	once sync.Once
	State
}

// Describe asks for a key's state, once a key in the client's life. That the
// state could not be had is in the answer: "denied" means not known.
func (c *Client) Describe(ctx context.Context, key string) State {
	c.mu.Lock()
	d := c.keys[key]
	if d == nil && len(c.keys) >= mostKeys {
		c.mu.Unlock()
		return State{ARN: key, Err: fmt.Errorf("%d other keys were asked for already", mostKeys)}
	}
	if d == nil {
		d = &described{}
		c.keys[key] = d
	}
	c.mu.Unlock()
	d.once.Do(func() { d.State = c.describe(ctx, key) })
	return d.State
}

func (c *Client) describe(ctx context.Context, key string) State {
	unknown := State{ARN: key, Account: KeyAccount(key)}
	if _, err := ParseKey(key); err != nil {
		unknown.Err = errors.New("it is not the ARN of a key of AWS")
		return unknown
	}
	client, err := c.in(KeyRegion(key))
	if err != nil {
		unknown.Err = err
		return unknown
	}
	c.describes.Add(1)
	out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	if err != nil {
		var coded interface{ ErrorCode() string }
		if errors.As(err, &coded) && coded.ErrorCode() == "NotFoundException" {
			unknown.Name = Gone
			return unknown
		}
		unknown.Err = err
		return unknown
	}
	if out.KeyMetadata == nil {
		unknown.Err = errors.New("KMS's answer says nothing of the key")
		return unknown
	}
	return known(unknown, out.KeyMetadata)
}

func known(s State, m *types.KeyMetadata) State {
	if owner := aws.ToString(m.AWSAccountId); owner != "" {
		s.Account = owner
	}
	s.Name, s.Manager, s.Origin = string(m.KeyState), string(m.KeyManager), string(m.Origin)
	s.Deletion = aws.ToTime(m.DeletionDate).UTC()
	if m.ExpirationModel == types.ExpirationModelTypeKeyMaterialExpires {
		s.Expires = aws.ToTime(m.ValidTo).UTC()
	}
	s.Waits = int(aws.ToInt32(m.PendingDeletionWindowInDays))
	s.MultiRegion = aws.ToBool(m.MultiRegion)
	if r := m.MultiRegionConfiguration; r != nil {
		for _, other := range append(r.ReplicaKeys, ptr(r.PrimaryKey)) {
			if a := aws.ToString(other.Arn); a != "" && a != s.ARN {
				s.Replicas = append(s.Replicas, a)
			}
		}
	}
	return s
}

func ptr(k *types.MultiRegionKey) types.MultiRegionKey {
	if k == nil {
		return types.MultiRegionKey{}
	}
	return *k
}
