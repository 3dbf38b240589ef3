package builds_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/builds"
	"hubledger/projections/projectiontest"
)

func received(n int, delivery string, refs ...events.HookRef) events.HookReceived {
	return events.HookReceived{Namespace: id(acme), Source: id(n), Delivery: delivery, Event: "push", Refs: refs, More: 3, Repository: "https://x/app",
		Headers: map[string]string{"User-Agent": "é"}, Digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", Size: 2}
}

func redelivered(n int, delivery string) events.HookRedelivered {
	return events.HookRedelivered{Namespace: id(acme), Source: id(n), Delivery: delivery}
}

func refused(n, minute int, node string) events.HookRefused {
	until := noon.Add(time.Duration(minute) * time.Minute)
	return events.HookRefused{Namespace: id(acme), Source: id(n), Node: node, From: until.Add(-time.Minute), Until: until, Requests: int64(minute), Addresses: 1}
}

// Row by row, in batches with interruptions and in bulk webhooks come to the same
// rows, on either store.
func TestDeliveriesConverge(t *testing.T) {
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		rng := projectiontest.Seed(t)
		list := story()
		for range 300 {
			list = append(list, randomHook(rng))
		}
		projectiontest.Converge(t, &builds.Projection, history(list...), rng, storage)
	})
}

func randomHook(rng *rand.Rand) events.Payload {
	n, delivery := app+rng.IntN(3), fmt.Sprint("d-", rng.IntN(30))
	switch rng.IntN(4) {
	case 0:
		return redelivered(n, delivery)
	case 1:
		return refused(n, rng.IntN(20), fmt.Sprint("node", rng.IntN(2)))
	}
	ping := received(n, delivery)
	if ping.Ping = rng.IntN(3) == 0; !ping.Ping {
		ping.Refs = []events.HookRef{{Ref: "refs/heads/\x1b\"é", New: "c1"}}
	}
	return ping
}

func TestDeliveries(t *testing.T) {
	ref := events.HookRef{Ref: "refs/heads/\x1bé", Old: "c1", New: "c2"}
	ping := received(app, "d-ping")
	ping.Ping, ping.Headers = true, nil
	log := history(linked(app, "acme/app", "https://x/app"), received(app, "d-1", ref), redelivered(app, "d-1"), redelivered(app, "d-1"), ping,
		received(lib, "d-1"), refused(app, 3, "b"), refused(app, 2, "a"))
	cause := uuid.NewSHA1(uuid.Nil, []byte("1")).String() // the id that history gives the second one
	for k, to := range []string{"c2", "c3"} {             // one ref moves twice for one cause: the later move counts
		e, err := events.New(moved(app, "refs/heads/main", fmt.Sprint("c", k+1), to), events.Meta{ID: uuid.NewString(), Source: "/test", Actor: "system", Cause: cause})
		check(t, err)
		e.Set(events.AttrTime, noon.Format(events.TimeLayout))
		log.Append(e)
	}
	projectiontest.OnEveryStorage(t, &postgres, func(t *testing.T, storage projections.Storage) {
		ctx := t.Context()
		store, err := storage.Open(ctx, &builds.Projection, projections.Options{})
		check(t, err)
		defer store.Close()
		check(t, projections.CatchUp(ctx, store, log, 10, nil))
		r := builds.Reader{DB: store.DB()}
		d, err := r.Delivery(ctx, id(app), 2)
		check(t, err)
		want := received(app, "d-1", ref)
		if d.Delivery != "d-1" || d.Event != cause || d.Kind != "push" || d.Ping || !reflect.DeepEqual(d.Refs, want.Refs) || d.More != 3 || d.Repository != want.Repository ||
			!reflect.DeepEqual(d.Headers, want.Headers) || d.Digest != want.Digest || d.Size != 2 || !d.Received.Equal(noon.Add(2*time.Minute)) || d.Again != 2 || d.Moved != 1 {
			t.Errorf("%+v", d)
		}
		var listed []string
		for before := uint64(0); ; {
			page, err := r.Deliveries(ctx, id(app), before, 1)
			check(t, err)
			if len(page) == 0 {
				break
			}
			listed = append(listed, fmt.Sprint(page[0].Delivery, page[0].Ping))
			before = page[0].Seq
		}
		if got := fmt.Sprint(listed); got != "[d-pingtrue d-1false]" {
			t.Errorf("listed are %s", got)
		}
		if moves, err := r.Moves(ctx, id(app), cause, 9); err != nil || len(moves) != 1 || moves[0] != (builds.Move{Ref: "refs/heads/main", Previous: "c2", Commit: "c3", Seq: 10}) {
			t.Errorf("%+v, %v", moves, err)
		}
		if seen, err := r.Seen(ctx, id(app), "d-1"); err != nil || seen.Digest == "" || *seen != (builds.Hook{Event: cause, Digest: seen.Digest, Seq: 2}) {
			t.Errorf("%+v, %v", seen, err)
		}
		if f, err := r.LatestRefusal(ctx, id(app)); err != nil || f.Requests != 3 || !f.Until.Equal(noon.Add(3*time.Minute)) {
			t.Errorf("%+v, %v", f, err)
		}
		if latest, err := r.LatestHook(ctx, id(app)); err != nil || latest.Seq != 2 {
			t.Errorf("the latest that is no ping: %+v, %v", latest, err)
		}
		if heard, err := r.LastHeard(ctx, id(app)); err != nil || !heard.Equal(noon.Add(5*time.Minute)) {
			t.Errorf("heard at %s, %v", heard, err)
		}
		for _, err := range []error{second(r.Delivery(ctx, id(app), 1)), second(r.Delivery(ctx, id(lib), 2)), second(r.Delivery(ctx, "x", 2)),
			second(r.Seen(ctx, id(app), "D-1")), second(r.Seen(ctx, id(9), "d-1")), second(r.LatestRefusal(ctx, id(lib)))} {
			if !errors.Is(err, builds.ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
		}
	})
}
