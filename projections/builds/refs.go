package builds

import (
	"context"
	"time"

	"hubledger/events"
	"hubledger/projections"
)

// PullRequest is the kind of refs that pull requests are.
const PullRequest = "pull_request"

// A Ref is where a branch or tag of a source points to, or where a pull request stands.
type Ref struct {
	Name      string              // full, such as refs/heads/main
	Kind      string              // events.RefBranch, events.RefTag or PullRequest
	Commit    string              // "" when it was deleted
	Previous  string              // commit before the latest move, "" when there was no such ref
	Annotated string              // id of the tag object of an annotated tag
	Initial   bool                // it has not moved since the first sweep
	Pull      *events.PullRequest // nil for a branch or tag
	Moved     time.Time
	Event     string // id of the latest move
	Seq       uint64 // its sequence
}

const refColumns = `SELECT r.ref, r.kind, r.commit_id, r.previous, r.annotated, r.initial, r.pull, r.time, r.event, r.seq FROM refs r `

func scanRef(row projections.Row) (Ref, error) {
	var r Ref
	var moved int64
	var pull string
	err := row.Scan(&r.Name, &r.Kind, &r.Commit, &r.Previous, &r.Annotated, &r.Initial, &pull, &moved, &r.Event, &r.Seq)
	if err == nil {
		r.Pull, err = optionalOf[events.PullRequest](pull)
	}
	r.Moved = timeOf(moved)
	return r, err
}

// Refs lists at most n branches and tags of a source, those that moved last first, from
// before a sequence on; 0 is the beginning. Deleted ones are among them.
func (r Reader) Refs(ctx context.Context, source string, before uint64, n int) ([]Ref, error) {
	return r.listRefs(ctx, `r.pull = ''`, source, before, n)
}

func (r Reader) listRefs(ctx context.Context, which, source string, before uint64, n int) ([]Ref, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = 1<<63 - 1
	}
	return projections.ListOf(ctx, r.DB, scanRef, refColumns+`WHERE `+which+` AND r.source = $1 AND r.seq < $2 ORDER BY r.seq DESC LIMIT $3`, raw, int64(before), n)
}

// Ref is one ref of a source by its full name; ErrNotFound.
func (r Reader) Ref(ctx context.Context, source, name string) (*Ref, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	ref, err := scanRef(r.DB.QueryRowContext(ctx, refColumns+`WHERE r.source = $1 AND r.ref = $2`, raw, projections.Stored(name)))
	return one(&ref, err)
}

// A Place is where a ref points to: a commit and, of an annotated tag, its tag object.
type Place struct{ Commit, Annotated string }

// Places are all branches and tags of a source that were not deleted, by full name.
func (r Reader) Places(ctx context.Context, source string) (map[string]Place, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	type placed struct {
		name string
		Place
	}
	list, err := projections.ListOf(ctx, r.DB, func(row projections.Row) (p placed, err error) {
		err = row.Scan(&p.name, &p.Commit, &p.Annotated)
		return p, err
	}, `SELECT r.ref, r.commit_id, r.annotated FROM refs r WHERE r.source = $1 AND r.commit_id <> '' AND r.pull = ''`, raw)
	places := make(map[string]Place, len(list))
	for _, p := range list {
		places[p.name] = p.Place
	}
	return places, err
}

// A Hook is the event of a webhook.
type Hook struct {
	Event  string // id
	Digest string // of its body; only of Seen
	Seq    uint64
}

// LatestHook is the latest webhook of a source that is no ping; ErrNotFound.
func (r Reader) LatestHook(ctx context.Context, source string) (*Hook, error) {
	raw, err := key(source)
	if err != nil {
		return nil, err
	}
	var h Hook
	err = r.DB.QueryRowContext(ctx, `SELECT d.event, d.seq FROM deliveries d WHERE d.source = $1 AND d.ping = 0 ORDER BY d.seq DESC LIMIT 1`, raw).Scan(&h.Event, &h.Seq)
	return one(&h, err)
}

// LastHeard is when the latest webhook of a source came, a ping or not; the zero
// time when none did.
func (r Reader) LastHeard(ctx context.Context, source string) (time.Time, error) {
	raw, err := key(source)
	if err != nil {
		return time.Time{}, err
	}
	var at int64
	err = r.DB.QueryRowContext(ctx, `SELECT COALESCE((SELECT d.time FROM deliveries d WHERE d.source = $1 ORDER BY d.seq DESC LIMIT 1), 0)`, raw).Scan(&at)
	if err != nil || at == 0 {
		return time.Time{}, err
	}
	return timeOf(at), nil
}
