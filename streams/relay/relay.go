// Package relay lets somebody read the log with any NATS client, and do nothing else. The client
// is on another server than the log (streams/machines), in an account of its own. It gets events
// one by one or in batches (JetStream's direct get), and may ask how far the log has come; what it
// asks is judged here, written anew with bounds, and put to the server of the log. So no request
// of a client ever reaches that server as it is, and nothing is kept for it there. Consumers are
// not relayed: what a consumer delivers carries a subject for acknowledgements, which a NATS
// server takes from no client.
package relay

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Bounds of one reader.
const (
	maxBatch      = 1000                 // events of an answer
	maxBytes      = 9 << 20              // of an answer; an event has at most 8 MiB
	maxSubjects   = 16                   // that are asked for at once
	maxSubject    = 300                  // characters
	maxRequest    = 16 << 10             // bytes
	maxOpen       = 8                    // answers that are passed on; the oldest are given up
	pace          = 2 * time.Millisecond // between two requests
	answersWithin = 5 * time.Second
	// noneAfter is how long a reader waits to hear that there is no event yet. Clients that
	// follow a log ask again at once.
	noneAfter = 100 * time.Millisecond
)

// prefix is that of the API.
const prefix = "$JS.API."

// Allowed are the subjects on which a reader of a stream may publish. It gets answers below
// Inbox.
func Allowed(stream string) []string {
	return []string{prefix + "INFO", prefix + "STREAM.INFO." + stream, prefix + "STREAM.MSG.GET." + stream, prefix + "DIRECT.GET." + stream, prefix + "DIRECT.GET." + stream + ".>"}
}

// account is what clients want to know of their account before anything else: that it has
// JetStream, with no room for streams of its own.
const account = `{"type":"io.nats.jetstream.api.v1.account_info_response","memory":0,"storage":0,"streams":1,"consumers":0,` +
	`"limits":{"max_memory":0,"max_storage":0,"max_streams":0,"max_consumers":0},"api":{"level":1,"total":0,"errors":0}}`

// Inbox is what a reader may subscribe to.
const Inbox = "_INBOX.>"

// A Relay stands between one reader and the log.
type Relay struct {
	stream, reader string
	log, to        *nats.Conn // of its own
	logger         *slog.Logger

	mu     sync.Mutex
	open   []*nats.Subscription // of answers that are passed on, the oldest first
	closed bool
}

// Start relays between a connection to the server of the log and one to the account of a
// reader. It closes both when it ends.
func Start(log, to *nats.Conn, stream, reader string, logger *slog.Logger) (*Relay, error) {
	r := &Relay{stream: stream, reader: reader, log: log, to: to, logger: logger}
	sub, err := to.Subscribe(prefix+">", r.take)
	if err == nil {
		err = sub.SetPendingLimits(1000, 4<<20)
	}
	if err == nil {
		err = to.Flush()
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// take does one request after the other, at a pace that leaves the log time for others.
func (r *Relay) take(m *nats.Msg) {
	time.Sleep(pace)
	if m.Reply == "" || len(m.Data) > maxRequest {
		return
	}
	switch operation := strings.TrimPrefix(m.Subject, prefix); operation {
	case "INFO":
		r.send(&nats.Msg{Subject: m.Reply, Data: []byte(account)})
	case "STREAM.INFO." + r.stream:
		r.ask(m, operation, nil)
	case "STREAM.MSG.GET." + r.stream: // what `nats stream get` uses
		in, ok := read(m)
		if !ok || in.several() {
			r.answer(m, 400, "bad request")
			return
		}
		r.ask(m, operation, request{Seq: in.Seq, Last: in.Last, Next: in.Next})
	case "DIRECT.GET." + r.stream:
		r.get(m)
	default:
		if subject, ok := strings.CutPrefix(operation, "DIRECT.GET."+r.stream+"."); ok && isSubject(subject) {
			r.request(m, request{Last: subject})
			return
		}
		r.refuse(m)
	}
}

// A request is what is read and written of one for direct get. What is not here is not
// passed on.
type request struct {
	Seq       uint64     `json:"seq,omitempty"`
	Last      string     `json:"last_by_subj,omitempty"`
	Next      string     `json:"next_by_subj,omitempty"`
	Batch     int        `json:"batch,omitempty"`
	MaxBytes  int        `json:"max_bytes,omitempty"`
	StartTime *time.Time `json:"start_time,omitempty"`
	MultiLast []string   `json:"multi_last,omitempty"`
	UpToSeq   uint64     `json:"up_to_seq,omitempty"`
	UpToTime  *time.Time `json:"up_to_time,omitempty"`
}

var subjectPattern = regexp.MustCompile(`^([A-Za-z0-9_~*=-]+\.)*([A-Za-z0-9_~*=-]+|>)$`)

func isSubject(s string) bool { return len(s) <= maxSubject && subjectPattern.MatchString(s) }

// read is what a client asks for; not ok is nonsense.
func read(m *nats.Msg) (in request, ok bool) {
	bad := json.Unmarshal(m.Data, &in) != nil || len(in.MultiLast) > maxSubjects || in.Batch < 0
	for _, s := range append([]string{in.Last, in.Next}, in.MultiLast...) {
		bad = bad || s != "" && !isSubject(s)
	}
	return in, !bad
}

// ask puts a request to the log that has one answer, of JSON.
func (r *Relay) ask(m *nats.Msg, operation string, body any) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return
		}
	}
	answer, err := r.log.Request(prefix+operation, data, answersWithin)
	switch {
	case err != nil:
		r.answer(m, 503, "the log does not answer: try again")
	case int64(len(answer.Data)) > r.to.MaxPayload():
		r.answer(m, 500, "the event is too large for this: get it by direct get")
	default:
		r.send(&nats.Msg{Subject: m.Reply, Data: answer.Data})
	}
}

