package deployer

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

// maxNamespaces bounds how many namespaces of somebody are looked through.
const maxNamespaces = 1000

func (s *Deployer) registerOverview() {
	openapi.Add(s.API, op(http.MethodGet, "/apps", "list-all-applications", access.SignedIn, budget.Search, "List the applications of all namespaces that you belong to", "By name. Administrators of the hub see them all."), s.listAll)
	openapi.Add(s.API, op(http.MethodGet, "/deployments", "list-open-deployments", access.SignedIn, budget.Search, "List the deployments that have not ended, in all namespaces that you belong to",
		"Also lists the latest deployment of an environment when it was refused or has failed. Most recent change first, at most 100."), s.listOpen)
}

// sees are the namespaces, by id, whose applications a caller may see; all says that these are all.
func (s *Deployer) sees(ctx context.Context, c *endpoint.Call) (ids []string, all bool, err error) {
	switch {
	case c.Principal.Scoped(), c.Principal.Kind == access.Anonymous:
		return nil, false, nil
	case c.Principal.Administers():
		return nil, true, nil
	}
	last := ""
	for len(ids) < maxNamespaces {
		found, err := s.People.NamespacesOf(ctx, c.Principal.ID, last, 100)
		if err != nil {
			return nil, false, err
		}
		for _, of := range found {
			last = of.Name
			level, _, err := s.Rights.Namespace(ctx, c.Principal, of.Name)
			if err != nil {
				return nil, false, err
			}
			if level >= access.Read {
				ids = append(ids, of.ID)
			}
		}
		if len(found) < 100 {
			break
		}
	}
	return ids, false, nil
}

func (s *Deployer) listAll(ctx context.Context, c *endpoint.Call, in *openapi.Paging) (*openapi.List[apitypes.Application], error) {
	after, err := openapi.ParseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	ids, everything, err := s.sees(ctx, c)
	if err != nil {
		return nil, err
	}
	var all []deploys.Application
	if everything {
		all, err = s.Read.AllApplications(ctx, after, in.Limit+1)
	} else {
		all, err = s.Read.ApplicationsIn(ctx, ids, after, in.Limit+1)
	}
	if err != nil {
		return nil, err
	}
	return s.listed(ctx, c, all, in.Limit)
}

// listed is a page of applications with how their environments stand. However many they are, the
// questions to the read models are few.
func (s *Deployer) listed(ctx context.Context, c *endpoint.Call, all []deploys.Application, limit int) (*openapi.List[apitypes.Application], error) {
	shown, place, ids := make([]apitypes.Application, len(all)), map[string]int{}, make([]string, len(all))
	for k := range all {
		shown[k], place[all[k].ID], ids[k] = summary(&all[k]), k, all[k].ID
	}
	environments, err := s.Read.EnvironmentsNow(ctx, ids)
	if err != nil {
		return nil, err
	}
	now, err := s.now(ctx, c, environments)
	if err != nil {
		return nil, err
	}
	for k, e := range environments {
		of := &shown[place[e.Application]]
		of.Environments = append(of.Environments, apitypes.AppEnvironment{Name: e.Name, Version: e.Version, Now: now[k]})
	}
	return openapi.Page(c, shown, limit, func(last apitypes.Application) string { return openapi.CursorAt(last.Name) }), nil
}

// now is how environments stand, each in its place.
func (s *Deployer) now(ctx context.Context, c *endpoint.Call, list []deploys.EnvironmentNow) ([]*apitypes.AppNow, error) {
	seqs := map[string]uint64{}
	for _, e := range list {
		seqs[e.ID] = e.Seq
	}
	known, err := s.states.many(ctx, s, seqs)
	if err != nil {
		return nil, err
	}
	out, ids := make([]*apitypes.AppNow, len(list)), []deploys.ReleaseID{}
	for k, e := range list {
		out[k] = nowOf(known[e.ID])
		if out[k].Release > 0 {
			ids = append(ids, deploys.ReleaseID{Application: e.Application, Number: out[k].Release})
		}
	}
	releases, err := s.Read.ReleasesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var images []*apitypes.ReleaseImage
	var pinned []events.ReleaseImage
	for k, e := range list {
		r := releases[deploys.ReleaseID{Application: e.Application, Number: out[k].Release}]
		if r == nil {
			continue
		}
		some := someOf(r.Images)
		out[k].Pinned, out[k].Images = len(r.Images), make([]apitypes.ReleaseImage, len(some))
		for n, i := range some {
			out[k].Images[n] = apitypes.ReleaseImage{Service: i.Service, Image: i.Image, Name: i.Name, Here: i.Repository != "", Tag: i.Tag, Digest: i.Digest}
			images, pinned = append(images, &out[k].Images[n]), append(pinned, i)
		}
	}
	return out, s.origins(ctx, c, pinned, images)
}

