package machines_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// A readable is a server whose machines with ids that begin with r read a log.
type readable struct {
	*world
	log *streams.Log
	n   int // events in it
}

func newReadable(t testing.TB) *readable {
	l := streamtest.Open(t, "")
	r := &readable{world: newWorld(t, l), log: l}
	r.append(20)
	return r
}

func (r *readable) append(n int) {
	r.t.Helper()
	for range n {
		r.n++
		e, err := events.New(events.StarGiven{Namespace: "ns", Repository: fmt.Sprint("r", r.n%3), User: fmt.Sprint(r.n)}, events.Meta{ID: uuid.NewString(), Source: "/test", Actor: "tester"})
		check(r.t, err)
		_, err = r.log.Append(context.Background(), e, events.AnySeq)
		check(r.t, err)
	}
}

// connect is an ordinary client with the key of a machine.
func (r *readable) connect(seed []byte, opts ...nats.Option) (*nats.Conn, error) {
	pair, err := nkeys.FromSeed(seed)
	check(r.t, err)
	public, err := pair.PublicKey()
	check(r.t, err)
	nc, err := nats.Connect("tls://"+r.Address(), append([]nats.Option{nats.Secure(tlsOf(r.world)), nats.TLSHandshakeFirst(), nats.Nkey(public, pair.Sign), nats.Timeout(10 * time.Second), nats.NoReconnect()}, opts...)...)
	if err == nil {
		r.t.Cleanup(nc.Close)
	}
	return nc, err
}

// An ordinary client gets single events, batches of them, the last ones of subjects, and what
// is appended meanwhile, also large.
func TestReader(t *testing.T) {
	r := newReadable(t)
	nc, err := r.connect(r.enroll("r1"))
	check(t, err)
	js, err := jetstream.New(nc)
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	stream, err := js.Stream(ctx, streams.StreamName)
	check(t, err)
	if info := stream.CachedInfo(); info.State.LastSeq != uint64(r.n) {
		t.Errorf("the stream has %d events", info.State.LastSeq)
	}
	one, err := stream.GetMsg(ctx, 7)
	if err != nil || one.Sequence != 7 || !strings.HasPrefix(one.Subject, "evt.ns.star.r1-") || one.Header.Get("ce-type") != "star.given.v1" {
		t.Errorf("event 7: %+v %v", one, err)
	}
	last, err := stream.GetLastMsgForSubject(ctx, one.Subject)
	if err != nil || last.Sequence != 7 {
		t.Errorf("the last of a subject: %+v %v", last, err)
	}
	next, err := stream.GetMsg(ctx, 8, jetstream.WithGetMsgSubject("evt.*.star.>"))
	if err != nil || next.Sequence != 8 {
		t.Errorf("the next of a subject: %+v %v", next, err)
	}
	if _, err := stream.GetMsg(ctx, 99999); !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Errorf("an event that is not there: %v", err)
	}
	// It follows the log: batch after batch, from the sequence that it has come to.
	at := 0
	follow := func(to int) {
		t.Helper()
		for at < to {
			for _, m := range batch(t, nc, fmt.Sprintf(`{"seq":%d,"batch":300}`, at+1)) {
				if at++; m.Header.Get("Nats-Sequence") != fmt.Sprint(at) || !strings.HasPrefix(m.Header.Get("Nats-Subject"), "evt.ns.star.r") {
					t.Fatalf("instead of event %d came %v", at, m.Header)
				}
			}
		}
	}
	follow(20)
	r.append(700)
	follow(720)
	r.n++
	large, err := events.New(events.StarGiven{Namespace: "ns", Repository: "r0", User: "large"}, events.Meta{ID: uuid.NewString(), Source: "/test", Actor: "tester"})
	check(t, err)
	large.Data = []byte(`"` + strings.Repeat("x", events.MaxDataSize-2) + `"`)
	_, err = r.log.Append(ctx, large, events.AnySeq)
	check(t, err)
	if m, err := stream.GetMsg(ctx, 721); err != nil || len(m.Data) != events.MaxDataSize {
		t.Errorf("a large event came with %v", err)
	}
	follow(721)
}

