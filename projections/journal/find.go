package journal

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"hubledger/projections"
)

// Last is the sequence of the latest event, 0 for none.
func Last(ctx context.Context, db projections.DB) (uint64, error) {
	var seq int64
	err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM events`).Scan(&seq)
	return uint64(seq), err
}

// Some reads the events of these sequences in the order of the log, until their data is
// more than most bytes; those that are not there are left out. The text of its statement
// differs each time.
func Some(ctx context.Context, db projections.DB, seqs []uint64, most int) ([]Entry, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	return query(ctx, db, most, selectEntry+` WHERE seq IN (`+numbers(seqs)+`) ORDER BY seq`)
}

// Heads is Some without the data of the events.
func Heads(ctx context.Context, db projections.DB, seqs []uint64) ([]Entry, error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	return heads(ctx, db, ` WHERE seq IN (`+numbers(seqs)+`) ORDER BY seq`)
}

// heads reads what the rest of a statement selects, without the data, which is most of a
// row: in its place a short column is read and forgotten.
func heads(ctx context.Context, db projections.DB, rest string, args ...any) ([]Entry, error) {
	list, err := query(ctx, db, 0, `SELECT seq, subject, type, actor, correlation, time, leaf, head, leaf FROM events`+rest, args...)
	for k := range list {
		list[k].Data = nil
	}
	return list, err
}

func numbers(seqs []uint64) string {
	texts := make([]string, len(seqs))
	for k, seq := range seqs {
		texts[k] = strconv.FormatUint(seq, 10)
	}
	return strings.Join(texts, ",")
}

// OfChain returns at most n sequences of the events of one correlation that are
// behind after and before before; before 0 is no end.
func OfChain(ctx context.Context, db projections.DB, correlation string, after, before uint64, newestFirst bool, n int) ([]uint64, error) {
	return seqs(ctx, db, "correlation", correlationKey(correlation), after, before, newestFirst, n)
}

// OfSubject returns at most n sequences of the events of one aggregate, as
// OfChain does.
func OfSubject(ctx context.Context, db projections.DB, subject string, after, before uint64, newestFirst bool, n int) ([]uint64, error) {
	return seqs(ctx, db, "subject", subject, after, before, newestFirst, n)
}

func seqs(ctx context.Context, db projections.DB, column string, value any, after, before uint64, newestFirst bool, n int) ([]uint64, error) {
	where, direction := fmt.Sprintf("%s = $1 AND seq > %d", column, after), "ASC"
	if before > 0 {
		where += fmt.Sprintf(" AND seq < %d", before)
	}
	if newestFirst {
		direction = "DESC"
	}
	return projections.ListOf(ctx, db, func(row projections.Row) (uint64, error) {
		var seq int64
		err := row.Scan(&seq)
		return uint64(seq), err
	}, fmt.Sprintf(`SELECT seq FROM events WHERE %s ORDER BY seq %s LIMIT %d`, where, direction, n), value)
}

// Created reads the events of a subject by which something of its name was created, the
// latest first, at most n: of a repository, say, each time that the name was used again.
func Created(ctx context.Context, db projections.DB, subject, kind string, n int) ([]Entry, error) {
	return query(ctx, db, 0, selectEntry+` WHERE subject = $1 AND type = $2 ORDER BY seq DESC LIMIT $3`, subject, kind, n)
}

// Chain reads the heads of the events of one correlation behind a sequence, at most n,
// the oldest first.
func Chain(ctx context.Context, db projections.DB, correlation string, after uint64, n int) ([]Entry, error) {
	return heads(ctx, db, ` WHERE correlation = $1 AND seq > $2 ORDER BY seq LIMIT $3`, correlationKey(correlation), int64(after), n)
}
