package projectiontest

import (
	"context"
	"database/sql"
)

// A Planned is a DB that records the plan of each query before it runs it: Plans
// are the lines of SQLite's EXPLAIN QUERY PLAN so far.
type Planned struct {
	*sql.DB
	Plans []string
	Err   error
}

func (p *Planned) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	p.explain(ctx, query, args)
	return p.DB.QueryContext(ctx, query, args...)
}

func (p *Planned) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	p.explain(ctx, query, args)
	return p.DB.QueryRowContext(ctx, query, args...)
}

func (p *Planned) explain(ctx context.Context, query string, args []any) {
	rows, err := p.DB.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		p.Err = err
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if p.Err = rows.Scan(&id, &parent, &unused, &detail); p.Err != nil {
			return
		}
		p.Plans = append(p.Plans, detail)
	}
}
