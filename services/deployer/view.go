package deployer

import (
	"context"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
)

// A view shows releases of an application to the caller of a request. An image that several
// of them pin is looked up once.
type view struct {
	*Deployer
	of    *deploys.Application
	call  *endpoint.Call
	known map[imageID]imageNow
}

// imageID is an image of this hub.
type imageID struct{ name, repository, digest string }

// imageNow is what has become of an image, as far as the caller may know.
type imageNow struct {
	missing       bool
	build, commit string // that made it; "" where there is none
}

func (s *Deployer) viewOf(c *endpoint.Call, a *deploys.Application) *view {
	return &view{s, a, c, map[imageID]imageNow{}}
}

// release is one as the API shows it.
func (v *view) release(ctx context.Context, r *deploys.Release) (apitypes.Release, error) {
	out := apitypes.Release{Application: v.of.Name, Number: r.Number, Digest: r.Digest, Note: r.Note, Kept: r.Number > v.of.Latest-v.of.Keep, Made: apitypes.Known(r.Made), MadeBy: r.Actor, Seq: r.Seq,
		Images: []apitypes.ReleaseImage{}, Configurations: []apitypes.ReleaseConfig{}}
	for _, of := range r.Configurations {
		out.Configurations = append(out.Configurations, apitypes.ReleaseConfig{Environment: of.Called, Version: of.Version})
	}
	for _, i := range r.Images {
		shown := apitypes.ReleaseImage{Service: i.Service, Image: i.Image, Name: i.Name, Here: i.Repository != "", Tag: i.Tag, Digest: i.Digest}
		if shown.Here {
			now, err := v.look(ctx, i)
			if err != nil {
				return out, err
			}
			shown.Missing, shown.Build, shown.Commit = now.missing, now.build, now.commit
		}
		out.Images = append(out.Images, shown)
	}
	return out, nil
}

// look says what has become of an image of this hub: whether it can be pulled still, and, to
// those who may push to its repository, which build made it. Of an image of another
// namespace that the caller may not pull any more, nothing is told but that.
func (v *view) look(ctx context.Context, i events.ReleaseImage) (now imageNow, err error) {
	id := imageID{i.Name, i.Repository, i.Digest}
	now, known := v.known[id]
	if known {
		return now, nil
	}
	d, err := v.Rights.Repository(ctx, v.call.Principal, i.Name)
	if err != nil {
		return now, err
	}
	same := d.Repository != nil && d.Repository.ID == i.Repository
	if now.missing = !same || !i.Held && d.Level < access.Read; !now.missing {
		there, err := v.Images.HasManifest(ctx, i.Repository, digest.Digest(i.Digest))
		if err != nil {
			return now, err
		}
		now.missing = !there
	}
	if same && d.Level >= access.Write {
		if now.build, now.commit, err = v.madeBy(ctx, i); err != nil {
			return now, err
		}
	}
	v.known[id] = now
	return now, nil
}

// madeBy is the build that made an image, and its commit; "" where there is none.
func (s *Deployer) madeBy(ctx context.Context, i events.ReleaseImage) (build, commit string, err error) {
	made, err := s.Builds.MadeOf(ctx, i.Repository, []string{i.Digest})
	if err != nil || len(made[i.Digest]) == 0 {
		return "", "", err
	}
	latest := made[i.Digest][0]
	return latest.Build, latest.Commit, nil
}
