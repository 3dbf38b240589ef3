package rules

import (
	"context"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type pushesIn struct {
	openapi.RepositoryPath
	openapi.Paging
}

func (s *Rules) pushes(ctx context.Context, c *endpoint.Call, in *pushesIn) (*openapi.List[apitypes.Push], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Read.Pushes(ctx, c.Repository.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Push, len(all))
	for k, p := range all {
		views[k] = apitypes.Push{Ref: p.Ref, Commit: p.Commit, PullRequest: apitypes.ShownPull(p.Pull), Summary: buildrule.Summary(p.Verdicts), Verdicts: p.Verdicts, File: p.File, Unqueued: p.Pending, Evaluated: p.Evaluated, Seq: p.Seq}
	}
	return openapi.Page(c, views, in.Limit, func(last apitypes.Push) string { return openapi.CursorAtSequence(last.Seq) }), nil
}
