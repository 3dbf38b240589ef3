package processtest

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"

	"hubledger/projections"
	"hubledger/projections/sqlitestore"
)

// ReadModel opens a read model of the life, which has applied the whole log and
// follows it until the life ends.
func (l *Life) ReadModel(p *projections.Projection) (*sql.DB, *projections.Runner) {
	l.t.Helper()
	ctx := context.Background()
	store, err := sqlitestore.Dir(filepath.Join(l.Dir, "projections")).Open(ctx, p, projections.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	view := projections.NewRunner(projections.RunnerConfig{Store: store, Source: l.Log.Log})
	running, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { view.Run(running) })
	l.Cleanup(func() {
		stop()
		work.Wait()
		if err := store.Close(); err != nil {
			l.t.Error(err)
		}
	})
	last, err := l.Log.LastSeq(ctx)
	if err == nil {
		err = view.Wait(ctx, last)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return store.DB(), view
}