// batch is what direct get answers to a request, without the status at the end.
func batch(t testing.TB, nc *nats.Conn, body string) (list []*nats.Msg) {
	t.Helper()
	inbox := nats.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	check(t, err)
	defer sub.Unsubscribe()
	check(t, nc.PublishRequest("$JS.API.DIRECT.GET.EVT", inbox, []byte(body)))
	for {
		m, err := sub.NextMsg(20 * time.Second)
		check(t, err)
		if m.Header.Get("Status") != "" {
			return list
		}
		list = append(list, m)
	}
}

// A reader that is hostile changes nothing, keeps nothing, and reads nothing but the log.
func TestHostileReader(t *testing.T) {
	r := newReadable(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	victim, err := r.connect(r.enroll("r2"))
	check(t, err)
	vjs, err := jetstream.New(victim)
	check(t, err)
	refused := make(chan error, 1000)
	nc, err := r.connect(r.enroll("r1"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	check(t, err)
	js, err := jetstream.New(nc)
	check(t, err)
	soon := func() context.Context {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	consumer := func(stream string, c jetstream.ConsumerConfig) error {
		c.AckPolicy = jetstream.AckNonePolicy
		_, err := js.CreateConsumer(soon(), stream, c)
		return err
	}
	ask := func(subject, body string) error {
		_, err := nc.Request(subject, []byte(body), 200*time.Millisecond)
		return err
	}
	for name, try := range map[string]func() error{
		"publish an event": func() error { _, err := js.Publish(soon(), "evt._.hub._", []byte("x")); return err },
		"open secrets":     func() error { _, err := js.KeyValue(soon(), "SECRETS"); return err },
		"get a secret":     func() error { return ask("$JS.API.DIRECT.GET.KV_SECRETS", `{"seq":1}`) },
		"get one by key":   func() error { return ask("$JS.API.DIRECT.GET.KV_SECRETS.$KV.SECRETS.x", "") },
		"put a secret":     func() error { _, err := js.Publish(soon(), "$KV.SECRETS.x", []byte("x")); return err },
		"get a secret so":  func() error { return ask("$JS.API.STREAM.MSG.GET.KV_SECRETS", `{"seq":1}`) },
		"see a stream":     func() error { _, err := js.Stream(soon(), "BUILDLOG"); return err },
		"list streams":     func() error { return ask("$JS.API.STREAM.LIST", "") },
		"make a stream": func() error {
			_, err := js.CreateStream(soon(), jetstream.StreamConfig{Name: "X", Subjects: []string{"x"}})
			return err
		},
		"update the log": func() error {
			return ask("$JS.API.STREAM.UPDATE.EVT", `{"name":"EVT","subjects":["evt.>"],"max_msgs":2}`)
		},
		"delete the log":   func() error { return js.DeleteStream(soon(), streams.StreamName) },
		"purge the log":    func() error { return ask("$JS.API.STREAM.PURGE.EVT", "") },
		"delete an event":  func() error { return ask("$JS.API.STREAM.MSG.DELETE.EVT", `{"seq":1}`) },
		"seal the log":     func() error { return ask("$JS.API.STREAM.SNAPSHOT.EVT", `{"deliver_subject":"_INBOX.x"}`) },
		"keep a durable":   func() error { return consumer(streams.StreamName, jetstream.ConsumerConfig{Durable: "d"}) },
		"have a consumer":  func() error { return consumer(streams.StreamName, jetstream.ConsumerConfig{Name: "c"}) },
		"consume secrets":  func() error { return consumer("KV_SECRETS", jetstream.ConsumerConfig{Name: "s"}) },
		"delete consumers": func() error { return js.DeleteConsumer(soon(), streams.StreamName, "x") },
		"ask the system":   func() error { return ask("$SYS.REQ.SERVER.PING", "") },
		"ask as a machine": func() error { return ask("machine.r1.say", "") },
		"acknowledge":      func() error { return ask("$JS.ACK.EVT.x.1.1.1.1.1", "+ACK") },
	} {
		if err := try(); err == nil {
			t.Errorf("it may %s", name)
		}
	}
	check(t, nc.FlushTimeout(5*time.Second))
	if len(refused) < 20 {
		t.Errorf("only %d things were refused", len(refused))
	}
	// It hears nothing of another reader, not even what is meant for all inboxes.
	heard := make(chan *nats.Msg, 1000)
	for _, subject := range []string{">", "evt.>", "$JS.>", "$KV.>", "machine.>", "answer.>", "_INBOX.>"} {
		_, err := nc.ChanSubscribe(subject, heard)
		check(t, err)
	}
	check(t, nc.FlushTimeout(5*time.Second))
	if _, err := vjs.Stream(ctx, streams.StreamName); err != nil {
		t.Error(err)
	}
	if list := batch(t, victim, `{"seq":1,"batch":5}`); len(list) != 5 {
		t.Errorf("the other reader gets %d events", len(list))
	}
	if len(heard) > 0 {
		t.Errorf("it has heard %s", (<-heard).Subject)
	}
	// What it asks for is bounded, and nonsense is refused.
	r.append(1100)
	if list := batch(t, nc, `{"seq":1,"batch":1000000,"max_bytes":1000000000}`); len(list) != 1000 {
		t.Errorf("a batch without bounds has %d events", len(list))
	}
	for _, body := range []string{"", "{", "[]", `{"seq":-1}`, `{"last_by_subj":"$KV.SECRETS.x"}`, `{"last_by_subj":"a b"}`, `{"batch":-1}`, `{"multi_last":["` + strings.Repeat(`a","`, 20) + `a"]}`} {
		if m, err := nc.Request("$JS.API.DIRECT.GET.EVT", []byte(body), 10*time.Second); err != nil || m.Header.Get("Status") == "" || len(m.Data) > 0 {
			t.Errorf("%q: %v %v", body, m, err)
		}
	}
	if m, err := nc.Request("$JS.API.STREAM.MSG.GET.EVT", []byte(`{"last_by_subj":"$KV.SECRETS.x"}`), 10*time.Second); err != nil || !strings.Contains(string(m.Data), "bad request") {
		t.Errorf("nonsense: %v %v", m, err)
	}
	if err := ask("$JS.API.DIRECT.GET.EVT", strings.Repeat("x", 1<<20)); err == nil {
		t.Error("a request of a megabyte is answered")
	}
	// A flood holds up nobody else.
	for range 2000 {
		nc.PublishRequest("$JS.API.DIRECT.GET.EVT", "_INBOX.none", []byte(`{"seq":1,"batch":1000}`))
	}
	if list := batch(t, victim, `{"seq":1,"batch":5}`); len(list) != 5 {
		t.Errorf("meanwhile the other reader gets %d events", len(list))
	}
	r.append(1)
	if state, err := r.log.State(ctx); err != nil || state.LastSeq != uint64(r.n) || state.Messages != uint64(r.n) {
		t.Errorf("the log: %+v %v", state, err)
	}
}

// A reader that is revoked is cut off at once, and does not come back. It may have a few
// connections, and no more.
func TestRevokedReader(t *testing.T) {
	r := newReadable(t)
	seed := r.enroll("r1")
	nc, err := r.connect(seed)
	check(t, err)
	if list := batch(t, nc, `{"seq":1,"batch":5}`); len(list) != 5 {
		t.Fatalf("it gets %d events", len(list))
	}
	more := 0
	for range 6 {
		if other, err := r.connect(seed); err == nil {
			more++
			if list := batch(t, other, `{"seq":1,"batch":5}`); len(list) != 5 {
				t.Errorf("another connection gets %d events", len(list))
			}
		}
	}
	if more != 3 {
		t.Errorf("it has %d more connections", more)
	}
	if !r.Connected("r1") {
		t.Error("it is not connected")
	}
	r.mu.Lock()
	clear(r.keys)
	r.mu.Unlock()
	r.Disconnect("r1")
	for end := time.Now().Add(20 * time.Second); !nc.IsClosed(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is still connected")
		}
	}
	if _, err := r.connect(seed); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("it comes back: %v", err)
	}
	if r.Connected("r1") {
		t.Error("it is connected again")
	}
}
