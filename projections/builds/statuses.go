package builds

import (
	"context"

	"hubledger/projections"
)

// owed are the events that queued builds of whose end a git host is to be told: those of
// live sources that want it, queued since they do, and not settled.
const owed = `SELECT u.seq FROM reports o JOIN sources t ON t.source = o.source AND t.live = 1
	JOIN unreported u ON u.source = o.source AND u.pending > 0 AND u.seq > o.seq WHERE o.wanted = 1`

// Unreported lists at most n builds of whose end a git host is to be told, and has not
// been, those that were queued first before others.
func (r Reader) Unreported(ctx context.Context, n int) ([]Build, error) {
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`WHERE q.seq IN (`+owed+`) ORDER BY q.seq LIMIT $1`, n)
}

// UnreportedOf lists those of one commit by one rule of a repository, by the ids of the
// repository and of the git source.
func (r Reader) UnreportedOf(ctx context.Context, repository, source, commit, rule string) ([]Build, error) {
	of, err := key(repository)
	if err != nil {
		return nil, err
	}
	from, err := key(source)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`WHERE q.source = $1 AND q.commit_id = $2 AND q.repository = $3 AND q.rule = $4
		AND q.seq IN (`+owed+` AND o.source = $1) ORDER BY q.seq`, from, projections.Stored(commit), of, projections.Stored(rule))
}
