package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/evt"
)

// State is what the server reports of the stream.
type State struct {
	Generation string
	FirstSeq   uint64 // 1 in a whole log, also in an empty one
	LastSeq    uint64 // 0 in an empty log
	Messages   uint64
	Bytes      uint64   // on disk
	MaxBytes   int64    // the stream's limit, -1 for none
	Lost       []uint64 // sequences that the server found unreadable
}

// streamInfo is the server's answer, with the lost messages, which the client
// library leaves out.
type streamInfo struct {
	Config jetstream.StreamConfig `json:"config"`
	State  struct {
		Messages uint64 `json:"messages"`
		Bytes    uint64 `json:"bytes"`
		FirstSeq uint64 `json:"first_seq"`
		LastSeq  uint64 `json:"last_seq"`
		Lost     *struct {
			Msgs []uint64 `json:"msgs"`
		} `json:"lost"`
	} `json:"state"`
	Error *jetstream.APIError `json:"error"`
}

// errNotReady: the servers have not started the stream yet.
var errNotReady = errors.New("JetStream is not ready")

// State asks the server. The error is that of the connection, or ReadOnly's when
// the log is in quarantine.
func (l *Log) State(ctx context.Context) (State, error) {
	info, err := l.streamInfo(ctx)
	if err != nil {
		return State{}, err
	}
	return info.state(), nil
}

func (i *streamInfo) state() State {
	s := State{
		Generation: i.Config.Metadata[evt.MetaGeneration],
		FirstSeq:   i.State.FirstSeq,
		LastSeq:    i.State.LastSeq,
		Messages:   i.State.Messages,
		Bytes:      i.State.Bytes,
		MaxBytes:   i.Config.MaxBytes,
	}
	if s.LastSeq == 0 && s.FirstSeq == 0 {
		s.FirstSeq = 1
	}
	if i.State.Lost != nil {
		s.Lost = i.State.Lost.Msgs
	}
	return s
}

func (l *Log) streamInfo(ctx context.Context) (*streamInfo, error) {
	if l.conn == nil {
		return nil, l.ReadOnly()
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	m, err := l.conn.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+StreamName, nil)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamName, err)
	}
	info := &streamInfo{}
	if err := json.Unmarshal(m.Data, info); err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamName, err)
	}
	if e := info.Error; e != nil {
		if e.ErrorCode == jetstream.JSErrCodeStreamNotFound {
			return nil, jetstream.ErrStreamNotFound
		}
		if e.Code == 503 {
			return nil, fmt.Errorf("stream %s: %w: %w", StreamName, errNotReady, e)
		}
		return nil, fmt.Errorf("stream %s: %w", StreamName, e)
	}
	return info, nil
}
