package deployer

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/deploys"
	"hubledger/services/internal/application"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
)

// against is all that stands against a deployment now, for people.
func (s *Deployer) against(ctx context.Context, place *deploys.Place, w deployment.Wish, now time.Time) (reasons []string, err error) {
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	if place.Ended > 0 {
		return []string{place.Called + " of " + place.Name + " was deleted"}, nil
	}
	for _, h := range deployment.Hosts(w.Placement) {
		m, err := s.People.Machine(ctx, h.Machine)
		switch {
		case errors.Is(err, accounts.ErrNotFound):
			add("the host %s is not known: set the hosts again", h.Name)
		case err != nil:
			return nil, err
		default:
			if why := s.unfit(m, place.Namespace); why != "" {
				add("%s", why)
			}
		}
	}
	if len(deployment.Coloured(w.Placement)) == 0 {
		add("%s has no hosts: type hubledger apps hosts set %s %s --web HOST --worker HOST", place.Called, place.Name, place.Called)
	}
	r, err := s.Read.Release(ctx, place.Application, w.Release)
	if errors.Is(err, deploys.ErrNotFound) {
		return append(reasons, fmt.Sprintf("there is no release %d", w.Release)), nil
	}
	if err != nil {
		return nil, err
	}
	if w.Kind == events.DeployRollback {
		was, err := s.Read.Promoted(ctx, place.Environment, w.Release)
		if err != nil {
			return nil, err
		}
		if !was {
			add("release %d was never promoted in %s, so there is no going back to it: type hubledger deploy %[3]s %[2]s --release %[1]d", w.Release, place.Called, place.Name)
		}
	}
	what, err := s.contents(ctx, place, w.Release)
	switch {
	case errors.Is(err, application.ErrInvalid):
		add("%v", err)
	case err != nil:
		return nil, err
	default:
		for _, role := range []struct {
			kind string
			on   []events.PlacedHost
		}{{compose.Web, w.Placement.Web}, {compose.Worker, w.Placement.Worker}, {compose.Stateful, w.Placement.Stateful}} {
			if len(role.on) == 0 && slices.ContainsFunc(what.app.Services, func(of compose.Service) bool { return of.Role.Kind == role.kind }) {
				add("no host of %s has the role %s: type hubledger apps hosts set %s %s --%s HOST", place.Called, role.kind, place.Name, place.Called, role.kind)
			}
		}
		if err := s.fitsHosts(place, w, what); errors.Is(err, application.ErrInvalid) {
			add("%v", err)
		} else if err != nil {
			return nil, err
		}
	}
	for _, i := range r.Images {
		if i.Repository == "" {
			if w.Policy.Built != nil {
				add("the image of %s is of another registry, and not built here", i.Service)
			}
			continue
		}
		there, err := s.Images.HasManifest(ctx, i.Repository, digest.Digest(i.Digest))
		if err != nil {
			return nil, err
		}
		if !there {
			add("the image of %s, %s@%s, was deleted", i.Service, i.Name, i.Digest)
			continue
		}
		if w.Policy.Built != nil {
			if why, err := s.foreign(ctx, i, *w.Policy.Built); err != nil || why != "" {
				if err != nil {
					return nil, err
				}
				add("%s", why)
			}
		}
	}
	if w.Kind == events.DeployForward {
		if why := deployment.Frozen(w.Policy, now); why != "" {
			add("%s", why)
		}
	}
	return reasons, nil
}

// fitsHosts says that each host can be told what it is to run. ErrInvalid of application.
func (s *Deployer) fitsHosts(place *deploys.Place, w deployment.Wish, what contents) error {
	for _, h := range deployment.Hosts(w.Placement) {
		for _, colour := range []string{hosting.Blue, ""} {
			p := deployment.Plan{Colour: colour, Side: deployment.Side{Release: w.Release, Placement: w.Placement}}
			if _, err := s.slot(place, deployment.State{}, p, h.Machine, what); err != nil {
				return err
			}
		}
	}
	return nil
}

// unfit says why a machine cannot be a host of a namespace; "" when it can.
func (s *Deployer) unfit(m *accounts.Machine, namespace string) string {
	switch {
	case m.Kind != events.MachineHost:
		return fmt.Sprintf("%s is a %s, and no host", m.Name, m.Kind)
	case m.State != accounts.MachineEnrolled:
		return fmt.Sprintf("the host %s is not enrolled (%s)", m.Name, m.State)
	case !mayRun(m, namespace):
		return fmt.Sprintf("the host %s was not enrolled for this namespace", m.Name)
	}
	return ""
}

// foreign says why an image does not come from where it has to; "" when it does.
func (s *Deployer) foreign(ctx context.Context, i events.ReleaseImage, want events.DeployProvenance) (string, error) {
	made, err := s.Builds.MadeOf(ctx, i.Repository, []string{i.Digest})
	if err != nil {
		return "", err
	}
	for _, m := range made[i.Digest] {
		matched, _ := path.Match(want.Ref, m.Ref) // the pattern was checked
		if want.Ref != "" && m.Ref != want.Ref && !matched {
			continue
		}
		if want.Source != "" {
			b, err := s.Builds.Build(ctx, m.Build)
			if err != nil {
				return "", err
			}
			source, err := s.Builds.SourceByID(ctx, b.Source)
			if err != nil || source.Name != want.Source {
				continue
			}
		}
		return "", nil
	}
	from := ""
	if want.Source != "" {
		from = " from " + want.Source
	}
	if want.Ref != "" {
		from += " at " + want.Ref
	}
	return fmt.Sprintf("the image of %s, %s@%.19s, was not built here%s, which the policy wants", i.Service, i.Name, i.Digest, from), nil
}

// mayRun says whether a host may run applications of a namespace, by its id.
func mayRun(m *accounts.Machine, namespace string) bool {
	return len(m.Namespaces) == 0 || slices.Contains(m.Namespaces, namespace)
}
