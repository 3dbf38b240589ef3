package deployer

import (
	"context"
	"slices"
	"strings"

	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
)

// notShown stands for what a host says while it is not known what to mask in it.
const notShown = "(not shown, since the secrets of the environment cannot be read)"

// masked is what is seen of an environment without the secrets of what its hosts have of it, and
// without the slots of others. Hosts mask them, too; what a host says is not trusted, and the log is for
// ever. It comes before texts are cut, which would leave the beginning of a secret. With an
// error no text is left.
func (s *Deployer) masked(ctx context.Context, state deployment.State, w deployment.Watch) (deployment.Watch, error) {
	out := w
	out.Hosts = map[string]hosting.Observation{}
	says := false
	for machine, o := range w.Hosts {
		says = says || o.Engine.Error != ""
		o.Slots = slices.DeleteFunc(slices.Clone(o.Slots), func(seen hosting.Seen) bool {
			return !strings.HasPrefix(seen.ID, state.Of.Environment+"-")
		})
		for k := range o.Slots {
			seen := &o.Slots[k]
			seen.Images, seen.Containers = slices.Clone(seen.Images), slices.Clone(seen.Containers)
			says = says || seen.Error != "" || len(seen.Images)+len(seen.Containers) > 0
		}
		out.Hosts[machine] = o
	}
	if !says {
		return out, nil
	}
	set, err := s.secretsOf(ctx, state)
	mask := func(text *string) {
		if *text != "" && err != nil {
			*text = notShown
		} else if *text != "" {
			*text = set.String(*text)
		}
	}
	for machine, o := range out.Hosts {
		mask(&o.Engine.Error)
		for k := range o.Slots {
			seen := &o.Slots[k]
			mask(&seen.Error)
			for k := range seen.Images {
				mask(&seen.Images[k].Error)
				mask(&seen.Images[k].Service)
			}
			for k := range seen.Containers {
				c := &seen.Containers[k]
				mask(&c.Service)
				mask(&c.Log)
				mask(&c.HealthLog)
			}
		}
		out.Hosts[machine] = o
	}
	return out, err
}

// secretsOf are those of all releases that hosts have of an environment.
func (s *Deployer) secretsOf(ctx context.Context, state deployment.State) (*redact.Set, error) {
	var list [][]byte
	var done []int
	for _, side := range state.Sides {
		if side.Fence == 0 || side.Phase == deployment.Gone || slices.Contains(done, side.Release) {
			continue
		}
		done = append(done, side.Release)
		r, err := s.Read.Release(ctx, state.Of.Application, side.Release)
		if err != nil {
			return nil, err
		}
		c, err := s.Read.Configuration(ctx, state.Of.Environment, versionOf(r, state.Of.Environment))
		if err != nil {
			return nil, err
		}
		if s.Secrets == nil && len(c.Secrets) > 0 {
			return nil, errNoSecrets
		}
		for _, record := range c.Secrets {
			value, err := s.valueOf(ctx, state.Of.Environment, record)
			if err != nil {
				return nil, err
			}
			list = append(list, []byte(value))
		}
	}
	return redact.New(list...), nil
}
