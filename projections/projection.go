// Package projections turns the log into tables. A read model declares its
// tables and a pure Apply; a Runner keeps its store up with the log.
//
// The packages below it stand on it: sqlitestore and pgstore are the two kinds
// of store, bulk rebuilds a store from the whole log, and accounts, catalog,
// images and journal are the read models. Package lead is independent of them: it
// makes one of several nodes the leader.
package projections

import (
	"context"

	"hubledger/events"
)

// Source is the log as a projection sees it.
type Source interface {
	// LastSeq is the sequence of the log's last event, 0 when it is empty.
	LastSeq(ctx context.Context) (uint64, error)
	// Follow calls fn with every event after the given sequence, in order and
	// without gaps, in batches of at most max events. It does not wait for a
	// batch to fill: what has arrived is handed over. It returns the error of
	// fn or ctx, or that of a log that cannot be read on. fn may keep the events.
	Follow(ctx context.Context, after uint64, max int, fn func(batch []events.Event) error) error
}

// A Projection is a read model: tables, and how an event changes them.
type Projection struct {
	Name    string   // lower-case letters; names the file or schema
	Version int      // raised with every change of Tables or Apply
	Tables  []*Table // all that Apply writes
	// Searches are further tables, which the store fills from these.
	Searches []*Search
	// Types are the event types that Apply handles. Types of other families
	// are ignored; a newer version of a family listed here is refused, the event parked.
	// Nil: Apply gets every event, whatever its type.
	Types []string
	// Apply is deterministic and does no I/O: it sees one event and nothing
	// else. What it writes commutes with what events of other aggregates write.
	Apply func(e *events.Event, ops *Ops) error
	// Queries are the named queries by which Compare compares two builds.
	Queries []Query
}

// Kind is a column's type: BIGINT, BYTEA/BLOB or TEXT in byte order.
type Kind uint8

const (
	Int   Kind = iota // 64 bits, signed; times are microseconds since 1970 UTC
	Bytes             // digests are 32 or 64 bytes, UUIDs 16
	Text              // sorted by bytes on either store; U+0000 is replaced by U+FFFD
)

// A Column of a table. None is ever NULL.
type Column struct {
	Name string
	Kind Kind
}

// Merge is what writing a row means when its key is already there. It belongs
// to the table, so that rows can be batched, folded and bulk-loaded.
type Merge uint8

const (
	Insert Merge = iota // the row that is there stays: history
	Put                 // the row with the higher "seq" column wins
	Add                 // the columns after the key are added up
	Max                 // each column after the key keeps its larger value
)

// A Table of a read model. There are no foreign keys, checks or secondary
// unique indexes: they would make the order of loading matter.
type Table struct {
	Name    string
	Columns []Column // the key's columns first
	Key     int      // how many columns are the primary key
	Merge   Merge    // Put needs an Int column named "seq"; Add and Max only Int columns after the key
	Indexes [][]string
}