// nowOf is how an environment stands, without its images.
func nowOf(known knownState) *apitypes.AppNow {
	state := known.State
	out := &apitypes.AppNow{Step: string(state.Step), Outcome: state.Outcome, By: state.By, Deploys: state.Request.Release, Deployment: state.Of.Deployment, Overdue: state.Overdue != nil, Changed: apitypes.Known(known.at), Seq: state.Seq}
	if colour := state.Live(); colour != "" {
		out.Release, out.Colour, out.Share = state.Sides[colour].Release, colour, state.Sides[colour].Share
	}
	return out
}

// maxSome bounds how many images stand for a release in lists.
const maxSome = 3

// someOf are the images by which people know a release: those of this hub, if there are any.
func someOf(all []events.ReleaseImage) []events.ReleaseImage {
	own := slices.DeleteFunc(slices.Clone(all), func(i events.ReleaseImage) bool { return i.Repository == "" })
	if len(own) == 0 {
		own = all
	}
	return own[:min(len(own), maxSome)]
}

// origins tells of images, each in its place, which builds made them, to those who may push to their
// repositories. Each repository is asked once.
func (s *Deployer) origins(ctx context.Context, c *endpoint.Call, pinned []events.ReleaseImage, shown []*apitypes.ReleaseImage) error {
	digests := map[string][]string{} // by the id of the repository; nil: they are not told
	for _, i := range pinned {
		if _, known := digests[i.Repository]; !known && i.Repository != "" {
			d, err := s.Rights.Repository(ctx, c.Principal, i.Name)
			if err != nil {
				return err
			}
			if digests[i.Repository] = nil; d.Repository == nil || d.Repository.ID != i.Repository || d.Level < access.Write {
				continue
			}
			for _, other := range pinned {
				if other.Repository == i.Repository {
					digests[i.Repository] = append(digests[i.Repository], other.Digest)
				}
			}
		}
	}
	for repository, list := range digests {
		if list == nil {
			continue
		}
		made, err := s.Builds.MadeOf(ctx, repository, list)
		if err != nil {
			return err
		}
		for k, i := range pinned {
			if i.Repository == repository && len(made[i.Digest]) > 0 {
				shown[k].Build, shown[k].Commit = made[i.Digest][0].Build, made[i.Digest][0].Commit
			}
		}
	}
	return nil
}

// maxOpen bounds the list of open deployments.
const maxOpen = 100

func (s *Deployer) listOpen(ctx context.Context, c *endpoint.Call, _ *struct{}) (*openapi.List[apitypes.OpenDeployment], error) {
	ids, everything, err := s.sees(ctx, c)
	if err != nil || len(ids) == 0 && !everything {
		return openapi.WholeList[apitypes.OpenDeployment](nil), err
	}
	latest, err := s.Read.Latest(ctx)
	if err != nil {
		return nil, err
	}
	known, err := s.states.many(ctx, s, latest)
	if err != nil {
		return nil, err
	}
	var list []knownState
	for _, one := range known {
		state := one.State
		open := !state.Step.Final() || state.Step == deployment.Ended && (state.Outcome == events.DeploymentHasFailed || state.Outcome == events.DeploymentWasRefused)
		if open && (everything || slices.Contains(ids, state.Of.Namespace)) {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b knownState) int { return cmp.Compare(b.State.Seq, a.State.Seq) })
	out := []apitypes.OpenDeployment{}
	for _, one := range list {
		if len(out) == maxOpen {
			break
		}
		lives, err := s.lives(ctx, one.State.Of.Environment)
		if err != nil {
			return nil, err
		}
		level, err := s.levelOn(ctx, c, one.State)
		if err != nil {
			return nil, err
		}
		if lives {
			out = append(out, openDeployment(one, level, c.By().Actor))
		}
	}
	return openapi.WholeList(out), nil
}

// levelOn is what the caller may do with the application of a state.
func (s *Deployer) levelOn(ctx context.Context, c *endpoint.Call, state deployment.State) (access.Level, error) {
	namespace, _, _ := strings.Cut(state.Of.Name, "/")
	level, _, err := s.Rights.Namespace(ctx, c.Principal, namespace)
	return level, err
}

// openDeployment is one with what it needs of a person who has that level.
func openDeployment(known knownState, level access.Level, actor string) apitypes.OpenDeployment {
	state := known.State
	out := apitypes.OpenDeployment{Application: state.Of.Name, Environment: state.Of.Called, ID: state.Of.Deployment, Release: state.Request.Release, Now: *nowOf(known)}
	held := state.Step == deployment.Held
	second := state.Request.Policy.Two && state.By == actor
	switch {
	case level < access.Write || state.Request.Policy.Owners && level < access.Admin: // others decide
	case state.Step == deployment.Ended:
		out.Needs = "it " + strings.NewReplacer(events.DeploymentHasFailed, "has failed", events.DeploymentWasRefused, "was refused").Replace(state.Outcome)
	case held && second:
		out.Needs = "somebody else has to promote it"
	case held && state.Request.Policy.Automatic == 0:
		out.Needs = "somebody has to promote it, or go back"
		if open := state.Open(); len(open) > 0 {
			out.Needs += fmt.Sprintf("; %s not passed", strings.Join(open, ", "))
		}
	case state.Overdue != nil:
		out.Needs = "it takes longer than it should"
	}
	return out
}
