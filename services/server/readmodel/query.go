package readmodel

import (
	"context"
	"database/sql"
)

// QueryContext reads the live build. A switch waits for queries that are starting,
// and new queries wait for the end of a switch.
func (m *Model) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	m.switching.RLock()
	defer m.switching.RUnlock()
	if stmt := m.current.prepared(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return m.current.store.DB().QueryContext(ctx, query, args...)
}

// QueryRowContext is as QueryContext, for one row.
func (m *Model) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	m.switching.RLock()
	defer m.switching.RUnlock()
	if stmt := m.current.prepared(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return m.current.store.DB().QueryRowContext(ctx, query, args...)
}

// An Unprepared model prepares no statements: its queries are built for each
// request, so that there would be too many to keep.
type Unprepared struct{ *Model }

// QueryContext is as that of Model.
func (m Unprepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	m.switching.RLock()
	defer m.switching.RUnlock()
	return m.current.store.DB().QueryContext(ctx, query, args...)
}

// QueryRowContext is as that of Model.
func (m Unprepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	m.switching.RLock()
	defer m.switching.RUnlock()
	return m.current.store.DB().QueryRowContext(ctx, query, args...)
}

// prepared is the prepared statement of a query, made once. It is nil when that
// fails; running the query then shows why. Queries are constants of the read
// models, so their number is bounded.
func (r *running) prepared(ctx context.Context, query string) *sql.Stmt {
	if stmt, ok := r.statements.Load(query); ok {
		return stmt.(*sql.Stmt)
	}
	stmt, err := r.store.DB().PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	if other, loaded := r.statements.LoadOrStore(query, stmt); loaded {
		stmt.Close()
		return other.(*sql.Stmt)
	}
	return stmt
}
