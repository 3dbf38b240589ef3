package deployer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/distribution/reference"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/internal/application"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
)

var _ hosting.Planner = (*Deployer)(nil)

// Changed is of hosting.Planner.
func (s *Deployer) Changed(host string) <-chan struct{} { return s.fleet.Changed(host) }

// Observed is of hosting.Planner. A report that was made by another generation of the log says
// only that the host is there: the fences in it are sequences of that other log, so its slots are dropped.
func (s *Deployer) Observed(_ context.Context, host string, o hosting.Observation) error {
	if o.Generation != s.Generation() {
		o.Slots = nil
	}
	if !s.fleet.Observed(host, o) {
		return errors.New("the hub has too many hosts to remember what this one sees")
	}
	return nil
}

// Desired is of hosting.Planner. A slot whose release cannot run is left out, which leaves it
// as it is on the host: only what is named as gone is removed. Environments are read one
// after the other: the epoch is of before the first one, so that what happens meanwhile comes
// with the next state, whether this one has it or not.
func (s *Deployer) Desired(ctx context.Context, host string) (hosting.State, error) {
	out := hosting.State{Generation: s.Generation()}
	latest, err := s.Read.LatestOn(ctx, host)
	if err != nil {
		return out, err
	}
	for _, environment := range slices.Sorted(maps.Keys(latest)) {
		out.Epoch = max(out.Epoch, latest[environment])
		place, err := s.Read.Place(ctx, environment)
		if err != nil {
			return out, err
		}
		state, err := s.state(ctx, environment)
		if err != nil {
			return out, err
		}
		for _, p := range deployment.Plans(state, host) {
			id := deployment.SlotID(environment, p.Colour)
			if p.Gone || place.Ended > 0 {
				out.Gone = append(out.Gone, hosting.Gone{ID: id, Fence: max(p.Fence, place.Ended)})
				continue
			}
			what, err := s.contents(ctx, place, p.Release)
			var slot hosting.Slot
			if err == nil {
				slot, err = s.slot(place, state, p, host, what)
			}
			if err != nil {
				if !errors.Is(err, application.ErrInvalid) {
					return out, err // it may be there the next time, when nothing else has happened
				}
				s.Logger.Warn("a host cannot be told what to run", "application", place.Name, "environment", place.Called, "release", p.Release, "error", err)
				continue
			}
			out.Slots = append(out.Slots, slot)
		}
	}
	return out, s.fit(&out, host)
}

const (
	// maxSlot bounds a slot, in bytes of JSON: each service has a copy of the values and secrets that
	// it names, and hosts are shared.
	maxSlot = 512 << 10
	// maxSlots bounds all of a host, below what it is told at once.
	maxSlots = 1700 << 10
)

// fit leaves out the largest slots of a state until the rest can be told: who has those
// does not hold up the other ones of the host.
func (s *Deployer) fit(state *hosting.State, host string) error {
	if len(state.Slots)*maxSlot <= maxSlots {
		return nil
	}
	sizes, total := make([]int, len(state.Slots)), 0
	for k, slot := range state.Slots {
		text, err := json.Marshal(slot)
		if err != nil {
			return err
		}
		sizes[k] = len(text)
		total += len(text)
	}
	for total > maxSlots {
		k := slices.Index(sizes, slices.Max(sizes))
		s.Logger.Warn("a host cannot be told what to run: all that it has is too large together", "host", host, "application", state.Slots[k].Application, "environment", state.Slots[k].Environment, "bytes", sizes[k])
		total -= sizes[k]
		sizes, state.Slots = slices.Delete(sizes, k, k+1), slices.Delete(state.Slots, k, k+1)
	}
	return nil
}

// slot is what a host is to run of a side, by the contents of its release. ErrInvalid of
// application says that it cannot, and why.
func (s *Deployer) slot(place *deploys.Place, state deployment.State, p deployment.Plan, host string, what contents) (hosting.Slot, error) {
	out := hosting.Slot{ID: deployment.SlotID(place.Environment, p.Colour), Application: place.Name, Environment: place.Called, Colour: p.Colour, Release: p.Release, Deployment: p.Deployment,
		Fence: p.Fence, Phase: p.Phase, Share: p.Share, Live: p.Live, Scale: scale(state)}
	size := 0
	out.Networks, out.Volumes = what.app.Networks, what.app.Volumes
	for _, service := range what.app.Services {
		if !runsOn(p.Placement, p.Colour, service.Role, host) {
			continue
		}
		image, ok := what.images[service.Name]
		if !ok {
			return out, fmt.Errorf("%w: release %d has no image of %s", application.ErrInvalid, p.Release, service.Name)
		}
		values := map[string]string{}
		for _, v := range service.Environment {
			if values[v.Name] = v.Value; v.Secret {
				values[v.Name] = what.secrets[v.Name]
			}
		}
		values["HUBLEDGER_RELEASE"] = strconv.Itoa(p.Release)
		if p.Colour != "" {
			values["HUBLEDGER_COLOUR"] = p.Colour
		}
		out.Services = append(out.Services, hosting.SlotService{Service: service, Pull: image, Outside: what.outside[service.Name], Run: deployment.Run(state, p.Colour, service, host), Values: values})
		text, err := json.Marshal(out.Services[len(out.Services)-1])
		if err != nil {
			return out, err
		}
		if size += len(text); size > maxSlot {
			return out, fmt.Errorf("%w: release %d needs more than %d KiB on one host for its configuration and secrets, of which each service has a copy: make its services use fewer or smaller ones", application.ErrInvalid, p.Release, maxSlot>>10)
		}
	}
	return out, nil
}

