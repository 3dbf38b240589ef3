package messages_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/messages"
	"hubledger/streams/streamtest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func event(t testing.TB, p events.Payload) events.Event {
	t.Helper()
	e, err := events.New(p, events.Meta{ID: uuid.NewString(), Source: "/test", Actor: "tester"})
	check(t, err)
	return e
}

// erase appends n erasures, among events of other types on the same subjects,
// and returns their users.
func erase(t testing.TB, log *streams.Log, n int) (users []string) {
	t.Helper()
	for range n {
		user := uuid.NewString()
		for _, p := range []events.Payload{events.UserPasswordChanged{User: user}, events.UserErased{User: user}} {
			_, err := log.Append(t.Context(), event(t, p), events.AnySeq)
			check(t, err)
		}
		users = append(users, user)
	}
	return users
}

// collect subscribes and acknowledges n messages, after refusing each one so
// many times, and returns their users in the order of acknowledgement.
func collect(t *testing.T, log *streams.Log, n, refuse int) (users []string) {
	t.Helper()
	s := subscriber(t, log, 1)
	defer s.Close()
	out, err := s.Subscribe(t.Context(), "erasures")
	check(t, err)
	refused := map[string]int{}
	for len(users) < n {
		m := <-out
		if refused[m.UUID] < refuse {
			refused[m.UUID]++
			m.Nack()
			continue
		}
		users = append(users, userOf(t, m))
		m.Ack()
	}
	return users
}

func subscriber(t *testing.T, log *streams.Log, inFlight int) message.Subscriber {
	t.Helper()
	s, err := messages.Source{Log: log, Logger: quiet}.Subscriber("erasures", []string{"user.erased.v1"}, inFlight)
	check(t, err)
	return s
}

func userOf(t *testing.T, m *message.Message) string {
	t.Helper()
	e, err := messages.Event(m)
	check(t, err)
	p, err := events.Decode(&e)
	check(t, err)
	if e.ID() != m.UUID || e.Seq == 0 || e.Time().IsZero() {
		t.Errorf("the message %s says %+v", m.UUID, e)
	}
	return p.(events.UserErased).User
}

// first makes the consumer: what is appended then is delivered.
func first(t *testing.T, log *streams.Log) {
	t.Helper()
	s := subscriber(t, log, 1)
	_, err := s.Subscribe(t.Context(), "erasures")
	check(t, err)
	check(t, s.Close())
}

// Only events of the types come, each once it was not refused, in the log's
// order, and none from before the consumer.
func TestSubscribe(t *testing.T) {
	log := streamtest.Open(t, "")
	erase(t, log, 2)
	first(t, log)
	want := erase(t, log, 5)
	if got := collect(t, log, len(want), 1); !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
}

// What was not acknowledged before a restart comes after it, and the log is
// whole although it has consumers.
func TestSubscribeAfterARestart(t *testing.T) {
	dir := t.TempDir()
	open := func() *streams.Log {
		log, err := streams.Open(context.Background(), streams.Config{Dir: dir, Logger: quiet})
		check(t, err)
		return log
	}
	log := open()
	first(t, log)
	want := erase(t, log, 3)
	got := collect(t, log, 1, 0)
	s := subscriber(t, log, 1)
	out, err := s.Subscribe(t.Context(), "erasures")
	check(t, err)
	<-out // and the process ends
	check(t, s.Close())
	check(t, log.Close(context.Background()))
	log = open()
	defer log.Close(context.Background())
	check(t, log.ReadOnly())
	want = append(want, erase(t, log, 1)...)
	got = append(got, collect(t, log, 3, 0)...)
	if !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
}

// No more messages than allowed wait to be acknowledged.
func TestInFlight(t *testing.T) {
	log := streamtest.Open(t, "")
	first(t, log)
	want := erase(t, log, 3)
	s := subscriber(t, log, 2)
	defer s.Close()
	out, err := s.Subscribe(t.Context(), "erasures")
	check(t, err)
	a, b := <-out, <-out
	select {
	case m := <-out:
		t.Fatalf("a third message came: %s", userOf(t, m))
	case <-time.After(100 * time.Millisecond):
	}
	a.Ack()
	c := <-out
	if got := []string{userOf(t, a), userOf(t, b), userOf(t, c)}; !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}
	b.Ack()
	c.Ack()
}

