package server

import (
	"context"
	"database/sql"
)

// QueryContext and QueryRowContext read the live build. A switch waits for
// queries that are starting, and new queries wait for the end of a switch.
func (m *readModel) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	m.switching.RLock()
	defer m.switching.RUnlock()
	if stmt := m.current.prepared(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return m.current.store.DB().QueryContext(ctx, query, args...)
}

func (m *readModel) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	m.switching.RLock()
	defer m.switching.RUnlock()
	if stmt := m.current.prepared(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return m.current.store.DB().QueryRowContext(ctx, query, args...)
}

// An unprepared read model prepares no statements: its queries are built for each
// request, so that there would be too many to keep.
type unprepared struct{ *readModel }

func (m unprepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	m.switching.RLock()
	defer m.switching.RUnlock()
	return m.current.store.DB().QueryContext(ctx, query, args...)
}

func (m unprepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
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
