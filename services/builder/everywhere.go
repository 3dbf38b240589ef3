package builder

import (
	"context"
	"errors"

	"hubledger/projections/builds"
	"hubledger/projections/images"
	"hubledger/services/builder/queue"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/build"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type everywhereIn struct {
	State      string `query:"state" enum:"waiting,running,pushed,ended,succeeded,failed,cancelled,superseded,lost" doc:"Only builds in that state, or that ended so"`
	Repository string `query:"repository" maxLength:"400" doc:"Only builds of that repository, by its full name"`
	Source     string `query:"source" maxLength:"400" doc:"Only builds from that git source, by its full name"`
	openapi.Paging
}

// maxRounds bounds how often a page looks for further builds when the caller may see
// few of those that were found: it ends then, with the address of the next one.
const maxRounds = 10

// A seer knows the names of repositories, and of which of them somebody sees the builds.
type seer struct {
	*Builder
	who   access.Principal
	names map[string]string // by id; "" for a repository whose builds they do not see
}

// see is the full name of a repository whose builds the caller may see; "" when not.
func (s seer) see(ctx context.Context, repository string) (string, error) {
	name, known := s.names[repository]
	if known {
		return name, nil
	}
	name, err := s.NameOf(ctx, repository)
	if errors.Is(err, images.ErrNotFound) { // it was deleted
		s.names[repository] = ""
		return "", nil
	}
	if err != nil {
		return "", err
	}
	d, err := s.API.Rights.Repository(ctx, s.who, name)
	if err != nil {
		return "", err
	}
	if d.Repository == nil || d.Repository.ID != repository || d.Level < access.Write {
		name = ""
	}
	s.names[repository] = name
	return name, nil
}

func (s *Builder) everywhere(ctx context.Context, c *endpoint.Call, in *everywhereIn) (*openapi.List[apitypes.Build], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	among, err := s.among(ctx, c, in)
	if err != nil {
		return nil, err
	}
	var places map[string]*queue.Place
	found, eyes := []apitypes.Build{}, seer{s, c.Principal, map[string]string{}}
	for range maxRounds {
		all, err := s.Read.BuildsAmong(ctx, among, before, in.Limit+1)
		if err != nil {
			return nil, err
		}
		for k := range all {
			before = all[k].Seq
			name, err := eyes.see(ctx, all[k].Repository)
			if err != nil {
				return nil, err
			}
			if name == "" {
				continue
			}
			if all[k].State == builds.Waiting && places == nil {
				if places, err = s.places(ctx); err != nil {
					return nil, err
				}
			}
			found = append(found, shown(name, &all[k], places[all[k].ID]))
			if len(found) > in.Limit {
				return openapi.Page(c, found, in.Limit, func(last apitypes.Build) string { return openapi.CursorAtSequence(last.Seq) }), nil
			}
		}
		if len(all) <= in.Limit {
			return openapi.WholeList(found), nil
		}
	}
	out := openapi.WholeList(found)
	out.Continue(c, openapi.CursorAtSequence(before))
	return out, nil
}

// among are the builds to look among. What is granted for reading only is in it, too:
// seer tells.
func (s *Builder) among(ctx context.Context, c *endpoint.Call, in *everywhereIn) (a builds.Among, err error) {
	switch in.State {
	case "", builds.Waiting, builds.Running, builds.Pushed, builds.Ended:
		a.State = in.State
	default:
		a.State, a.Outcome = builds.Ended, in.State
	}
	if in.Source != "" {
		of, err := s.Read.Source(ctx, in.Source)
		if errors.Is(err, builds.ErrNotFound) {
			return builds.Among{}, nil
		}
		if err != nil {
			return a, err
		}
		a.Source = of.ID
	}
	if in.Repository != "" {
		d, err := s.API.Rights.Repository(ctx, c.Principal, in.Repository)
		if err == nil && (d.Repository == nil || d.Level < access.Read) {
			err = endpoint.NotFound()
		}
		if err != nil {
			return a, err
		}
		a.Repositories = []string{d.Repository.ID}
		return a, nil
	}
	sees, err := s.Visible(ctx, c.Principal)
	a.All, a.Namespaces, a.Repositories = sees.All, sees.Namespaces, sees.Repositories
	if len(a.Namespaces)+len(a.Repositories) > builds.MaxAmong {
		a.All = true
	}
	return a, err
}

// anywherePath names a build by its id alone.
type anywherePath struct {
	Build string `path:"build" maxLength:"36" doc:"Id of the build"`
}

func (s *Builder) anywhere(ctx context.Context, c *endpoint.Call, in *anywherePath) (*openapi.Answer[apitypes.BuildDetails], error) {
	b, err := s.Read.Build(ctx, in.Build)
	if errors.Is(err, builds.ErrNotFound) {
		return nil, build.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	name, err := seer{s, c.Principal, map[string]string{}}.see(ctx, b.Repository)
	if err == nil && name == "" {
		err = build.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	return s.details(ctx, name, b)
}
