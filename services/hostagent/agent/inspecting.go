package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"hubledger/services/internal/hosting"
	"hubledger/services/internal/redact"
)

const (
	maxInspected = 1 << 10 // bytes of a text
	maxListed    = 100     // of a list
)

// maskOfContainer masks what a container has by its slot, and by its own environment: it may have
// been made with other values.
func maskOfContainer(slot *hosting.Slot, c *container.Config) masks {
	hidden := secrets(slot)
	values := slices.Clone(hidden)
	named := map[string]bool{}
	for _, s := range slot.Services {
		for _, v := range s.Environment {
			named[v.Name] = named[v.Name] || v.Secret
		}
		for _, value := range s.Values {
			values = append(values, []byte(value))
		}
	}
	if c != nil {
		for _, pair := range c.Env {
			name, value, _ := strings.Cut(pair, "=")
			secret, known := named[name]
			if secret {
				hidden = append(hidden, []byte(value))
			}
			if known {
				values = append(values, []byte(value))
			}
		}
	}
	return masks{redact.New(hidden...), redact.New(values...)}
}

// inspected is how a container was made, and how it is: what helps people, without the values of
// its environment.
func inspected(c container.InspectResponse, mask *redact.Set) *hosting.Inspected {
	say := func(text string) string { return shortened(mask.String(text), maxInspected) }
	all := func(list []string) (out []string) {
		for _, text := range list[:min(len(list), maxListed)] {
			out = append(out, say(text))
		}
		return out
	}
	out := &hosting.Inspected{ID: short(c.ID), Name: say(strings.TrimPrefix(c.Name, "/")), Restarts: c.RestartCount, Created: moment(c.Created)}
	if s := c.State; s != nil {
		out.State, out.Error, out.ExitCode, out.OutOfMem = string(s.Status), say(s.Error), s.ExitCode, s.OOMKilled
		out.Started, out.Finished = moment(s.StartedAt), moment(s.FinishedAt)
		if h := s.Health; h != nil && h.Status != container.NoHealthcheck {
			out.Health = string(h.Status)
			for _, run := range h.Log[max(0, len(h.Log)-5):] {
				if run != nil {
					out.Checks = append(out.Checks, hosting.HealthCheck{At: run.End.UTC(), ExitCode: run.ExitCode, Output: say(run.Output)})
				}
			}
		}
	}
	if f := c.Config; f != nil {
		out.Image, out.User, out.Directory, out.StopSignal = say(f.Image), say(f.User), say(f.WorkingDir), say(f.StopSignal)
		out.Entrypoint, out.Command = all(f.Entrypoint), all(f.Cmd)
		for _, pair := range f.Env[:min(len(f.Env), 5*maxListed)] {
			name, _, _ := strings.Cut(pair, "=")
			out.Variables = append(out.Variables, say(name))
		}
		slices.Sort(out.Variables)
		if f.StopTimeout != nil {
			out.StopGrace = *f.StopTimeout
		}
	}
	if h := c.HostConfig; h != nil {
		out.Memory, out.CPUs, out.ReadOnly, out.Restart = h.Memory, float64(h.NanoCPUs)/1e9, h.ReadonlyRootfs, string(h.RestartPolicy.Name)
		if h.PidsLimit != nil {
			out.PIDs = max(*h.PidsLimit, 0)
		}
	}
	if n := c.NetworkSettings; n != nil {
		for port, list := range n.Ports {
			for _, b := range list {
				out.Ports = append(out.Ports, say(fmt.Sprintf("%s:%s -> %s", b.HostIP, b.HostPort, port)))
			}
		}
		for name, at := range n.Networks {
			text := name
			if at != nil && at.IPAddress.IsValid() {
				text += " " + at.IPAddress.String()
			}
			out.Networks = append(out.Networks, say(text))
		}
	}
	for _, m := range c.Mounts {
		out.Mounts = append(out.Mounts, say(fmt.Sprintf("%s %s -> %s%s", m.Type, m.Name, m.Destination, map[bool]string{false: " (read only)"}[m.RW])))
	}
	for _, list := range []*[]string{&out.Ports, &out.Networks, &out.Mounts} {
		slices.Sort(*list)
		*list = (*list)[:min(len(*list), maxListed)]
	}
	return out
}

// moment is a time as an engine writes it; zero for none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 2000 {
		return time.Time{}
	}
	return t.UTC()
}

// processes are those of a container that runs.
func (a *Agent) processes(ctx context.Context, id string, mask *redact.Set, s *hosting.Sight) error {
	if !s.Running {
		return fmt.Errorf("the container does not run: it has no processes")
	}
	r, err := a.Engine.ContainerTop(ctx, id, client.ContainerTopOptions{Arguments: []string{"-eo", "pid,ppid,user,pcpu,pmem,etime,args"}})
	if err != nil {
		return fmt.Errorf("its processes cannot be listed: %w", err)
	}
	s.Top = &hosting.Processes{Titles: r.Titles[:min(len(r.Titles), 20)], Cut: len(r.Processes) > hosting.MaxProcesses}
	for _, row := range r.Processes[:min(len(r.Processes), hosting.MaxProcesses)] {
		var cells []string
		for _, text := range row[:min(len(row), 20)] {
			cells = append(cells, shortened(mask.String(text), maxInspected))
		}
		s.Top.Rows = append(s.Top.Rows, cells)
	}
	return nil
}
