package audit

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
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/machine"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/origin"
)

// Machines are the connections of machines to this node, among them readers of the log.
type Machines interface {
	// Address is where one connects to, HOST:PORT, that has reached the hub by a host name.
	Address(host string) string
	Connected(machine string) bool
	// Disconnect ends its connections.
	Disconnect(machine string)
}

// Readers are the users that read the log with NATS clients. All fields but Machines
// are required.
type Readers struct {
	Log      command.Log
	People   accounts.Reader
	Machines Machines // nil: none can connect
	Stream   string   // that they read
}

// errNoListener: nobody can connect.
var errNoListener = errors.New("NATS clients cannot connect: start the hub with --nats-listen")

// ReaderPath names a user.
type ReaderPath struct {
	User string `path:"user" maxLength:"63" doc:"Name of the user"`
}

func (a *Audit) registerReaders() {
	const tag, path = "nats-users", "/nats-users"
	a.API.AddTag(tag, "Users that follow the log with NATS clients.")
	openapi.Add(a.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "list-nats-users", Tag: tag, Permission: access.HubAdmin, Cost: budget.List,
		Summary: "List the users that may read the log with a NATS client"}, a.listReaders)
	openapi.Add(a.API, openapi.Operation{Method: http.MethodPost, Path: path, ID: "add-nats-user", Tag: tag, Permission: access.HubAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Let a user read the log with a NATS client", About: "The whole log, as an administrator of the hub may read it, and nothing else. It is known by its NKey."}, a.addReader)
	openapi.Add(a.API, openapi.Operation{Method: http.MethodDelete, Path: path + "/{user}", ID: "revoke-nats-user", Tag: tag, Permission: access.HubAdmin, Cost: budget.Write,
		Summary: "Revoke a user that reads the log with a NATS client", About: "It is cut off at once."}, a.revokeReader)
}

func (a *Audit) listReaders(ctx context.Context, _ *endpoint.Call, _ *struct{}) (*openapi.List[apitypes.Reader], error) {
	known, err := a.Readers.People.Machines(ctx, events.MachineReader, time.Now())
	if err != nil {
		return nil, err
	}
	list := make([]apitypes.Reader, len(known))
	for k, m := range known {
		list[k] = apitypes.Reader{Name: m.Name, Key: m.Key, Connected: a.Readers.Machines != nil && a.Readers.Machines.Connected(m.ID), Since: m.Since, By: m.Actor}
	}
	return openapi.WholeList(list), nil
}

func (a *Audit) addReader(ctx context.Context, c *endpoint.Call, in *struct{ Body apitypes.AddReaderRequest }) (*openapi.ChangeWith[apitypes.AddedReader], error) {
	r := a.Readers
	if r.Machines == nil {
		return nil, endpoint.Fail(http.StatusConflict, errNoListener.Error())
	}
	added, seq, err := machine.Admit(ctx, r.Log, c.By(), r.People, events.MachineReader, in.Body.Name, in.Body.Key)
	if err == nil {
		err = a.API.Readable(ctx, seq)
	}
	if err != nil {
		return nil, err
	}
	return openapi.ShowChange(seq, apitypes.AddedReader{Name: added.Name, NATS: r.Machines.Address(origin.Of(c.Request).Host), Stream: r.Stream, Seq: seq}), nil
}

func (a *Audit) revokeReader(ctx context.Context, c *endpoint.Call, in *ReaderPath) (*openapi.Change, error) {
	id, seq, err := machine.Revoke(ctx, a.Readers.Log, c.By(), events.MachineReader, in.User)
	if errors.Is(err, machine.ErrUnknown) {
		return nil, endpoint.Fail(http.StatusNotFound, fmt.Sprintf("there is no NATS user %s; `hubledger nats users ls` lists those that there are", in.User))
	}
	if err != nil {
		return nil, err
	}
	// First it cannot come back, then it is cut off.
	out, err := a.API.Changed(ctx, seq, nil)
	if a.Readers.Machines != nil {
		a.Readers.Machines.Disconnect(id)
	}
	return out, err
}
