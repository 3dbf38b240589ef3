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

// tries bounds how often a command is decided anew when others race it.
const tries = 8

// Ensure gives the live repository of that name and creates it, and its
// namespace, when they are not there, with that visibility. Of two that race,
// both get the same one. That it may be created is for the caller to know.
func Ensure(ctx context.Context, log command.Log, by command.By, name Name, visibility string) (ID, error) {
	if err := checkVisibility(visibility); err != nil {
		return ID{}, err
	}
	ns, err := ensureNamespace(ctx, log, by, name.Namespace)
	if err != nil {
		return ID{}, err
	}
	for range tries {
		s, err := load(ctx, log, ns, name.Full)
		if err != nil || s.live {
			return s.id, err
		}
		id, err := command.NewID()
		if err != nil {
			return ID{}, err
		}
		_, err = command.Append(ctx, log, by, events.RepositoryCreated{Namespace: ns, Repository: id, Name: name.Full, Visibility: visibility}, s.seq)
		if err == nil {
			return ID{ns, id}, nil
		}
		if !errors.Is(err, events.ErrConflict) {
			return ID{}, fmt.Errorf("create repository %s: %w", name.Full, err)
		}
	}
	return ID{}, fmt.Errorf("create repository %s: %w", name.Full, events.ErrConflict)
}

func ensureNamespace(ctx context.Context, log command.Log, by command.By, name string) (string, error) {
	for range 2 {
		p, _, err := command.Latest(ctx, log, events.NamespaceSubject(name))
		if err != nil {
			return "", fmt.Errorf("look up namespace %s: %w", name, err)
		}
		switch p := p.(type) {
		case events.NamespaceCreated:
			return p.Namespace, nil
		case events.NamespaceAdopted:
			return p.Namespace, nil
		}
		id, err := command.NewID()
		if err != nil {
			return "", err
		}
		_, err = command.Append(ctx, log, by, events.NamespaceCreated{Namespace: id, Name: name}, 0)
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, events.ErrConflict) {
			return "", fmt.Errorf("create namespace %s: %w", name, err)
		}
	}
	return "", fmt.Errorf("create namespace %s: %w", name, events.ErrConflict)
}

// state is what the latest event of a name says: each is enough to know.
type state struct {
	id   ID
	live bool
	seq  uint64
}

func load(ctx context.Context, log command.Log, ns, name string) (state, error) {
	p, seq, err := command.Latest(ctx, log, events.RepositorySubject(ns, name))
	if err != nil {
		return state{}, fmt.Errorf("look up repository %s: %w", name, err)
	}
	switch p := p.(type) {
	case events.RepositoryCreated:
		return state{ID{ns, p.Repository}, true, seq}, nil
	case events.RepositoryRestored:
		return state{ID{ns, p.Repository}, true, seq}, nil
	case events.RepositoryPolicyChanged:
		return state{ID{ns, p.Repository}, true, seq}, nil
	case events.RepositoryVisibilityChanged:
		return state{ID{ns, p.Repository}, true, seq}, nil
	case events.RepositoryDescribed:
		return state{ID{ns, p.Repository}, true, seq}, nil
	case events.RepositoryDeleted:
		return state{ID{ns, p.Repository}, false, seq}, nil
	}
	return state{}, nil
}

// Delete hides the live repository of that name. ErrUnknown.
func Delete(ctx context.Context, log command.Log, by command.By, id ID, name string) (uint64, error) {
	return change(ctx, log, by, id, name, events.RepositoryDeleted{Namespace: id.Namespace, Repository: id.Repository, Name: name})
}

func change(ctx context.Context, log command.Log, by command.By, id ID, name string, p events.Payload) (uint64, error) {
	for range tries {
		s, err := load(ctx, log, id.Namespace, name)
		if err != nil {
			return 0, err
		}
		if !s.live || s.id != id {
			return 0, fmt.Errorf("%s: %w", name, ErrUnknown)
		}
		seq, err := command.Append(ctx, log, by, p, s.seq)
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
	}
	return 0, fmt.Errorf("%s: %w", name, events.ErrConflict)
}

// Restore brings a deleted repository back. Whether its content is still
// there is for the caller to make sure. ErrTaken, ErrNotDeleted.
func Restore(ctx context.Context, log command.Log, by command.By, id ID, name string) (uint64, error) {
	for range tries {
		s, err := load(ctx, log, id.Namespace, name)
		switch {
		case err != nil:
			return 0, err
		case s.live && s.id == id, s.seq == 0:
			return 0, fmt.Errorf("%s: %w", name, ErrNotDeleted)
		case s.live:
			return 0, fmt.Errorf("%s: %w", name, ErrTaken)
		}
		seq, err := command.Append(ctx, log, by, events.RepositoryRestored{Namespace: id.Namespace, Repository: id.Repository, Name: name}, s.seq)
		if !errors.Is(err, events.ErrConflict) {
			return seq, err
		}
	}
	return 0, fmt.Errorf("%s: %w", name, events.ErrConflict)
}
