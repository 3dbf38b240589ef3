package deployer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/application"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// ReleasePath names a release.
type ReleasePath struct {
	AppPath
	Release int `path:"release" minimum:"1" maximum:"1000000000" doc:"Number of the release"`
}

func (s *Deployer) registerReleases() {
	const path = one + "/releases"
	openapi.Add(s.API, op(http.MethodGet, path, "list-releases", access.NamespaceMember, budget.List, "List the releases of an application, the latest first", ""), s.listReleases)
	openapi.Add(s.API, op(http.MethodPost, path, "make-release", access.NamespaceWriter, budget.Write, "Make a release, which pins everything that an application consists of",
		"Pins each image to the digest that its tag names now, the Compose file, and the configuration of each environment. If nothing differs from the latest release, that one is returned."), s.makeRelease)
	openapi.Add(s.API, op(http.MethodGet, path+"/next", "next-release", access.NamespaceWriter, budget.Search, "Show what a release made now would contain", "Changes nothing. Fails in the same cases as making the release."), s.nextRelease)
	openapi.Add(s.API, op(http.MethodGet, path+"/{release}", "get-release", access.NamespaceMember, budget.Read, "Show a release", ""), s.getRelease)
	openapi.Add(s.API, op(http.MethodGet, path+"/{release}/diff", "diff-releases", access.NamespaceMember, budget.Heavy, "Show the differences between two releases", "For configurations it lists the names of the values that differ, never the values."), s.diff)
}

func (s *Deployer) listReleases(ctx context.Context, c *endpoint.Call, in *struct {
	AppPath
	openapi.Paging
}) (*openapi.List[apitypes.Release], error) {
	before, err := openapi.ParseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	all, err := s.Read.Releases(ctx, a.ID, int(min(before, 1<<30)), in.Limit+1)
	if err != nil {
		return nil, err
	}
	shown, v := make([]apitypes.Release, len(all)), s.viewOf(c, a)
	for k := range all {
		if shown[k], err = v.release(ctx, &all[k]); err != nil {
			return nil, err
		}
	}
	return openapi.Page(c, shown, in.Limit, func(last apitypes.Release) string { return openapi.CursorAtSequence(uint64(last.Number)) }), nil
}

func (s *Deployer) getRelease(ctx context.Context, c *endpoint.Call, in *ReleasePath) (*openapi.Answer[apitypes.Release], error) {
	a, r, err := s.numbered(ctx, c, in)
	if err != nil {
		return nil, err
	}
	out, err := s.viewOf(c, a).release(ctx, r)
	if err == nil {
		out.Compose, err = s.Read.Compose(ctx, a.ID, r.Digest)
	}
	for k, of := range r.Configurations {
		if err != nil {
			break
		}
		var set *deploys.Configuration
		if set, err = s.Read.Configuration(ctx, of.Environment, of.Version); err == nil {
			out.Configurations[k].Values, out.Configurations[k].Secrets = recordNames(set.Values), recordNames(set.Secrets)
		}
	}
	return openapi.Show(out), err
}

// numbered is the release that a path names. application.ErrUnknown.
func (s *Deployer) numbered(ctx context.Context, c *endpoint.Call, in *ReleasePath) (*deploys.Application, *deploys.Release, error) {
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.Read.Release(ctx, a.ID, in.Release)
	if errors.Is(err, deploys.ErrNotFound) {
		err = fmt.Errorf("release %d of %s: %w", in.Release, a.Name, application.ErrUnknown)
	}
	return a, r, err
}

type makeIn struct {
	AppPath
	Body apitypes.MakeReleaseRequest
}

func (s *Deployer) makeRelease(ctx context.Context, c *endpoint.Call, in *makeIn) (*openapi.ChangeWith[apitypes.Release], error) {
	command.CatchUp(ctx, s.Log, s.View) // what it pins is what the log has now
	a, id, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	p, err := s.pin(ctx, c, a)
	if err != nil {
		return nil, err
	}
	p.Note = in.Body.Note
	number, seq, err := s.record(ctx, c, a, id, p)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, endpoint.Located(err, "body.note", application.ErrInvalid)
	}
	made, err := s.Read.Release(ctx, a.ID, number)
	if err != nil {
		return nil, err
	}
	before := a.Latest
	a.Latest = max(before, number)
	out, err := s.viewOf(c, a).release(ctx, made)
	out.Unchanged = number == before
	return openapi.ShowChange(seq, out), err
}

// nextRelease is the release that would be made now, or the latest one where nothing differs from it.
func (s *Deployer) nextRelease(ctx context.Context, c *endpoint.Call, in *AppPath) (*openapi.Answer[apitypes.Release], error) {
	a, _, err := s.app(ctx, c.Namespace.Name, in.App)
	if err != nil {
		return nil, err
	}
	p, err := s.pin(ctx, c, a)
	if err != nil {
		return nil, err
	}
	next := &deploys.Release{Number: a.Latest + 1, Digest: p.Digest, Images: p.Images, Configurations: p.Configurations}
	same := false
	if a.Latest > 0 {
		last, err := s.Read.Release(ctx, a.ID, a.Latest)
		if err != nil {
			return nil, err
		}
		if same = pinsSame(last, p); same {
			next = last
		}
	}
	out, err := s.viewOf(c, a).release(ctx, next)
	out.Unchanged = same
	return openapi.Show(out), err
}

// pinsSame says whether a release has these pins.
func pinsSame(r *deploys.Release, p application.Pins) bool {
	return r.Digest == p.Digest && reflect.DeepEqual(r.Images, p.Images) && reflect.DeepEqual(r.Configurations, p.Configurations)
}

// record appends a release, unless the latest one pins the same: then it is that.
func (s *Deployer) record(ctx context.Context, c *endpoint.Call, a *deploys.Application, id application.ID, p application.Pins) (number int, seq uint64, err error) {
	if a.Latest > 0 {
		last, err := s.Read.Release(ctx, a.ID, a.Latest)
		if err != nil {
			return 0, 0, err
		}
		if pinsSame(last, p) {
			return last.Number, last.Seq, nil
		}
	}
	seq, err = application.Release(ctx, s.Log, c.By(), id, a.Name, a.Latest+1, p)
	return a.Latest + 1, seq, err
}

// refuse names what hinders a release, all of it at once.
func refuse(reasons []string) error {
	if len(reasons) == 0 {
		return nil
	}
	p := endpoint.Fail(http.StatusUnprocessableEntity, "the release cannot be made")
	for _, reason := range reasons {
		p.At("", reason) // each says where by itself
	}
	return p
}

func recordNames(list []events.ConfigurationRecord) (names []string) {
	for _, r := range list {
		names = append(names, r.Name)
	}
	return names
}
