package streams

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sealed reads what is stored under a key. It asks the bucket's leader: a
// replica that lags would show a password's hash after it was changed.
func (s *Secrets) sealed(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := checkSecretKey(key); err != nil {
		return nil, 0, err
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	body, err := json.Marshal(map[string]string{"last_by_subj": "$KV." + secretsBucket + "." + key})
	if err != nil {
		return nil, 0, err
	}
	m, err := s.log.conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET.KV_"+secretsBucket, body)
	if err != nil {
		return nil, 0, fmt.Errorf("read secret %s: %w", key, err)
	}
	var answer struct {
		Message struct {
			Seq     uint64 `json:"seq"`
			Headers []byte `json:"hdrs"`
			Data    []byte `json:"data"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, 0, fmt.Errorf("read secret %s: %w", key, err)
	}
	if e := answer.Error; e != nil {
		if e.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return nil, 0, fmt.Errorf("%w: %s", ErrNoSecret, key)
		}
		return nil, 0, fmt.Errorf("read secret %s: %w", key, e)
	}
	if len(answer.Message.Headers) > 0 {
		h, err := nats.DecodeHeadersMsg(answer.Message.Headers)
		if err != nil {
			return nil, 0, fmt.Errorf("read secret %s: %w", key, err)
		}
		if h.Get("KV-Operation") != "" { // the mark that a key was deleted or purged (ADR-8 of NATS)
			return nil, 0, fmt.Errorf("%w: %s", ErrNoSecret, key)
		}
	}
	return answer.Message.Data, answer.Message.Seq, nil
}
