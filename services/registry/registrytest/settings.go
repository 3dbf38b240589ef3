package registrytest

import (
	"hubledger/events"
	"hubledger/services/internal/repository"
)

// SetPolicy gives a repository a policy.
func (h *Hub) SetPolicy(name string, policy events.RepositoryPolicy) {
	h.T.Helper()
	h.decide(name, func(id repository.ID, full string) (uint64, error) {
		return repository.ChangePolicy(h.T.Context(), h.Log, By, id, full, policy)
	})
}

// SetVisibility makes a repository public or private.
func (h *Hub) SetVisibility(name, visibility string) {
	h.T.Helper()
	h.decide(name, func(id repository.ID, full string) (uint64, error) {
		return repository.ChangeVisibility(h.T.Context(), h.Log, By, id, full, visibility)
	})
}

// decide makes a decision about a repository and waits until the projection
// has it.
func (h *Hub) decide(name string, decision func(id repository.ID, full string) (uint64, error)) {
	h.T.Helper()
	full, err := repository.ParseName(name)
	if err != nil {
		h.T.Fatal(err)
	}
	repo, err := h.Registry.Images.Repository(h.T.Context(), full.Full)
	if err != nil {
		h.T.Fatalf("%s: %v", name, err)
	}
	seq, err := decision(repository.ID{Namespace: repo.Namespace, Repository: repo.ID}, full.Full)
	if err == nil {
		err = h.Runner.Wait(h.T.Context(), seq)
	}
	if err != nil {
		h.T.Fatalf("%s: %v", name, err)
	}
}
