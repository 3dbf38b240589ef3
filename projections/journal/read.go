package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"hubledger/events"
	"hubledger/projections"
)

// ErrNotFound: the journal has no event of that sequence.
var ErrNotFound = errors.New("no such event in the journal")

// An Entry is an event with its leaf.
type Entry struct {
	events.Event
	Leaf events.Leaf

	misplaced bool
}

// Findable says whether the columns by which the event is found are those of the event.
// Otherwise its row was changed.
func (e *Entry) Findable() bool { return !e.misplaced }

const selectEntry = `SELECT seq, subject, type, actor, correlation, time, leaf, head, data FROM events`

// Event reads one event. The error wraps ErrNotFound.
func Event(ctx context.Context, db projections.DB, seq uint64) (*Entry, error) {
	list, err := query(ctx, db, 1, selectEntry+` WHERE seq = $1`, int64(seq))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("event %d: %w", seq, ErrNotFound)
	}
	return &list[0], nil
}

// Leaf reads the leaf of one event. The error wraps ErrNotFound.
func Leaf(ctx context.Context, db projections.DB, seq uint64) (leaf events.Leaf, err error) {
	var b []byte
	err = db.QueryRowContext(ctx, `SELECT leaf FROM events WHERE seq = $1`, int64(seq)).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return leaf, fmt.Errorf("leaf of event %d: %w", seq, err)
	}
	copy(leaf[:], b)
	return leaf, nil
}

// ByAggregate reads all events of one aggregate, oldest first, for a fold of
// its state.
func ByAggregate(ctx context.Context, db *sql.DB, subject string) ([]Entry, error) {
	return query(ctx, db, 0, selectEntry+` WHERE subject = $1 ORDER BY seq`, subject)
}

// Filter says which entries List returns. Empty fields do not filter.
type Filter struct {
	After       uint64 // continue after this sequence, in the direction of the listing
	Limit       int    // 0 means 100
	NewestFirst bool
	Subject     string // prefix
	Type        string
	Actor       string
	Correlation string
}

// maxListed bounds the data of one answer of List in bytes.
const maxListed = 16 << 20

// List reads entries by sequence. An answer ends early when its data comes to
// 16 MiB; the list is at its end only when an answer is empty.
func List(ctx context.Context, db projections.DB, f Filter) ([]Entry, error) {
	var where []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	order := "seq"
	switch {
	case f.NewestFirst && f.After > 0:
		add("seq < $%d", int64(f.After))
	case f.After > 0:
		add("seq > $%d", int64(f.After))
	}
	if f.NewestFirst {
		order = "seq DESC"
	}
	if f.Subject != "" {
		add("subject >= $%d", f.Subject)
		if end, ok := afterPrefix(f.Subject); ok {
			add("subject < $%d", end)
		}
	}
	if f.Type != "" {
		add("type = $%d", f.Type)
	}
	if f.Actor != "" {
		add("actor = $%d", f.Actor)
	}
	if f.Correlation != "" {
		add("correlation = $%d", correlationKey(f.Correlation))
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	statement := selectEntry
	if len(where) > 0 {
		statement += " WHERE " + strings.Join(where, " AND ")
	}
	return query(ctx, db, maxListed, fmt.Sprintf("%s ORDER BY %s LIMIT %d", statement, order, f.Limit), args...)
}

// afterPrefix is the first text in byte order that comes after all texts with
// that prefix; subjects are ASCII.
func afterPrefix(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0x7f {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}

// query reads entries until their data is more than most bytes, 0 for all.
func query(ctx context.Context, db projections.DB, most int, statement string, args ...any) ([]Entry, error) {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Entry
	size := 0
	for rows.Next() {
		list = append(list, Entry{})
		e := &list[len(list)-1]
		if err := scan(rows, e); err != nil {
			return nil, err
		}
		if size += len(e.Data); most > 0 && size >= most {
			return list, nil
		}
	}
	return list, rows.Err()
}

func scan(rows *sql.Rows, e *Entry) error {
	var seq int64
	var c columns
	var leaf, head []byte
	if err := rows.Scan(&seq, &c.subject, &c.kind, &c.actor, &c.correlation, &c.time, &leaf, &head, &e.Data); err != nil {
		return err
	}
	e.Seq = uint64(seq)
	copy(e.Leaf[:], leaf)
	if err := readHead(head, c, &e.Event); err != nil {
		return fmt.Errorf("event %d: %w", seq, err)
	}
	e.misplaced = !c.are(&e.Event)
	return nil
}
