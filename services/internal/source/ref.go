package source

import (
	"context"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// Move says where a ref points to now: at a commit, or nowhere when commit is "".
// It decides by the ref's own latest event, so that several sweeps at once record
// each move once. seq is 0 when there is nothing to say.
func Move(ctx context.Context, log command.Log, by command.By, now events.RefMoved) (seq uint64, moved bool, err error) {
	seq, err = command.Decide(ctx, log, by, now.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		before, _ := last.(events.RefMoved)
		if moved = before.New != now.New || before.Annotated != now.Annotated; !moved {
			return nil, nil
		}
		next := now
		next.Old = before.New
		return next, nil
	})
	return seq, moved && err == nil, err
}

// Record says that the first sweep of a source is complete.
func Record(ctx context.Context, log command.Log, by command.By, id ID, refs int) (uint64, error) {
	p := events.RefsRecorded{Namespace: id.Namespace, Source: id.Source, Refs: refs}
	return command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if last != nil {
			return nil, nil
		}
		return p, nil
	})
}
