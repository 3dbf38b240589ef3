package streams

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
)

// leaderGetNext is the first event of a subject at or after a sequence. It
// asks the stream's leader: a replica that lags would not have seen what an
// append was refused for.
func (l *Log) leaderGetNext(ctx context.Context, subject string, from uint64) (*events.Event, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	body, err := json.Marshal(map[string]any{"seq": from, "next_by_subj": subject})
	if err != nil {
		return nil, err
	}
	m, err := l.conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+StreamName, body)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	var answer struct {
		Message struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Headers []byte `json:"hdrs"`
			Data    []byte `json:"data"`
		} `json:"message"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	if e := answer.Error; e != nil {
		if e.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return nil, ErrNotFound
		}
		return nil, fmt.Errorf("read the log: %w", e)
	}
	h, err := nats.DecodeHeadersMsg(answer.Message.Headers)
	if err != nil {
		return nil, fmt.Errorf("read the log: event %d: %w", answer.Message.Seq, err)
	}
	e := fromMessage(answer.Message.Seq, answer.Message.Subject, h, answer.Message.Data)
	return &e, nil
}
