package build_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/internal/build"
	"hubledger/services/internal/command"
	"hubledger/streams/streamtest"
)

// A build that is cancelled at the moment at which its builder ends it, has pushed it, or is
// lost ends once; whoever comes later is told so.
func TestCancelRacesTheEnd(t *testing.T) {
	log := streamtest.Open(t, "")
	wins := map[string]int{}
	for n := range 60 {
		one := build.ID{Namespace: id.Namespace, Build: uuid.NewSHA1(uuid.Nil, []byte{byte(n)}).String()}
		for _, p := range []events.Payload{events.BuildQueued{Namespace: one.Namespace, Build: one.Build}, events.BuildClaimed{Namespace: one.Namespace, Build: one.Build, Builder: "b", Epoch: 1}} {
			if _, err := command.Append(t.Context(), log, by, p, events.AnySeq); err != nil {
				t.Fatal(err)
			}
		}
		var cancelled, said error
		var both sync.WaitGroup
		both.Go(func() {
			_, cancelled = build.End(t.Context(), log, by, one, events.BuildFinished{Outcome: events.BuildCancelled})
		})
		both.Go(func() {
			switch n % 3 {
			case 0:
				_, said = build.Say(t.Context(), log, by, one, 1, events.BuildFinished{Namespace: one.Namespace, Build: one.Build, Epoch: 1, Outcome: events.BuildFailed})
			case 1:
				_, said = build.Say(t.Context(), log, by, one, 1, events.BuildPushed{Namespace: one.Namespace, Build: one.Build, Epoch: 1, Digest: someDigest})
			default:
				_, said = build.Lose(t.Context(), log, by, one, "b", 1, 0)
			}
		})
		both.Wait()
		last, _, err := command.Latest(t.Context(), log, events.BuildSubject(one.Namespace, one.Build))
		end, ended := last.(events.BuildFinished)
		switch {
		case err != nil || !ended:
			t.Fatalf("round %d: the last event is %+v, %v", n, last, err)
		case cancelled == nil && end.Outcome == events.BuildCancelled && (said == nil && n%3 != 0 || errors.Is(said, build.ErrEnded)):
			wins["cancelled"]++
		case errors.Is(cancelled, build.ErrEnded) && said == nil && end.Outcome == events.BuildFailed:
			wins["failed"]++
		default:
			t.Errorf("round %d: it ended as %+v; cancelling said %v, the builder was told %v", n, end, cancelled, said)
		}
	}
	t.Log(wins)
}
