package hostagent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/machine"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/origin"
)

// HostPath names a host.
type HostPath struct {
	Host string `path:"host" maxLength:"63" doc:"Name of the host"`
}

func (s *Hosts) list(ctx context.Context, _ *endpoint.Call, _ *struct{}) (*openapi.List[apitypes.Host], error) {
	known, err := s.People.Machines(ctx, events.MachineHost, time.Now())
	if err != nil {
		return nil, err
	}
	list := make([]apitypes.Host, len(known))
	for k, m := range known {
		h := apitypes.Host{Name: m.Name, State: "away", Since: m.Since}
		if h.Namespaces, err = s.names(ctx, m.Namespaces); err != nil {
			return nil, err
		}
		o, at := s.heard.last(m.ID)
		switch {
		case m.State == accounts.MachineInvited:
			h.State, h.Expires = "invited", &m.Expires
		case s.Machines != nil && s.Machines.Connected(m.ID):
			h.State = "connected"
		}
		if !at.IsZero() {
			h.Seen, h.Engine, h.EngineError, h.Free, h.Slots = &at, o.engine.Version, o.engine.Error, o.engine.Free, o.slots
		}
		list[k] = h
	}
	return openapi.WholeList(list), nil
}

// names are those of namespaces; one that is gone keeps its id.
func (s *Hosts) names(ctx context.Context, ids []string) (list []string, err error) {
	for _, id := range ids {
		n, err := s.People.NamespaceByID(ctx, id)
		switch {
		case errors.Is(err, accounts.ErrNotFound):
			list = append(list, id)
		case err != nil:
			return nil, err
		default:
			list = append(list, n.Name)
		}
	}
	return list, nil
}

func (s *Hosts) invite(ctx context.Context, c *endpoint.Call, in *struct{ Body apitypes.InviteHostRequest }) (*openapi.ChangeWith[apitypes.InvitedHost], error) {
	if s.Machines == nil {
		return nil, endpoint.Fail(http.StatusConflict, ErrNoMachines.Error())
	}
	var ids []string
	for _, name := range in.Body.Namespaces {
		n, err := s.People.Namespace(ctx, name)
		if errors.Is(err, accounts.ErrNotFound) {
			return nil, endpoint.Fail(http.StatusUnprocessableEntity, fmt.Sprintf("there is no namespace %s: name users and organizations that there are", name))
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, n.ID)
	}
	term := machine.DefaultTerm
	if in.Body.Seconds > 0 {
		term = time.Duration(in.Body.Seconds) * time.Second
	}
	token, invited, seq, err := machine.Invite(ctx, s.Log, c.By(), s.People, events.MachineHost, in.Body.Name, ids, term)
	if err == nil {
		err = s.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	hub := origin.Of(c.Request).URL()
	if c.Principal.Kind == access.Operator {
		hub = s.URL
	}
	return openapi.ShowChange(seq, apitypes.InvitedHost{Name: invited.Name, Token: token, Expires: invited.Expires, Hub: hub, Seq: seq}), nil
}

func (s *Hosts) revoke(ctx context.Context, c *endpoint.Call, in *HostPath) (*openapi.Change, error) {
	id, seq, err := machine.Revoke(ctx, s.Log, c.By(), events.MachineHost, in.Host)
	if errors.Is(err, machine.ErrUnknown) {
		return nil, endpoint.Fail(http.StatusNotFound, fmt.Sprintf("there is no host %s; `hubledger hosts ls` lists those that there are", in.Host))
	}
	if err != nil {
		return nil, err
	}
	// First it cannot come back, then it is cut off.
	out, err := s.API.Changed(ctx, seq, nil)
	if s.Machines != nil {
		s.Machines.Disconnect(id)
	}
	s.heard.forget(id)
	s.looks.forget(id)
	return out, err
}
