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

func (c *eventsRestoreCmd) Run(s *session) error {
	if _, err := os.Stat(s.data); err != nil {
		return fmt.Errorf("there is no data directory: %w; name it with --data", err)
	}
	b := s.bar("restoring the log")
	config := restore.Config{Dir: s.data, Logger: slog.New(slog.DiscardHandler),
		Progress: func(_ string, done, total int64) { b.set(done, total, "") }}
	place := server.Storage(s.data, c.PostgresURL)
	r, err := c.restore(s.ctx, config, place)
	b.end()
	if err != nil {
		return err
	}
	aside, err := retire(s.ctx, s.data, c.PostgresURL, place, r.Generation.ID)
	if err != nil {
		return fmt.Errorf("the log is restored, but the projections of the old log could not be moved aside: %w", err)
	}
	if s.json {
		return s.print(map[string]any{"generation": r.Generation, "events": r.Events, "salvaged": r.Salvaged, "oldLast": r.OldLast, "aside": r.Aside, "projectionsAside": aside})
	}
	fmt.Fprintf(s.out, "The log has %d events again, %d of them recovered from its damaged files.\n", r.Events, r.Salvaged)
	if r.OldLast > r.Events {
		fmt.Fprintf(s.out, "%d events at its end are lost: it once had %d events.\n", r.OldLast-r.Events, r.OldLast)
	}
	fmt.Fprintf(s.out, "The restored log is generation %s, which follows %s.\n", r.Generation.ID, r.Generation.Previous)
	if r.Aside != "" {
		fmt.Fprintf(s.out, "The old files are in %s.\n", r.Aside)
	}
	fmt.Fprintln(s.out, "Start the hub: it rebuilds its projections. If the secrets were lost with the log, set passwords again with `users reset-password NAME`.")
	return nil
}

func (c *eventsRestoreCmd) restore(ctx context.Context, config restore.Config, place projections.Storage) (restore.Result, error) {
	store, err := openJournal(ctx, place, config.Logger)
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
	return restore.FromJournal(ctx, config, copied(ctx, store))
}

// copied is the journal as the log's second copy.
func copied(ctx context.Context, store projections.Store) iter.Seq2[restore.Entry, error] {
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

// retire takes projections of another generation out of the way: SQLite files
// are moved aside, schemas dropped, since the log has all that is in them.
func retire(ctx context.Context, data, postgres string, place projections.Storage, generation string) (aside string, err error) {
	if postgres == "" {
		aside = filepath.Join(data, "projections.before-"+generation)
		err := os.Rename(filepath.Join(data, "projections"), aside)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return aside, err
	}
	builds, err := place.List(ctx)
	for _, b := range builds {
		if b.Generation != generation {
			err = errors.Join(err, place.Drop(ctx, b.Name, b.Version, b.Build))
		}
	}
	return "", err
}
