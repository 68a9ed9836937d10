package source

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/trailseal/trailseal/kms"
	"github.com/trailseal/trailseal/verify"
)

// KMS is where KMS keys are asked for: to open what a client sealed, and for
// their states. It loads its configuration and credentials when it is first
// needed, since most runs need none. Many goroutines may use it.
type KMS struct {
	open   func() (*kms.Client, error)
	client atomic.Pointer[kms.Client] // once it was needed
}

var (
	_ kms.Decrypter    = (*KMS)(nil)
	_ verify.KeyStates = (*KMS)(nil)
)

// NewKMS makes one. An endpoint that is not empty is asked for KMS alone, and
// beats that of the options. Nothing is read and no request is sent.
func NewKMS(ctx context.Context, o AWSOptions, endpoint string) *KMS {
	if endpoint != "" {
		o.EndpointURL = endpoint
	}
	k := &KMS{}
	k.open = sync.OnceValues(func() (*kms.Client, error) {
		session, err := load(ctx, o)
		if err == nil {
			err = session.credentials(ctx) // asked once: a machine without any would be searched anew for each file
		}
		if err != nil {
			return nil, err
		}
		k.client.Store(kms.NewClient(session.cfg, o.EndpointURL))
		return k.client.Load(), nil
	})
	return k
}

// Decrypt asks KMS for a data key.
func (k *KMS) Decrypt(ctx context.Context, blob []byte, encryptionContext map[string]string, key string) ([]byte, string, error) {
	client, err := k.open()
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", &kms.RefusedError{Reason: kms.Denied, Key: key, Hint: credentialsHint, Err: err}
	}
	return client.Decrypt(ctx, blob, encryptionContext, key)
}

func (k *KMS) state(ctx context.Context, key string) kms.State {
	client, err := k.open()
	if err != nil {
		return kms.State{ARN: key, Account: kms.KeyAccount(key), Err: err}
	}
	return client.Describe(ctx, key)
}

// KeyState is what DescribeKey says of a key.
func (k *KMS) KeyState(ctx context.Context, key string) verify.KeyState {
	s := k.state(ctx, key)
	state := verify.KeyState{
		State: s.Name, Account: s.Account, Manager: s.Manager, Origin: s.Origin, Deletion: s.Deletion, Expires: s.Expires,
		Waits: s.Waits, MultiRegion: s.MultiRegion, Replicas: s.Replicas,
	}
	if s.Err != nil {
		state.Problem = "kms:DescribeKey: " + briefly(s.Err)
	}
	return state
}

// briefly is a service's own words without the SDK's around them.
func briefly(err error) string {
	if code, message := errorCode(err); code != "" {
		return code + ": " + message
	}
	return err.Error()
}

// Requests counts what was asked, by operation.
func (k *KMS) Requests() map[string]int64 {
	if client := k.client.Load(); client != nil {
		return client.Requests()
	}
	return nil
}
