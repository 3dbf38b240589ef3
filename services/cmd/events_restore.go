package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/cmd/console"
	projectioncmd "hubledger/services/cmd/projections"
	"hubledger/services/server"
	"hubledger/streams/restore"
)

type eventsRestoreCmd struct {
	AcceptLoss  bool   `help:"Restore without a journal: keep the events that the log's own files still have, and lose those after the damage."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the journal." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *eventsRestoreCmd) Help() string {
	return `Use this command when the log guard does not trust the log. The hub must be
stopped. The log is rebuilt from the journal, its second copy, event by event
with the same sequence numbers and leaves. The damaged files and all projections
are moved aside; the next start rebuilds the projections.`
}

func (c *eventsRestoreCmd) Run(s *console.Session) error {
	if _, err := os.Stat(s.Data); err != nil {
		return fmt.Errorf("there is no data directory: %w; name it with --data", err)
	}
	b := s.Bar("restoring the log")
	config := restore.Config{Dir: s.Data, Logger: slog.New(slog.DiscardHandler),
		Progress: func(_ string, done, total int64) { b.Set(done, total, "") }}
	storage := server.Storage(s.Data, c.PostgresURL)
	r, err := c.restore(s.Context, config, storage)
	b.End()
	if err != nil {
		return err
	}
	aside, err := moveAside(s.Context, s.Data, c.PostgresURL, storage, r.Generation.ID)
	if err != nil {
		return fmt.Errorf("the log is restored, but the projections of the old log could not be moved aside: %w", err)
	}
	if s.JSON {
		return s.Print(map[string]any{"generation": r.Generation, "events": r.Events, "salvaged": r.Salvaged, "oldLast": r.OldLast, "aside": r.Aside, "projectionsAside": aside})
	}
	fmt.Fprintf(s.Out, "The log has %d events again, %d of them recovered from its damaged files.\n", r.Events, r.Salvaged)
	if r.OldLast > r.Events {
		fmt.Fprintf(s.Out, "%d events at its end are lost: it once had %d events.\n", r.OldLast-r.Events, r.OldLast)
	}
	fmt.Fprintf(s.Out, "The restored log is generation %s, which follows %s.\n", r.Generation.ID, r.Generation.Previous)
	if r.Aside != "" {
		fmt.Fprintf(s.Out, "The old files are in %s.\n", r.Aside)
	}
	fmt.Fprintln(s.Out, "Start the hub: it rebuilds its projections. If the secrets were lost with the log, set passwords again with `users reset-password NAME`.")
	return nil
}

func (c *eventsRestoreCmd) restore(ctx context.Context, config restore.Config, storage projections.Storage) (restore.Result, error) {
	store, err := projectioncmd.OpenJournal(ctx, storage, config.Logger)
	if c.AcceptLoss {
		if err == nil {
			position, err := store.Position(ctx)
			return restore.Result{}, errors.Join(fmt.Errorf("the journal has %d events: restore the log from it, without --accept-loss", position), err, store.Close())
		}
		return restore.FromFiles(ctx, config)
	}
	if err != nil {
		return restore.Result{}, fmt.Errorf("%w; with --accept-loss the log keeps what its own files still have", err)
	}
	defer store.Close()
	return restore.FromJournal(ctx, config, entries(ctx, store))
}

// entries are all events of the journal with their leaves, in the order of the log.
func entries(ctx context.Context, store projections.Store) iter.Seq2[restore.Entry, error] {
	return func(yield func(restore.Entry, error) bool) {
		var after uint64
		for {
			list, err := journal.List(ctx, store.DB(), journal.Filter{After: after, Limit: 1000})
			if err != nil {
				yield(restore.Entry{}, err)
				return
			}
			if len(list) == 0 {
				return
			}
			for _, e := range list {
				if !yield(restore.Entry{Event: e.Event, Leaf: e.Leaf}, nil) {
					return
				}
				after = e.Seq
			}
		}
	}
}

// moveAside removes the projections of other generations of the log, so that the next
// start rebuilds them. SQLite files are moved to the folder aside; PostgreSQL schemas
// are dropped, since the log has all that is in them.
func moveAside(ctx context.Context, data, postgres string, storage projections.Storage, generation string) (aside string, err error) {
	if postgres == "" {
		aside = filepath.Join(data, "projections.before-"+generation)
		err := os.Rename(filepath.Join(data, "projections"), aside)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return aside, err
	}
	builds, err := storage.List(ctx)
	for _, b := range builds {
		if b.Generation != generation {
			err = errors.Join(err, storage.Drop(ctx, b.Name, b.Version, b.Build))
		}
	}
	return "", err
}
