package builds

import (
	"context"
	"time"

	"hubledger/projections"
)

// A Trigger is a build trigger of a repository.
type Trigger struct {
	ID, Namespace, Repository string // ids
	Name                      string
	Created                   time.Time
	CreatedBy                 string
	Seq                       uint64
}

const triggerColumns = `SELECT h.trigger, h.namespace, h.repository, h.name, h.time, h.actor, h.seq FROM triggers h WHERE h.live = 1 AND `

func scanTrigger(row projections.Row) (Trigger, error) {
	var t Trigger
	var id, namespace, repository []byte
	var at int64
	err := row.Scan(&id, &namespace, &repository, &t.Name, &at, &t.CreatedBy, &t.Seq)
	t.ID, t.Namespace, t.Repository, t.Created = projections.IDOf(id), projections.IDOf(namespace), projections.IDOf(repository), timeOf(at)
	return t, err
}

// Triggers are those of a repository, by its id, in the order in which they were made.
func (r Reader) Triggers(ctx context.Context, repository string) ([]Trigger, error) {
	raw, err := key(repository)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanTrigger, triggerColumns+`h.repository = $1 ORDER BY h.seq`, raw)
}

// TriggerOf is the trigger with a secret of that SHA-256; ErrNotFound.
func (r Reader) TriggerOf(ctx context.Context, hash []byte) (*Trigger, error) {
	t, err := scanTrigger(r.DB.QueryRowContext(ctx, triggerColumns+`h.hash = $1`, hash))
	return one(&t, err)
}

// IsWaiting says whether a build of a commit of a source's ref waits, in a repository.
func (r Reader) IsWaiting(ctx context.Context, repository, source, ref, commit string) (waits bool, err error) {
	raw, err := key(repository)
	if err != nil {
		return false, err
	}
	from, err := key(source)
	if err != nil {
		return false, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM states s JOIN queued q ON q.build = s.build WHERE s.state = $1 AND q.repository = $2 AND q.source = $3 AND q.ref = $4 AND q.commit_id = $5)`,
		Waiting, raw, from, projections.Stored(ref), commit).Scan(&waits)
	return waits, err
}
