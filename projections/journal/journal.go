// Package journal is the read model that keeps every event of the log, with its
// leaf. It is the audit log, the quick way to the events of one aggregate, and a
// second copy of the log from which other read models can be built.
package journal

import (
	"context"
	"database/sql"
	"encoding/hex"
	"strconv"

	"hubledger/events"
	"hubledger/projections"
)

// entries has a column for each part of an event by which events are searched;
// head has the rest of the envelope.
var entries = &projections.Table{
	Name: "events", Key: 1, Merge: projections.Insert,
	Columns: []projections.Column{
		{Name: "seq", Kind: projections.Int},
		{Name: "subject", Kind: projections.Text},
		{Name: "type", Kind: projections.Text},
		{Name: "actor", Kind: projections.Text},
		{Name: "correlation", Kind: projections.Bytes}, // see correlationKey
		{Name: "time", Kind: projections.Int},
		{Name: "leaf", Kind: projections.Bytes},
		{Name: "head", Kind: projections.Bytes},
		{Name: "data", Kind: projections.Bytes},
	},
	Indexes: [][]string{{"subject", "seq"}, {"correlation", "seq"}},
}

// Projection is the read model. It takes every event, also of types that this
// program does not know and with attributes that our events do not have.
var Projection = projections.Projection{
	Name:    "journal",
	Version: 1,
	Tables:  []*projections.Table{entries},
	Apply:   apply,
	Queries: []projections.Query{{Name: "leaves", Run: leaves}},
}

func apply(e *events.Event, ops *projections.Ops) error {
	leaf := events.LeafOf(e)
	ops.Write(entries,
		projections.IntValue(int64(e.Seq)),
		projections.TextValue(e.Subject),
		projections.TextValue(e.Type()),
		projections.TextValue(e.Actor()),
		projections.BytesValue(correlationKey(e.Correlation())),
		projections.IntValue(timeOf(e)),
		projections.BytesValue(leaf[:]),
		projections.BytesValue(appendHead(nil, e)),
		projections.BytesValue(e.Data))
	return nil
}

// timeOf is the log time as its column has it, 0 for none.
func timeOf(e *events.Event) int64 {
	if t := e.Time(); !t.IsZero() {
		return t.UnixMicro()
	}
	return 0
}

// leaves is enough to compare two journals, because a leaf covers all of an event.
func leaves(ctx context.Context, db *sql.DB, yield func(key, result string) error) error {
	rows, err := db.QueryContext(ctx, `SELECT seq, leaf FROM events`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var leaf []byte
		if err := rows.Scan(&seq, &leaf); err != nil {
			return err
		}
		if err := yield(strconv.FormatInt(seq, 10), hex.EncodeToString(leaf)); err != nil {
			return err
		}
	}
	return rows.Err()
}
