package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"hubledger/services/internal/hosting"
)

// A found is a container of a slot, by its labels.
type found struct {
	id, service, hash string
	index             int
	generation        string
	fence             uint64
	state             container.ContainerState
}

func (f *found) running() bool {
	return f.state == container.StateRunning || f.state == container.StateRestarting || f.state == container.StatePaused
}

// containers are those of a slot; of all slots with "".
func (a *Agent) containers(ctx context.Context, slot string) (map[string][]found, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	filters := make(client.Filters).Add("label", labelHost+"="+a.Machine)
	if slot != "" {
		filters.Add("label", labelSlot+"="+slot)
	}
	all, err := a.Engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, err
	}
	of := map[string][]found{}
	for _, c := range all.Items {
		index, _ := strconv.Atoi(c.Labels[labelIndex])
		fence, _ := strconv.ParseUint(c.Labels[labelFence], 10, 64)
		id := c.Labels[labelSlot]
		of[id] = append(of[id], found{c.ID, c.Labels[labelService], c.Labels[labelHash], index, c.Labels[labelGeneration], fence, c.State})
	}
	return of, nil
}

// create makes a container, connected to all its networks, and does not start it.
func (a *Agent) create(ctx context.Context, p *spec) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	first := p.networks[0]
	made, err := a.Engine.ContainerCreate(ctx, client.ContainerCreateOptions{Name: p.name, Config: &p.config, HostConfig: &p.host,
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{first.Name: {Aliases: first.Aliases}}}})
	if errdefs.IsConflict(err) {
		return "", &fatalError{fmt.Errorf("there is a container %s that is not of this host: remove it with docker rm -f %s", p.name, p.name)}
	}
	if err != nil {
		return "", err
	}
	for _, n := range p.networks[1:] {
		if _, err := a.Engine.NetworkConnect(ctx, n.Name, client.NetworkConnectOptions{Container: made.ID, EndpointConfig: &network.EndpointSettings{Aliases: n.Aliases}}); err != nil {
			// One that lacks a network would be taken for whole by its hash.
			return "", errors.Join(err, a.remove(ctx, made.ID, true))
		}
	}
	return made.ID, nil
}

func (a *Agent) start(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_, err := a.Engine.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return err
}

// policy sets whether the engine starts a container again.
func (a *Agent) policy(ctx context.Context, id string, mode container.RestartPolicyMode) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_, err := a.Engine.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{RestartPolicy: &container.RestartPolicy{Name: mode}})
	return err
}

// maxGrace bounds what an engine is waited for that stops a container.
const maxGrace = time.Hour

// stop ends a container with the signal and the grace that it was made with.
func (a *Agent) stop(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, maxGrace)
	defer cancel()
	_, err := a.Engine.ContainerStop(ctx, id, client.ContainerStopOptions{})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// remove removes a container that does not run, and with volumes those of it that have no
// name.
func (a *Agent) remove(ctx context.Context, id string, volumes bool) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_, err := a.Engine.ContainerRemove(ctx, id, client.ContainerRemoveOptions{RemoveVolumes: volumes})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// surround makes the networks and volumes of a slot.
func (a *Agent) surround(ctx context.Context, t *hosting.Slot) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	internal := map[string]bool{}
	for _, n := range t.Networks {
		internal[n.Name] = n.Internal
	}
	done := map[string]bool{}
	for k := range t.Services {
		for _, n := range attached(&t.Services[k]) {
			if done[n.Network] {
				continue
			}
			done[n.Network] = true
			err := a.network(ctx, environmentNetwork(t.ID, n.Network), internal[n.Network], "")
			if err == nil && coloured(t) {
				err = a.network(ctx, colourNetwork(t.ID, n.Network), internal[n.Network], t.ID)
			}
			if err != nil {
				return err
			}
		}
	}
	for _, name := range t.Volumes {
		_, err := a.Engine.VolumeCreate(ctx, client.VolumeCreateOptions{Name: volumeName(t.ID, name), Labels: map[string]string{labelHost: a.Machine}})
		if err != nil {
			return fmt.Errorf("volume %s: %w", name, err)
		}
	}
	return nil
}

// network makes a network, if there is none of that name. Engines take two of one name, and
// then neither by it: slots of an environment ask for the same one at the same moment, and an agent
// may be killed after it has asked. So one is asked for at a time, and what is there twice goes, unless it is used.
func (a *Agent) network(ctx context.Context, name string, internal bool, slot string) error {
	a.networks.Lock()
	defer a.networks.Unlock()
	all, err := a.Engine.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("name", name)})
	if err != nil {
		return fmt.Errorf("network %s: %w", name, err)
	}
	list := slices.DeleteFunc(all.Items, func(n network.Summary) bool { return n.Name != name })
	if len(list) == 0 {
		_, err = a.Engine.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Internal: internal, Labels: a.networkLabels(slot)})
		if err != nil && !errdefs.IsConflict(err) {
			return fmt.Errorf("network %s: %w", name, err)
		}
		return nil
	}
	left := len(list)
	for k := 0; k < len(list) && left > 1; k++ {
		if list[k].Labels[labelHost] != a.Machine {
			continue
		}
		if _, err = a.Engine.NetworkRemove(ctx, list[k].ID, client.NetworkRemoveOptions{}); err == nil {
			left--
		}
	}
	if left > 1 {
		return fmt.Errorf("network %s is there %d times: remove the one that is not used with docker network rm: %w", name, left, err)
	}
	return nil
}

// forsake removes the networks of a slot that is gone, and those of its environment when
// nothing is connected to them any more.
func (a *Agent) forsake(ctx context.Context, slot string, last bool) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	all, err := a.Engine.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("label", labelHost+"="+a.Machine)})
	if err != nil {
		return err
	}
	for _, n := range all.Items {
		own := n.Labels[labelSlot] == slot
		if !own && (!last || n.Labels[labelSlot] != "" || !strings.HasPrefix(n.Name, environmentNetwork(slot, ""))) {
			continue
		}
		if _, err := a.Engine.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("network %s: %w", n.Name, err)
		}
	}
	return nil
}

// inOrder are the services of a slot, each behind those that it depends on.
func inOrder(t *hosting.Slot) (list []*hosting.SlotService) {
	of := map[string]*hosting.SlotService{}
	for k := range t.Services {
		of[t.Services[k].Name] = &t.Services[k]
	}
	done := map[string]bool{}
	var visit func(s *hosting.SlotService)
	visit = func(s *hosting.SlotService) {
		if done[s.Name] {
			return
		}
		done[s.Name] = true
		for _, name := range s.DependsOn {
			if on := of[name]; on != nil {
				visit(on)
			}
		}
		list = append(list, s)
	}
	for k := range t.Services {
		visit(&t.Services[k])
	}
	return list
}
