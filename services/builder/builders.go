package builder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/projections/builds"
	"hubledger/services/builder/remote"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/machine"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/origin"
)

// Machines are the connections of machines to this node.
type Machines interface {
	// Address is where a machine connects to, HOST:PORT, that has reached the hub by a
	// host name.
	Address(host string) string
	Connected(machine string) bool
	// Disconnect ends the connection of a machine.
	Disconnect(machine string)
}

// ErrNoMachines: no machine can connect to this hub.
var ErrNoMachines = errors.New("builders and hosts on other machines cannot connect: start the hub with --nats-listen")

// BuilderPath names a builder.
type BuilderPath struct {
	Builder string `path:"builder" maxLength:"63" doc:"Name of the builder"`
}

func (s *Builder) registerBuilders() {
	const tag = "builders"
	s.API.AddTag(tag, "What runs builds: the hub itself, and other machines.")
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/builders", ID: "list-builders", Tag: tag, Permission: access.HubAdmin, Cost: budget.List,
		Summary: "List the builders"}, s.listBuilders)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/builders", ID: "invite-builder", Tag: tag, Permission: access.HubAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Create the one-time token that enrolls a machine as a builder", About: "It is shown once and kept nowhere."}, s.inviteBuilder)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: "/builders/{builder}", ID: "revoke-builder", Tag: tag, Permission: access.HubAdmin, Cost: budget.Write,
		Summary: "Revoke a builder, or its token", About: "It is cut off at once, and its builds go to other builders."}, s.revokeBuilder)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/machines/enroll", ID: "enroll-machine", Tag: tag, Permission: access.Open, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Enroll the calling machine with its one-time token", About: "From then on it connects with its key."}, s.enrollMachine)
}

func (s *Builder) listBuilders(ctx context.Context, _ *endpoint.Call, _ *struct{}) (*openapi.List[apitypes.Builder], error) {
	running, err := s.Read.InState(ctx, builds.Running)
	if err != nil {
		return nil, err
	}
	has := map[string]int{}
	for _, b := range running {
		has[b.Builder]++
	}
	list := []apitypes.Builder{}
	there := map[string]apitypes.Builder{}
	for _, b := range s.stations.able(false) {
		there[b.Name] = apitypes.Builder{Name: b.Name, State: "connected", Platforms: b.Platforms, Places: b.Places, Hooks: b.Hooks, Running: has[b.Name]}
	}
	if s.Local != nil {
		if own, ok := there[s.Local.Name]; ok {
			list = append(list, own)
		} else {
			list = append(list, apitypes.Builder{Name: s.Local.Name, State: "away", Platforms: s.Local.Offer.Platforms, Places: s.Local.Offer.Places, Hooks: s.Local.Offer.Hooks, Running: has[s.Local.Name]})
		}
	}
	known, err := s.People.Machines(ctx, events.MachineBuilder, time.Now())
	if err != nil {
		return nil, err
	}
	for _, m := range known {
		v, ok := there[m.Name]
		switch {
		case m.State == accounts.MachineInvited:
			v = apitypes.Builder{Name: m.Name, State: "invited", Platforms: []string{}, Expires: &m.Expires}
		case !ok:
			v = apitypes.Builder{Name: m.Name, State: "away", Platforms: []string{}, Running: has[m.Name]}
		}
		v.Since = &m.Since
		list = append(list, v)
	}
	return openapi.WholeList(list), nil
}

func (s *Builder) inviteBuilder(ctx context.Context, c *endpoint.Call, in *struct{ Body apitypes.InviteBuilderRequest }) (*openapi.ChangeWith[apitypes.InvitedBuilder], error) {
	if s.Machines == nil {
		return nil, ErrNoMachines
	}
	term := machine.DefaultTerm
	if in.Body.Seconds > 0 {
		term = time.Duration(in.Body.Seconds) * time.Second
	}
	token, invited, seq, err := machine.Invite(ctx, s.Events, c.By(), s.People, events.MachineBuilder, in.Body.Name, nil, term)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.InvitedBuilder{Name: invited.Name, Token: token, Expires: invited.Expires, Hub: s.hubURL(c), Seq: seq}), nil
}

// hubURL is the URL by which the hub is reached; over its socket that of its node.
func (s *Builder) hubURL(c *endpoint.Call) string {
	if c.Principal.Kind == access.Operator {
		return s.URL
	}
	return origin.Of(c.Request).URL()
}

func (s *Builder) revokeBuilder(ctx context.Context, c *endpoint.Call, in *BuilderPath) (*openapi.Change, error) {
	id, seq, err := machine.Revoke(ctx, s.Events, c.By(), events.MachineBuilder, in.Builder)
	if errors.Is(err, machine.ErrUnknown) {
		return nil, endpoint.Fail(http.StatusNotFound, fmt.Sprintf("there is no builder %s; `hubledger builders ls` lists those that there are", in.Builder))
	}
	if err != nil {
		return nil, err
	}
	// First it cannot come back, then it is cut off.
	out, err := s.API.Changed(ctx, seq, nil)
	s.stations.cut(in.Builder)
	if s.Machines != nil {
		s.Machines.Disconnect(id)
	}
	return out, err
}

func (s *Builder) enrollMachine(ctx context.Context, c *endpoint.Call, in *struct{ Body apitypes.EnrollRequest }) (*openapi.ChangeWith[apitypes.EnrolledMachine], error) {
	if s.Machines == nil {
		return nil, ErrNoMachines
	}
	m, seq, err := machine.Enroll(ctx, s.Events, command.By{Source: source}, s.People, cmp.Or(in.Body.Kind, events.MachineBuilder), in.Body.Token, in.Body.Key)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	if m.Kind == events.MachineBuilder {
		s.stations.admit(m.Name)
	}
	return openapi.ShowChange(seq, apitypes.EnrolledMachine{Machine: m.Machine, Name: m.Name, Kind: m.Kind, NATS: s.Machines.Address(origin.Of(c.Request).Host), Seq: seq}), nil
}

// Answer does what a builder asks, and returns what it is to be answered.
func (s *Builder) Answer(ctx context.Context, m *accounts.Machine, operation string, data []byte) []byte {
	return remote.Answer(ctx, attempts{s, m.Name, m.ID}, s.Logger, operation, data)
}
