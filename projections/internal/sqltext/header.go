// Package sqltext has the SQL that both kinds of store share: statements about
// the tables of a projection, and the header in which a store says what it is.
package sqltext

import (
	"context"
	"database/sql"
	"fmt"

	"hubledger/projections"
)

// A Header is what a store notes of itself: the row of its table _store.
type Header struct {
	Projection string
	Version    int
	Shape      string // projections.Model.Shape
	Generation string // of the log that the store was built from
	Position   uint64
}

// NewHeader is the header of an empty store.
func NewHeader(m *projections.Model, generation string) Header {
	return Header{m.Name, m.Version, m.Shape(), generation, 0}
}

// Check says whether a store with this header is one of m and of a log; an
// empty generation stands for any log. The errors are ErrShape, ErrGeneration.
func (h Header) Check(m *projections.Model, generation string) error {
	if h.Projection != m.Name || h.Version != m.Version {
		return fmt.Errorf("projection %s version %d: the store holds %s version %d", m.Name, m.Version, h.Projection, h.Version)
	}
	if h.Shape != m.Shape() {
		return fmt.Errorf("projection %s version %d: %w", m.Name, m.Version, projections.ErrShape)
	}
	if generation != "" && h.Generation != generation {
		return fmt.Errorf("projection %s: %w: the store's is %q, the log's is %q", m.Name, projections.ErrGeneration, h.Generation, generation)
	}
	return nil
}

// ReadHeader reads the header of a store.
func ReadHeader(ctx context.Context, db *sql.DB) (h Header, err error) {
	var position int64
	err = db.QueryRowContext(ctx, "SELECT projection, version, shape, generation, position FROM _store").
		Scan(&h.Projection, &h.Version, &h.Shape, &h.Generation, &position)
	h.Position = uint64(position)
	return h, err
}

// ReadPosition reads only the position of a store.
func ReadPosition(ctx context.Context, db *sql.DB) (uint64, error) {
	var position int64
	err := db.QueryRowContext(ctx, "SELECT position FROM _store").Scan(&position)
	return uint64(position), err
}

// ReadParked lists the events that a store has parked, by sequence.
func ReadParked(ctx context.Context, db *sql.DB) ([]projections.Parked, error) {
	rows, err := db.QueryContext(ctx, "SELECT seq, subject, type, reason FROM _parked ORDER BY seq")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []projections.Parked
	for rows.Next() {
		var p projections.Parked
		var seq int64
		var subject []byte
		if err := rows.Scan(&seq, &subject, &p.Type, &p.Reason); err != nil {
			return nil, err
		}
		p.Seq, p.Subject = uint64(seq), string(subject)
		list = append(list, p)
	}
	return list, rows.Err()
}
