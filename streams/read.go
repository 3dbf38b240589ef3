package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/events"
	"hubledger/streams/evt"
)

// ErrNotFound: the log has no event of that sequence.
var ErrNotFound = errors.New("no such event in the log")

// requestTimeout bounds one request: a server that has no leader for the
// stream answers nothing at all.
const requestTimeout = 5 * time.Second

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout)
}

// Last is the last event on a subject, nil when there is none. What redacted events said is
// not known any more: they are passed over, as read models do, and the event is the one
// before them. Its Expect is what the next append expects.
func (l *Log) Last(ctx context.Context, subject string) (*events.Event, error) {
	if !evt.ValidSubject(subject) {
		return nil, fmt.Errorf("subject %q is not that of an aggregate", subject)
	}
	e, err := l.directGet(ctx, "."+subject, nil)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	last := e.Seq
	for e.Seq > 1 {
		if _, redacted := e.Redacted(); !redacted {
			break
		}
		before, err := l.directGet(ctx, "", fmt.Appendf(nil, `{"multi_last":[%q],"up_to_seq":%d,"batch":1}`, subject, e.Seq-1))
		if errors.Is(err, ErrNotFound) {
			break // nothing is known of it, and the next append expects it all the same
		}
		if err != nil {
			return nil, err
		}
		e = before
	}
	if e.Seq != last {
		e.Last = last
	}
	return e, nil
}

// Get is the event of that sequence. The error wraps ErrNotFound when there is none.
func (l *Log) Get(ctx context.Context, seq uint64) (*events.Event, error) {
	return l.directGet(ctx, "", fmt.Appendf(nil, `{"seq":%d}`, seq))
}

// LastSeq is the sequence of the log's last event, 0 when it is empty. With an
// embedded server it costs nothing, since everything is appended by this process.
func (l *Log) LastSeq(ctx context.Context) (uint64, error) {
	if l.conn == nil {
		return 0, l.ReadOnly()
	}
	if l.server != nil {
		return l.lastSeq.Load(), nil
	}
	s, err := l.State(ctx)
	return s.LastSeq, err
}

// observe takes over what the server reports of the log's end, size and limit.
func (l *Log) observe(s State) {
	l.saw(s.LastSeq)
	l.bytes.Store(int64(s.Bytes))
	l.limit.Store(s.MaxBytes)
}

// saw raises the highest sequence that this process has seen.
func (l *Log) saw(seq uint64) {
	for {
		have := l.lastSeq.Load()
		if seq <= have || l.lastSeq.CompareAndSwap(have, seq) {
			return
		}
	}
}

// directGet asks any replica for one message (ADR-31 of NATS).
func (l *Log) directGet(ctx context.Context, suffix string, body []byte) (*events.Event, error) {
	if l.conn == nil {
		return nil, l.ReadOnly()
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	m, err := l.conn.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+StreamName+suffix, body)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return fromDirectGet(m)
}

func fromDirectGet(m *nats.Msg) (*events.Event, error) {
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404":
		return nil, ErrNotFound
	default:
		return nil, fmt.Errorf("read the log: status %s %s", status, m.Header.Get("Description"))
	}
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read the log: answer without a sequence: %w", err)
	}
	e := evt.FromMessage(seq, m.Header.Get("Nats-Subject"), m.Header, m.Data)
	return &e, nil
}

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
	e := evt.FromMessage(answer.Message.Seq, answer.Message.Subject, h, answer.Message.Data)
	return &e, nil
}
