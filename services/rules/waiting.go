package rules

import (
	"context"

	"hubledger/projections/builds"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/process"
)

// maxWaiting bounds how many pushes that wait are listed.
const maxWaiting = 100

func (s *Rules) waiting(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.WaitingPushes], error) {
	due, err := s.Read.WaitingPushes(ctx, c.Repository.ID, maxWaiting)
	if err != nil {
		return nil, err
	}
	tries, err := process.Tries(ctx, s.Store, looksName, c.Repository.ID+"/")
	if err != nil {
		return nil, err
	}
	view := apitypes.WaitingPushes{Pushes: make([]apitypes.WaitingPush, len(due))}
	for k := range due {
		try, failed := tries[c.Repository.ID+"/"+due[k].Cause]
		w := apitypes.WaitingPush{Ref: due[k].Ref, Commit: due[k].Commit, PullRequest: apitypes.ShownPull(due[k].Pull), Moved: due[k].Moved, Why: s.why(&due[k])}
		if failed {
			w.Why, w.Attempts, w.Next = "the commit could not be looked at, and is tried again: "+try.Error, try.Attempts, apitypes.Known(try.Next)
		}
		view.Pushes[k] = w
	}
	return openapi.Show(view), nil
}

// why says what a push waits for that has not failed.
func (s *Rules) why(p *builds.DuePush) string {
	ref, err := refOf(p.Ref, p.Pull, p.After == "", p.Cause != p.Move)
	switch {
	case err != nil || !buildrule.Compile(p.Rules).NeedsLook(p.FromFile, ref):
		return "its turn"
	case s.Look == nil:
		return "the rules depend on the files of the commit, and this node of the hub cannot fetch it: run the hub as root, with git, without --builder off; two hours after it moved every file counts as changed"
	}
	return "the rules depend on the files of the commit: it is about to be looked at"
}