// Watermill's router runs on it: a handler that fails is asked again, and the
// next event waits meanwhile.
func TestRouter(t *testing.T) {
	log := streamtest.Open(t, "")
	first(t, log)
	want := erase(t, log, 3)
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: 10 * time.Second}, watermill.NopLogger{})
	check(t, err)
	var mu sync.Mutex
	var got []string
	failed, done := false, make(chan struct{})
	router.AddConsumerHandler("erasures", "erasures", subscriber(t, log, 1), func(m *message.Message) error {
		mu.Lock()
		defer mu.Unlock()
		user := userOf(t, m)
		if user == want[1] && !failed {
			failed = true
			return errors.New("not now")
		}
		if got = append(got, user); len(got) == len(want) {
			close(done)
		}
		return nil
	})
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- router.Run(ctx) }()
	<-done
	cancel()
	check(t, <-ended)
	if !slices.Equal(got, want) {
		t.Errorf("handled %q, want %q", got, want)
	}
}

// A log in quarantine delivers nothing, and says why.
func TestSubscribeInQuarantine(t *testing.T) {
	dir := t.TempDir()
	log, err := streams.Open(context.Background(), streams.Config{Dir: dir, Logger: quiet})
	check(t, err)
	erase(t, log, 20)
	check(t, log.Close(context.Background()))
	blocks := dir + "/nats/jetstream/$G/streams/EVT/msgs/1.blk"
	data, err := os.ReadFile(blocks)
	check(t, err)
	check(t, os.WriteFile(blocks, data[:len(data)/2], 0o600))
	log = streamtest.Open(t, dir)
	if _, err := subscriber(t, log, 1).Subscribe(t.Context(), "erasures"); !errors.Is(err, events.ErrReadOnly) {
		t.Errorf("%v", err)
	}
}

// A message becomes the event that it was made of, and the same id on the same
// expectation is one event.
func TestPublish(t *testing.T) {
	log := streamtest.Open(t, "")
	p := messages.Publisher{Log: log}
	e := event(t, events.UserErased{User: uuid.NewString()})
	for range 2 {
		m := messages.New(&e)
		m.Metadata[messages.MetaExpect] = "0"
		check(t, p.Publish(e.Subject, m))
		if m.Metadata[messages.MetaSequence] != "1" {
			t.Errorf("published at %q", m.Metadata[messages.MetaSequence])
		}
	}
	got, err := log.Get(t.Context(), 1)
	check(t, err)
	if got.ID() != e.ID() || got.Subject != e.Subject || got.Type() != e.Type() || !bytes.Equal(got.Data, e.Data) || got.Actor() != "tester" {
		t.Errorf("in the log: %+v, published %+v", got, e)
	}
	other := event(t, events.UserErased{User: uuid.NewString()})
	m := messages.New(&other)
	m.Metadata[messages.MetaExpect] = "0"
	if err := p.Publish(e.Subject, m); !errors.Is(err, events.ErrConflict) {
		t.Errorf("published after another event: %v", err)
	}
	if last, err := log.LastSeq(t.Context()); err != nil || last != 1 {
		t.Errorf("the log ends at %d, %v", last, err)
	}
}

// The filters let every event of a type through: the samples' subjects say so.
func TestSubjects(t *testing.T) {
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		data, err := os.ReadFile(fmt.Sprintf("../../events/testdata/%s.json", name))
		check(t, err)
		var sample struct{ Subject string }
		check(t, json.Unmarshal(data, &sample))
		subjects := []string{sample.Subject}
		if name == (events.ImagePushed{}).EventType() { // without a tag
			subjects = append(subjects, events.ImageSubject("n", "r"))
		}
		filters, err := messages.Subjects(name)
		check(t, err)
		for _, subject := range subjects {
			if !slices.ContainsFunc(filters, func(f string) bool { return matches(f, subject) }) {
				t.Errorf("%s on %s does not pass %q", name, subject, filters)
			}
		}
	}
	if _, err := messages.Subjects("no version"); err == nil {
		t.Error("a bad type was accepted")
	}
}

func matches(filter, subject string) bool {
	f, s := strings.Split(filter, "."), strings.Split(subject, ".")
	return len(f) == len(s) && !slices.ContainsFunc(slices.Collect(func(yield func(bool) bool) {
		for i := range f {
			if !yield(f[i] == "*" || f[i] == s[i]) {
				return
			}
		}
	}), func(same bool) bool { return !same })
}
