package server

import (
	"context"
	"fmt"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/projections/journal"
	"hubledger/services/api"
	"hubledger/services/audit"
	"hubledger/services/auth"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/service"
	"hubledger/services/registry"
	"hubledger/streams"
	"hubledger/streams/hookbodies"
)

// Handler answers the HTTP requests to the node as Serve does. A request whose
// context has a principal (see access.WithPrincipal) needs no credentials at
// the endpoints of the API and of the registry.
func (n *Node) Handler() http.Handler {
	h := &handler{bodyTime: bodyTime}
	h.ready(n)
	return n.withOrigin(h)
}

// Log is the log. What is appended here is not counted in the node's metrics.
func (n *Node) Log() *streams.Log { return n.log }

// Wait returns when every open read model but the journal has committed an event.
// The journal is left out because requests do not read it.
func (n *Node) Wait(ctx context.Context, seq uint64) error {
	for _, m := range n.models.Models() {
		if m.Projection == &journal.Projection {
			continue
		}
		if err := m.Wait(ctx, seq); err != nil {
			return fmt.Errorf("event %d is in the log, but not visible yet: %w", seq, err)
		}
	}
	return nil
}

// Look begins a look into every open read model but the journal. A read-only log does not
// grow.
func (n *Node) Look() command.Look {
	if n.log.ReadOnly() != nil {
		return command.Look{}
	}
	var models []command.Follower
	for _, m := range n.models.Models() {
		if m.Projection != &journal.Projection {
			models = append(models, m)
		}
	}
	return command.NewLook(n.log, models...)
}

// Accounts reads the accounts, which every node has.
func (n *Node) Accounts() accounts.Reader { return n.shared.people }

// Auth knows the accounts' credentials.
func (n *Node) Auth() *auth.Auth { return n.auth }

// Audit is the service that signs the log.
func (n *Node) Audit() *audit.Audit { return n.audit }

// HookBodies keeps the bodies of webhooks. It is nil on a node that does not run the
// service sources, and while the log is read-only.
func (n *Node) HookBodies() *hookbodies.Store { return n.bodies }

// Registry is the registry. It works only on a node that runs the service
// registry or api.
func (n *Node) Registry() *registry.Registry { return n.registry }

// Service finds a service that this node runs, by its name.
func (n *Node) Service(name string) (service.Service, bool) {
	for _, s := range n.services {
		if s.Name == name {
			return s, true
		}
	}
	return service.Service{}, false
}

// APIConfig is what the node's API is made of, and what its endpoints are made
// of. Another API over the same node needs an API field of its own.
func (n *Node) APIConfig() (api.Config, endpoint.Config) {
	return n.apiConfig(n.shared), n.shared.endpoints
}
