package sources

import (
	"context"
	"strings"

	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/gitremote"
	src "hubledger/services/internal/source"
)

// pullRefs are the names of the pull requests that a sweep looks for: none unless rules
// may test them.
func pullRefs(of *builds.Source, p *builds.Pulls) gitremote.PullRefs {
	if p.Rules == 0 {
		return gitremote.PullRefs{}
	}
	return gitremote.PullRefsOf(of.Settings.Host)
}

// recordPulls appends what differs from what is known of pull requests, and returns how
// many have changed. The first look records what is there as such; where it ends before
// all are recorded, the next one is the first still.
func (s *Sources) recordPulls(ctx context.Context, by command.By, of *builds.Source, l gitremote.Listing, watched, wanted bool) (changed int, err error) {
	id := src.ID{Namespace: of.Namespace, Source: of.ID}
	if wanted {
		list, err := s.changedPulls(ctx, of, l)
		if err != nil {
			return 0, err
		}
		changed, err = appendEach(ctx, s.View, list, func(p src.Pull) (uint64, bool, error) {
			return src.ChangePull(ctx, s.Log, by, id, p, !watched)
		})
		if err != nil {
			return changed, err
		}
	}
	if watched == wanted {
		return changed, nil
	}
	seq, err := src.WatchPulls(ctx, s.Log, by, id, wanted, len(l.Pulls))
	if err == nil {
		err = s.View.Wait(ctx, seq)
	}
	return changed, err
}

// changedPulls are the pull requests that stand elsewhere than what is known.
func (s *Sources) changedPulls(ctx context.Context, of *builds.Source, l gitremote.Listing) (changed []src.Pull, err error) {
	known, err := s.Read.PullsAt(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	told, err := s.Read.ToldPulls(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	tips := map[string]bool{}
	for _, r := range l.Refs {
		if strings.HasPrefix(r.Name, "refs/heads/") {
			tips[r.Object] = true
		}
	}
	add := func(p src.Pull) {
		if h, ok := told[p.Number]; ok {
			p.Told = &h
		}
		before := known[p.Ref]
		if _, differs := p.Next(src.PullState{Commit: before.Commit, PullRequest: before.Pull}); differs {
			changed = append(changed, p)
		}
	}
	there := make(map[string]bool, len(l.Pulls))
	for _, p := range l.Pulls {
		there[p.Ref] = true
		add(src.Pull{Ref: p.Ref, Number: p.Number, Commit: p.Commit, Tip: tips[p.Commit], Default: l.Head})
	}
	for ref, p := range known {
		if !there[ref] && p.Pull.Number >= l.PullsFrom { // those below were not listed
			add(src.Pull{Ref: ref, Number: p.Pull.Number})
		}
	}
	return changed, nil
}
