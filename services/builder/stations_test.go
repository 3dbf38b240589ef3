package builder

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/builder/worker"
)

var anOffer = worker.Offer{Platforms: []string{"linux/amd64"}, Places: 2}

func here() bool { return true }

func claimOf(n int) worker.Claim { return worker.Claim{Build: id(n), Epoch: 1} }

func runs(n int, builder string) builds.Build {
	return builds.Build{ID: id(n), Epoch: 1, Builder: builder, State: builds.Running}
}

// A builder keeps a build while it is heard and says that it has it. What it was just
// given it need not know yet.
func TestLease(t *testing.T) {
	for name, c := range map[string]struct {
		what func(s *stations)
		lost bool
	}{
		"heard": {func(s *stations) { s.renew("b", here, anOffer, []worker.Claim{claimOf(1)}) }, false},
		"silent for a while": {func(s *stations) {
			s.renew("b", here, anOffer, []worker.Claim{claimOf(1)})
			time.Sleep(lease - time.Second)
		}, false},
		"silent for too long": {func(s *stations) {
			s.renew("b", here, anOffer, []worker.Claim{claimOf(1)})
			time.Sleep(lease + time.Second)
		}, true},
		"does not have it":    {func(s *stations) { s.renew("b", here, anOffer, nil) }, true},
		"another epoch":       {func(s *stations) { s.renew("b", here, anOffer, []worker.Claim{{Build: id(1), Epoch: 2}}) }, true},
		"the hub has started": {func(*stations) { time.Sleep(lease - time.Second) }, false},
		"the hub has started, and it asks for more": {func(s *stations) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			s.next(ctx, "b")
			s.charge("b", claimOf(1), 1, 0)
		}, false},
		"never heard": {func(*stations) { time.Sleep(lease + time.Second) }, true},
		"another builder heard": {func(s *stations) {
			time.Sleep(lease + time.Second)
			s.renew("c", here, anOffer, []worker.Claim{claimOf(1)})
		}, true},
		"just given":           {func(s *stations) { given(s); time.Sleep(arriving - time.Second); s.renew("b", here, anOffer, nil) }, false},
		"given, and not taken": {func(s *stations) { given(s); time.Sleep(arriving + time.Second); s.renew("b", here, anOffer, nil) }, true},
		"revoked": {func(s *stations) {
			s.renew("b", here, anOffer, []worker.Claim{claimOf(1)})
			s.cut("b")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStations()
				c.what(s)
				if lost := s.saw([]builds.Build{runs(1, "b")}); (len(lost) == 1) != c.lost {
					t.Errorf("lost are %v", lost)
				}
			})
		})
	}
}

// given gives build 1 to b.
func given(s *stations) {
	s.saw(nil)
	s.renew("b", here, anOffer, nil)
	s.of("b").ask = make(chan *worker.Assignment, 1)
	s.give("b", &worker.Assignment{Claim: claimOf(1)})
}

// A builder is told which of its builds it does not have any more: ended ones, those of
// an older epoch, and those of others.
func TestRenewTells(t *testing.T) {
	s := newStations()
	have := []worker.Claim{claimOf(1), claimOf(2), claimOf(3), {Build: id(4), Epoch: 1}}
	if gone := s.renew("b", here, anOffer, have); len(gone) != 0 {
		t.Errorf("before the hub knows what runs, %v are gone", gone)
	}
	four := runs(4, "b")
	four.Epoch = 2
	s.saw([]builds.Build{runs(1, "b"), runs(3, "c"), four})
	if gone := s.renew("b", here, anOffer, have); len(gone) != 3 || gone[0] != claimOf(2) || gone[1] != claimOf(3) || gone[2].Build != id(4) {
		t.Errorf("gone are %v", gone)
	}
}

// Only builders that were heard just now are given builds, and one build for each time
// that they ask.
func TestAble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStations()
		s.renew("b", here, anOffer, nil)
		s.renew("c", here, anOffer, nil)
		got := make(chan *worker.Assignment)
		go func() { got <- s.next(t.Context(), "c") }()
		synctest.Wait()
		s.saw(nil)
		if all, asking := s.able(false), s.able(true); len(all) != 2 || len(asking) != 1 || asking[0].Name != "c" || asking[0].Places != 2 {
			t.Errorf("able are %v, asking %v", all, asking)
		}
		if s.give("b", &worker.Assignment{}) || !s.give("c", &worker.Assignment{Claim: claimOf(1)}) || s.give("c", &worker.Assignment{}) {
			t.Error("a build was given to a builder that does not ask, or not to one that does")
		}
		if a := <-got; a.Claim != claimOf(1) {
			t.Errorf("it got %+v", a)
		}
		if a := s.next(t.Context(), "c"); a != nil {
			t.Errorf("it got %+v for nothing", a)
		}
		if all := s.able(false); len(all) != 0 {
			t.Errorf("of silent builders %v are able", all)
		}
	})
}
