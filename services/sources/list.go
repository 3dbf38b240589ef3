package sources

import (
	"context"

	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/origin"
)

type listIn struct {
	Namespace string `path:"namespace" maxLength:"200" doc:"A user or an organization"`
	openapi.Paging
}

// hubURL is how the hub is reached: as the request reached it or, over the admin
// socket, as the configuration says.
func (s *Sources) hubURL(c *endpoint.Call) string {
	if c.Principal.Kind == access.Operator {
		return s.URL
	}
	return origin.Of(c.Request).URL()
}

// shown is a source as the API shows it.
func (s *Sources) shown(c *endpoint.Call, of *builds.Source) apitypes.Source {
	set := of.Settings
	return apitypes.Source{Name: of.Name, URL: set.URL, Host: set.Host, Credentials: set.Credentials, User: set.User, DeployKey: set.DeployKey, HostKey: set.HostKey,
		BuildExisting: set.BuildExisting, Status: set.Status, StatusToken: set.StatusSecret != "", WebhookURL: s.hubURL(c) + "/hooks/" + of.ID, Changed: of.Changed, ChangedBy: of.Actor, Seq: of.Seq}
}

func (s *Sources) list(ctx context.Context, c *endpoint.Call, in *listIn) (*openapi.List[apitypes.Source], error) {
	last, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Read.Sources(ctx, c.Namespace.ID, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.Source, len(all))
	for k := range all {
		views[k] = s.shown(c, &all[k])
	}
	return openapi.Page(c, views, in.Limit, func(last apitypes.Source) string { return openapi.CursorAt(last.Name) }), nil
}

func (s *Sources) get(ctx context.Context, c *endpoint.Call, in *SourcePath) (*openapi.Answer[apitypes.Source], error) {
	of, _, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, err
	}
	view := s.shown(c, of)
	heard, err := s.Read.LastHeard(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	if !heard.IsZero() {
		view.Heard = &heard
	}
	if view.Refused, err = s.latestRefusal(ctx, of.ID); err != nil {
		return nil, err
	}
	if view.StatusSent, err = s.statusSent(ctx, of); err != nil {
		return nil, err
	}
	w, ok, err := s.sweeps.of(ctx, of.ID)
	if ok {
		view.Sweep = &apitypes.Sweep{At: w.At, Next: w.Next, Refs: w.Refs, Moved: w.Moved, Failures: w.Failures, Error: w.Error, Waiting: w.Asked > w.Answered}
	}
	return openapi.Show(view), err
}

func (s *Sources) sweepNow(ctx context.Context, c *endpoint.Call, in *SourcePath) (*openapi.Answer[apitypes.Source], error) {
	of, _, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, err
	}
	if err := s.sweeps.ask(ctx, of.ID, ""); err != nil {
		return nil, err
	}
	return s.get(ctx, c, in)
}

type listRefsIn struct {
	SourcePath
	openapi.Paging
	Kind string `query:"kind" enum:"ref,pull_request" doc:"Branches and tags, or pull requests; default: ref"`
}

func (s *Sources) listRefs(ctx context.Context, c *endpoint.Call, in *listRefsIn) (*openapi.List[apitypes.GitRef], error) {
	of, _, err := s.find(ctx, c, in.Name)
	if err != nil {
		return nil, err
	}
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	read := s.Read.Refs
	if in.Kind == builds.PullRequest {
		read = s.Read.PullRequests
	}
	all, err := read(ctx, of.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	views := make([]apitypes.GitRef, len(all))
	for k, r := range all {
		views[k] = apitypes.GitRef{Ref: r.Name, Kind: r.Kind, Commit: r.Commit, Previous: r.Previous, Annotated: r.Annotated, Initial: r.Initial, PullRequest: apitypes.ShownPull(r.Pull), Moved: r.Moved, Seq: r.Seq}
	}
	return openapi.Page(c, views, in.Limit, func(last apitypes.GitRef) string {
		return openapi.CursorAtSequence(last.Seq)
	}), nil
}