// scale is how many hosts the colour has that has traffic and the fewest.
func scale(state deployment.State) (n int) {
	for colour, side := range state.Sides {
		if live := len(side.Placement.Web); colour != "" && side.Share > 0 && live > 0 && (n == 0 || live < n) {
			n = live
		}
	}
	return n
}

// runsOn says whether a host has a service of a side, by its role.
func runsOn(p events.Placement, colour string, role compose.Role, host string) bool {
	on := p.Stateful
	switch {
	case role.Coloured() != (colour != ""):
		return false
	case role.Kind == compose.Web:
		on = p.Web
	case role.Kind == compose.Worker:
		on = p.Worker
	}
	return slices.ContainsFunc(on, func(h events.PlacedHost) bool { return h.Machine == host })
}

// contents are what a release comes to in an environment.
type contents struct {
	app     *compose.App
	images  map[string]string // as engines pull them, by service
	outside map[string]bool   // services whose image is of another registry
	secrets map[string]string
}

// contents reads a release as it is in an environment. ErrInvalid of application says that
// it cannot run there, and why.
func (s *Deployer) contents(ctx context.Context, place *deploys.Place, number int) (contents, error) {
	out := contents{images: map[string]string{}, outside: map[string]bool{}, secrets: map[string]string{}}
	r, err := s.Read.Release(ctx, place.Application, number)
	if err != nil {
		return out, fmt.Errorf("release %d: %w", number, err)
	}
	for _, i := range r.Images {
		if out.images[i.Service], err = pullName(i); err != nil {
			return out, err
		}
		out.outside[i.Service] = i.Repository == ""
	}
	c, err := s.Read.Configuration(ctx, place.Environment, versionOf(r, place.Environment))
	if err != nil {
		return out, err
	}
	if s.Secrets == nil && len(c.Values)+len(c.Secrets) > 0 {
		return out, errNoSecrets
	}
	values := map[string]string{}
	for _, v := range c.Values {
		if values[v.Name], err = s.valueOf(ctx, place.Environment, v); err != nil {
			return out, err
		}
	}
	setting := compose.Setting{Allow: s.Allow, Values: values, Environment: place.Called}
	for _, v := range c.Secrets {
		if out.secrets[v.Name], err = s.valueOf(ctx, place.Environment, v); err != nil {
			return out, err
		}
		setting.Secrets = append(setting.Secrets, v.Name)
	}
	key := judged{place.Environment, number}
	if out.app = s.apps.get(key); out.app != nil {
		return out, nil
	}
	text, err := s.Read.Compose(ctx, place.Application, r.Digest)
	if err != nil {
		return out, err
	}
	j := compose.Judge(ctx, []byte(text), setting)
	if j.App == nil {
		why := fmt.Sprintf("it does not set %v", j.Missing)
		if len(j.Problems) > 0 {
			why = "its Compose file is refused"
		}
		return out, fmt.Errorf("%w: release %d cannot run in %s: %s", application.ErrInvalid, number, place.Called, why)
	}
	out.app = j.App
	s.apps.put(key, j.App)
	return out, nil
}

func (s *Deployer) valueOf(ctx context.Context, environment string, r events.ConfigurationRecord) (string, error) {
	value, _, err := s.Secrets.Get(ctx, application.RecordName(environment, r.Record))
	if err != nil {
		return "", fmt.Errorf("the value of %s: %w", r.Name, err)
	}
	return string(value), nil
}

// versionOf is the version of an environment's configuration that a release names.
func versionOf(r *deploys.Release, environment string) int {
	for _, c := range r.Configurations {
		if c.Environment == environment {
			return c.Version
		}
	}
	return 0
}

// pullName is NAME@DIGEST of an image, with the registry.
func pullName(i events.ReleaseImage) (string, error) {
	name := i.Name
	if i.Repository != "" {
		ref, err := reference.ParseNormalizedNamed(i.Image)
		if err != nil {
			return "", fmt.Errorf("%w: the image %.200q: %w", application.ErrInvalid, i.Image, err)
		}
		name = reference.Domain(ref) + "/" + i.Name
	}
	return name + "@" + i.Digest, nil
}

// Pulls is of hosting.Planner. Another repository that has the name now is not the one of a release.
func (s *Deployer) Pulls(ctx context.Context, host, repository string) (bool, error) {
	repo, err := s.Images.Repository(ctx, repository)
	if errors.Is(err, images.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	list, err := s.Read.EnvironmentsOn(ctx, host)
	for _, environment := range list {
		place, err := s.Read.Place(ctx, environment)
		if err != nil || place.Ended > 0 {
			if err != nil {
				return false, err
			}
			continue
		}
		state, err := s.state(ctx, environment)
		if err != nil {
			return false, err
		}
		for _, p := range deployment.Plans(state, host) {
			if p.Gone {
				continue
			}
			r, err := s.Read.Release(ctx, place.Application, p.Release)
			if err != nil {
				return false, err
			}
			if slices.ContainsFunc(r.Images, func(i events.ReleaseImage) bool { return i.Repository == repo.ID }) {
				return true, nil
			}
		}
	}
	return false, err
}
