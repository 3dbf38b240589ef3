package server

import (
	"context"
	"net/http"
	"time"

	"hubledger/events"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/internal/service"
)

// Declared is every service of the program, without log and stores.
func Declared() []service.Service { return declared() }

// Served is the services that the node runs, and its own pages.
func (n *Node) Served() []service.Service {
	return append(n.services[:len(n.services):len(n.services)], n.pages())
}

// OpenReadModels are the names of the read models that the node has opened.
func (n *Node) OpenReadModels() (names []string) {
	for _, m := range n.models.Models() {
		names = append(names, m.Projection.Name)
	}
	return names
}

// Status is what the node says of itself on the admin socket.
func (n *Node) Status(ctx context.Context) adminsocket.Status { return n.status(ctx) }

// LoseOperations closes the operational store.
func (n *Node) LoseOperations() error { return n.operations.Close() }

// HasBlobs says whether the node has opened a blob store.
func (n *Node) HasBlobs() bool { return n.stores.Blobs != nil }

// Sentence describes an event to people.
func (n *Node) Sentence(ctx context.Context, e *events.Event) string {
	return n.sentence(ctx, e).String()
}

// Impatient is the node's handler with another time for the body of a request.
func (n *Node) Impatient(bodyTime time.Duration) http.Handler {
	h := &handler{bodyTime: bodyTime}
	h.ready(n)
	return h
}
