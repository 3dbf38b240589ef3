package outlet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hubledger/streams/outlet"
	"hubledger/streams/streamtest"
)

// A stream keeps what is published once, and without one nothing counts as sent.
func TestPublish(t *testing.T) {
	url := streamtest.Server(t)
	o, err := outlet.Dial(url+"/team/hub", "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	send := func(n int) error {
		return o.Publish(t.Context(), fmt.Sprintf("id-%d", n), "evt._.hub._", "text/plain", fmt.Appendf(nil, "event %d", n))
	}
	if err := send(1); err == nil || !strings.Contains(err.Error(), "team.hub.evt._.hub._") {
		t.Errorf("without a stream: %v", err)
	}
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "COPY", Subjects: []string{"team.hub.>"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 2, 1, 3} {
		if err := send(n); err != nil {
			t.Fatal(err)
		}
	}
	for seq := range uint64(3) {
		m, err := s.GetMsg(t.Context(), seq+1)
		if err != nil || string(m.Data) != fmt.Sprintf("event %d", seq+1) || m.Subject != "team.hub.evt._.hub._" || m.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("message %d: %+v %v", seq+1, m, err)
		}
	}
	if info, err := s.Info(t.Context()); err != nil || info.State.Msgs != 3 {
		t.Errorf("%+v %v", info, err)
	}
}

func TestDialRefused(t *testing.T) {
	for _, url := range []string{"", "nats://", "nats://127.0.0.1:1", "nats://127.0.0.1:1/a*", "nats://127.0.0.1:1/a b", "nats://127.0.0.1:1/a//b"} {
		if o, err := outlet.Dial(url, ""); err == nil {
			o.Close()
			t.Errorf("%q is dialled", url)
		}
	}
	if _, err := outlet.Dial("nats://me:secret@127.0.0.1:1", ""); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells the password: %v", err)
	}
}
