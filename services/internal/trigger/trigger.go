// Package trigger holds what may be decided about build triggers: URLs that anybody who
// knows them may call, which have the build rules of a repository evaluated again.
package trigger

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/secret"
)

// maxTriggers bounds the triggers of a repository. They are counted in the read model.
const maxTriggers = 20

var (
	// ErrTooMany: the repository has as many triggers as it may.
	ErrTooMany = fmt.Errorf("a repository has at most %d build triggers: delete one that is not called any more", maxTriggers)
	// ErrUnknown: the repository has no trigger of that id.
	ErrUnknown = errors.New("the repository has no such build trigger")
)

// Lists finds the triggers of a repository: builds.Reader.
type Lists interface {
	Triggers(ctx context.Context, repository string) ([]builds.Trigger, error)
}

// Create makes a trigger. Its secret is shown once. ErrTooMany.
func Create(ctx context.Context, log command.Log, by command.By, read Lists, of repository.ID, name string) (made secret.Secret, seq uint64, err error) {
	all, err := read.Triggers(ctx, of.Repository)
	if err != nil {
		return "", 0, err
	}
	if len(all) >= maxTriggers {
		return "", 0, ErrTooMany
	}
	id, err := command.NewID()
	if err != nil {
		return "", 0, err
	}
	made = secret.New()
	seq, err = command.Append(ctx, log, by, events.TriggerCreated{Namespace: of.Namespace, Repository: of.Repository, Trigger: id, Name: name, Hash: made.Hash()}, 0)
	return made, seq, err
}

// Delete ends a trigger, by its id: one of those that delete it at once does. ErrUnknown.
func Delete(ctx context.Context, log command.Log, by command.By, of repository.ID, id string) (uint64, error) {
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return 0, ErrUnknown // it would be part of a subject
	}
	return command.Decide(ctx, log, by, events.TriggerSubject(of.Namespace, id), func(last events.Payload, _ uint64) (events.Payload, error) {
		if created, ok := last.(events.TriggerCreated); !ok || created.Repository != of.Repository {
			return nil, ErrUnknown
		}
		return events.TriggerDeleted{Namespace: of.Namespace, Repository: of.Repository, Trigger: id}, nil
	})
}
