package process

import (
	"context"
	"database/sql"
	"time"

	"hubledger/services/internal/operations"
)

// A Try is what is known of a task that has failed at least once and is tried again.
type Try struct {
	Attempts int
	Next     time.Time // of the next attempt
	Error    string    // of the latest one
}

// Tries are those of a manager, by the keys of their tasks, as far as these begin with
// a prefix. Every node knows them.
func Tries(ctx context.Context, store *operations.Store, manager, prefix string) (map[string]Try, error) {
	list := map[string]Try{}
	err := store.Query(ctx, func(rows *sql.Rows) error {
		var key string
		var t Try
		var next int64
		err := rows.Scan(&key, &t.Attempts, &next, &t.Error)
		t.Next = operations.Time(next)
		list[key] = t
		return err
	}, `SELECT task, attempts, next, error FROM tasks WHERE manager = $1 AND error <> '' AND substr(task, 1, length(CAST($2 AS TEXT))) = $2`, manager, prefix)
	return list, err
}
