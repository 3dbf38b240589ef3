// Package hostagent has the hosts of the hub: machines on which applications run. It
// tells each what it is to run, and takes what it observes. What that is, and what follows
// from it, is the business of a hosting.Planner.
package hostagent

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/services/hostagent/wire"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

// Machines are the connections of machines to this node.
type Machines interface {
	Connected(machine string) bool
	// Disconnect ends the connection of a machine.
	Disconnect(machine string)
}

// ErrNoMachines: no machine can connect to this hub.
var ErrNoMachines = errors.New("hosts cannot connect: start the hub with --nats-listen")

// Config is what the service works with. All fields but API, Machines
// and Applications are required.
type Config struct {
	Log      command.Log
	API      *openapi.API // takes the operations; nil: none, for tests
	People   accounts.Reader
	Planner  hosting.Planner
	Machines Machines // nil: none can connect
	// Applications are those that containers belong to; nil: this node has none.
	Applications hosting.Applications
	// Token is one for the registry with which a host can pull from a repository.
	Token  func(ctx context.Context, host *accounts.Machine, repository string) (text string, ends time.Time, err error)
	URL    string // of this node
	Logger *slog.Logger
}

// Hosts is the service.
type Hosts struct {
	Config
	heard *heard
	looks *looks
}

// New makes the service.
func New(c Config) *Hosts {
	s := &Hosts{c, newHeard(), newLooks()}
	if c.API != nil {
		s.register()
	}
	return s
}

func (s *Hosts) register() {
	s.API.AddTag(tag, "Machines on which applications run.")
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/hosts", ID: "list-hosts", Tag: tag, Permission: access.HubAdmin, Cost: budget.List,
		Summary: "List the hosts"}, s.list)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPost, Path: "/hosts", ID: "invite-host", Tag: tag, Permission: access.HubAdmin, Cost: budget.Write, Status: http.StatusCreated,
		Summary: "Create the one-time token that enrolls a machine as a host", About: "It is shown once and kept nowhere."}, s.invite)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodDelete, Path: "/hosts/{host}", ID: "revoke-host", Tag: tag, Permission: access.HubAdmin, Cost: budget.Write,
		Summary: "Revoke a host, or its token", About: "It is cut off at once. Its containers go on until somebody stops them there."}, s.revoke)
	s.registerContainers()
}

const tag = "hosts"

// Service is what it hands over to the program.
func (s *Hosts) Service() service.Service {
	return service.Service{Name: "hostagent", Routes: s.API.Routes(), NotServed: endpoint.NotServed,
		ReadModels: []*projections.Projection{&accounts.Projection}}
}

// Answer does what a host asks, and returns what it is to be answered.
func (s *Hosts) Answer(ctx context.Context, m *accounts.Machine, operation string, data []byte) []byte {
	return wire.Answer(ctx, host{s, m}, s.Logger, operation, data)
}