// answer says what is wrong, as JetStream does.
func (r *Relay) answer(m *nats.Msg, code int, why string) {
	data, err := json.Marshal(map[string]any{"error": map[string]any{"code": code, "description": why}})
	if err == nil {
		r.send(&nats.Msg{Subject: m.Reply, Data: data})
	}
}

func (r *Relay) get(m *nats.Msg) {
	in, ok := read(m)
	if !ok {
		r.refuse(m)
		return
	}
	if in.several() {
		in.Batch = min(max(in.Batch, 1), maxBatch)
		if in.MaxBytes <= 0 || in.MaxBytes > maxBytes {
			in.MaxBytes = maxBytes
		}
	}
	r.request(m, in)
}

func (in request) several() bool { return in.Batch > 0 || len(in.MultiLast) > 0 }

// request has the answers to a request passed on.
func (r *Relay) request(m *nats.Msg, in request) {
	data, err := json.Marshal(in)
	if err != nil {
		return
	}
	inbox, several := nats.NewInbox(), in.several()
	sub, err := r.log.Subscribe(inbox, func(answer *nats.Msg) {
		status := answer.Header.Get("Status")
		if status == "404" {
			time.Sleep(noneAfter)
		}
		r.send(&nats.Msg{Subject: m.Reply, Header: answer.Header, Data: answer.Data})
		if status != "" || !several {
			answer.Sub.Unsubscribe() // it was the last
		}
	})
	if err == nil {
		err = r.log.PublishRequest(prefix+"DIRECT.GET."+r.stream, inbox, data)
	}
	if err != nil {
		if sub != nil {
			sub.Unsubscribe()
		}
		r.refuse(m)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = slices.DeleteFunc(r.open, func(s *nats.Subscription) bool { return !s.IsValid() })
	if r.open = append(r.open, sub); len(r.open) > maxOpen {
		r.open[0].Unsubscribe()
		r.open = slices.Delete(r.open, 0, 1)
	}
}

func (r *Relay) send(m *nats.Msg) {
	if err := r.to.PublishMsg(m); err != nil && !r.to.IsClosed() {
		r.logger.Warn("a reader of the log was not answered", "reader", r.reader, "error", err)
	}
}

// refuse answers as direct get does.
func (r *Relay) refuse(m *nats.Msg) {
	r.send(&nats.Msg{Subject: m.Reply, Header: nats.Header{"Status": {"408"}, "Description": {"Bad Request"}}})
}

// Close ends it.
func (r *Relay) Close() {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	r.mu.Unlock()
	if !closed {
		r.to.Close()
		r.log.Close()
	}
}
