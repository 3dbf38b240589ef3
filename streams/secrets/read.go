package secrets

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// sealed reads what is stored under a key. It asks the bucket's leader: a
// replica that lags would show a password's hash after it was changed.
func (b *Bucket) sealed(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := checkName(key); err != nil {
		return nil, 0, err
	}
	m, err := b.ask(ctx, key, map[string]any{"last_by_subj": subjectPrefix + key})
	if err != nil {
		return nil, 0, fmt.Errorf("read secret %s: %w", key, err)
	}
	return m.Data, m.Seq, nil
}

// A record is one message of the bucket.
type record struct {
	Seq  uint64 `json:"seq"`
	Data []byte `json:"data"`
}

// ask requests one record of a key from the leader. ErrNotFound.
func (b *Bucket) ask(ctx context.Context, key string, which map[string]any) (*record, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	body, err := json.Marshal(which)
	if err != nil {
		return nil, err
	}
	m, err := b.config.Conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+StreamName, body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Message record              `json:"message"`
		Error   *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, err
	}
	if e := answer.Error; e != nil {
		if e.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		return nil, e
	}
	return &answer.Message, nil
}
