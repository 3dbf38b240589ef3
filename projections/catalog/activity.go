package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"hubledger/projections"
)

// A kind is the type of an event as a number in the table activity. A number
// keeps its meaning for ever.
type kind int64

const (
	repositoryCreated kind = iota + 1
	repositoryDeleted
	repositoryRestored
	visibilityChanged
	repositoryDescribed
	imagePushed
	tagDeleted
	tagRestored
	manifestDeleted
	manifestRestored
)

var kindNames = [...]string{"", "repository.created", "repository.deleted", "repository.restored",
	"repository.visibility_changed", "repository.described", "image.pushed", "tag.deleted", "tag.restored",
	"manifest.deleted", "manifest.restored"}

// An Activity is one thing that happened to a repository.
type Activity struct {
	Seq   uint64 // of the event
	Time  time.Time
	Actor string // login name
	Kind  string // the event's type without its version, such as "image.pushed", which image.tagged counts as, and repository.summary_changed as repository.described
	What  string // the tag, the digest where there is none, or the new visibility; "" otherwise
}

// Activity lists what happened to a repository before the event of that
// sequence, or until now if it is 0: newest first, at most n.
func (r Reader) Activity(ctx context.Context, repo string, before uint64, n int) ([]Activity, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	if before == 0 || before > math.MaxInt64 {
		before = math.MaxInt64
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT seq, time, actor, kind, what FROM activity
		WHERE repo = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`, id, int64(before), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Activity
	for rows.Next() {
		var a Activity
		var at, k int64
		if err := rows.Scan(&a.Seq, &at, &a.Actor, &k, &a.What); err != nil {
			return nil, err
		}
		a.Time = timeOf(at)
		if k > 0 && k < int64(len(kindNames)) {
			a.Kind = kindNames[k]
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// PublicSince is the sequence of the event that made a repository public the
// last time, which may be its creation; ErrNotFound when it is not public.
func (r Reader) PublicSince(ctx context.Context, repo string) (uint64, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return 0, err
	}
	var seq int64
	err = r.DB.QueryRowContext(ctx, `SELECT seq FROM visibilities WHERE repo = $1 AND public = 1`, id).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("public repository %s: %w", repo, ErrNotFound)
	}
	return uint64(seq), err
}

// timeOf is the time that a column holds in microseconds; the zero time for 0.
func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
