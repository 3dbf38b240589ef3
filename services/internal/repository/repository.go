package repository

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/services/internal/command"
)

var (
	// ErrUnknown: no repository of that name lives.
	ErrUnknown = errors.New("repository unknown")
	// ErrTaken: the name belongs to another repository now.
	ErrTaken = errors.New("the name is taken by a newer repository")
	// ErrNotDeleted: there is nothing to restore.
	ErrNotDeleted = errors.New("no deleted repository of that name")
)

// An ID is what the subjects of a repository's events are made of.
type ID struct{ Namespace, Repository string }

// Ensure finds the live repository of that name. If there is none it creates it
// with that visibility, and its namespace. Two callers that race get the same
// repository. Ensure does not check whether the caller may create it.
func Ensure(ctx context.Context, log command.Log, by command.By, name Name, visibility string) (ID, error) {
	id, _, err := ensure(ctx, log, by, name, visibility)
	return id, err
}

// ensure is Ensure, with the sequence of the name's latest event.
func ensure(ctx context.Context, log command.Log, by command.By, name Name, visibility string) (id ID, seq uint64, err error) {
	if err := checkVisibility(visibility); err != nil {
		return ID{}, 0, err
	}
	ns, err := ensureNamespace(ctx, log, by, name.Namespace)
	if err != nil {
		return ID{}, 0, err
	}
	fresh, err := command.NewID()
	if err != nil {
		return ID{}, 0, err
	}
	seq, err = command.Decide(ctx, log, by, events.RepositorySubject(ns, name.Full), func(last events.Payload, _ uint64) (events.Payload, error) {
		var live bool
		if id, live = stateOf(ns, last); live {
			return nil, nil
		}
		id = ID{ns, fresh}
		return events.RepositoryCreated{Namespace: ns, Repository: fresh, Name: name.Full, Visibility: visibility}, nil
	})
	if err != nil {
		return ID{}, 0, fmt.Errorf("create repository %s: %w", name.Full, err)
	}
	return id, seq, nil
}

func ensureNamespace(ctx context.Context, log command.Log, by command.By, name string) (id string, err error) {
	fresh, err := command.NewID()
	if err != nil {
		return "", err
	}
	_, err = command.Decide(ctx, log, by, events.NamespaceSubject(name), func(last events.Payload, _ uint64) (events.Payload, error) {
		switch p := last.(type) {
		case events.NamespaceCreated:
			id = p.Namespace
			return nil, nil
		case events.NamespaceAdopted:
			id = p.Namespace
			return nil, nil
		}
		id = fresh
		return events.NamespaceCreated{Namespace: fresh, Name: name}, nil
	})
	if err != nil {
		return "", fmt.Errorf("create namespace %s: %w", name, err)
	}
	return id, nil
}

// stateOf tells from the latest event of a name which repository it is about,
// and whether that one lives. The ID of a name without events is zero.
func stateOf(ns string, last events.Payload) (id ID, live bool) {
	switch p := last.(type) {
	case events.RepositoryCreated:
		return ID{ns, p.Repository}, true
	case events.RepositoryRestored:
		return ID{ns, p.Repository}, true
	case events.RepositoryPolicyChanged:
		return ID{ns, p.Repository}, true
	case events.RepositoryVisibilityChanged:
		return ID{ns, p.Repository}, true
	case events.RepositoryDescribed:
		return ID{ns, p.Repository}, true
	case events.RepositorySummaryChanged:
		return ID{ns, p.Repository}, true
	case events.RepositoryDeleted:
		return ID{ns, p.Repository}, false
	}
	return ID{}, false
}

// Delete hides the live repository of that name. ErrUnknown.
func Delete(ctx context.Context, log command.Log, by command.By, id ID, name string) (uint64, error) {
	return change(ctx, log, by, id, name, events.RepositoryDeleted{Namespace: id.Namespace, Repository: id.Repository, Name: name})
}

// change appends a fact about a repository that lives.
func change(ctx context.Context, log command.Log, by command.By, id ID, name string, p events.Payload) (uint64, error) {
	return decide(ctx, log, by, id, name, nil, func(uint64) (events.Payload, error) { return p, nil })
}

// decide is command.DecideSeen on a repository that lives; next gets the sequence of
// its latest event.
func decide(ctx context.Context, log command.Log, by command.By, id ID, name string, seen *uint64, next func(seq uint64) (events.Payload, error)) (uint64, error) {
	return command.DecideSeen(ctx, log, by, events.RepositorySubject(id.Namespace, name), seen, func(last events.Payload, seq uint64) (events.Payload, error) {
		if now, live := stateOf(id.Namespace, last); !live || now != id {
			return nil, fmt.Errorf("%s: %w", name, ErrUnknown)
		}
		return next(seq)
	})
}

// Restore undoes the deletion of a repository. It does not check whether the
// content is still there. ErrTaken, ErrNotDeleted.
func Restore(ctx context.Context, log command.Log, by command.By, id ID, name string) (uint64, error) {
	return command.Decide(ctx, log, by, events.RepositorySubject(id.Namespace, name), func(last events.Payload, seq uint64) (events.Payload, error) {
		now, live := stateOf(id.Namespace, last)
		switch {
		case live && now == id, seq == 0:
			return nil, fmt.Errorf("%s: %w", name, ErrNotDeleted)
		case live:
			return nil, fmt.Errorf("%s: %w", name, ErrTaken)
		}
		return events.RepositoryRestored{Namespace: id.Namespace, Repository: id.Repository, Name: name}, nil
	})
}
