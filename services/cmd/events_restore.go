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
	"hubledger/streams"
)

type eventsRestoreCmd struct {
	AcceptLoss  bool   `help:"There is no journal to restore from: keep what the log's own files still have, and give up what lies behind the damage."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL that has the journal." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *eventsRestoreCmd) Help() string {
	return `For a log that the guard does not trust. The hub must be stopped. The log is made
anew from the journal, its second copy, event by event and with the same
sequences and leaves; the damaged files are moved aside. All projections are
moved aside as well and are rebuilt at the next start.`
}

func (c *eventsRestoreCmd) Run(s *session) error {
	if _, err := os.Stat(s.data); err != nil {
		return fmt.Errorf("no data directory: %w", err)
	}
	b := s.bar("restoring the log")
	config := streams.Config{Dir: s.data, Logger: slog.New(slog.DiscardHandler),
		Progress: func(_ string, done, total int64) { b.set(done, total, "") }}
	place := server.Storage(s.data, c.PostgresURL)
	r, err := c.restore(s.ctx, config, place)
	b.end()
	if err != nil {
		return err
	}
	aside, err := retire(s.ctx, s.data, c.PostgresURL, place, r.Generation.ID)
	if err != nil {
		return fmt.Errorf("the log is restored, but the projections of the old one are still there: %w", err)
	}
	if s.json {
		return s.print(map[string]any{"generation": r.Generation, "events": r.Events, "salvaged": r.Salvaged, "oldLast": r.OldLast, "aside": r.Aside, "projectionsAside": aside})
	}
	fmt.Fprintf(s.out, "The log has %d events again, %d of them taken over from its damaged files.\n", r.Events, r.Salvaged)
	if r.OldLast > r.Events {
		fmt.Fprintf(s.out, "%d events at its end are lost: it once had %d.\n", r.OldLast-r.Events, r.OldLast)
	}
	fmt.Fprintf(s.out, "It is generation %s, which follows %s.\n", r.Generation.ID, r.Generation.Previous)
	if r.Aside != "" {
		fmt.Fprintf(s.out, "The old files are in %s.\n", r.Aside)
	}
	fmt.Fprintln(s.out, "Start the hub: it rebuilds its projections. If the files of the secrets were lost with the log, passwords are gone: users reset-password NAME.")
	return nil
}

func (c *eventsRestoreCmd) restore(ctx context.Context, config streams.Config, place projections.Storage) (streams.Restored, error) {
	store, err := openJournal(ctx, place, config.Logger)
	if c.AcceptLoss {
		if err == nil {
			position, err := store.Position(ctx)
			return streams.Restored{}, errors.Join(fmt.Errorf("the journal has %d events: restore the log from it, without --accept-loss", position), err, store.Close())
		}
		return streams.Accept(ctx, config)
	}
	if err != nil {
		return streams.Restored{}, fmt.Errorf("%w; with --accept-loss the log keeps what its own files still have", err)
	}
	defer store.Close()
	return streams.Restore(ctx, config, copied(ctx, store))
}

// copied is the journal as the log's second copy.
func copied(ctx context.Context, store projections.Store) iter.Seq2[streams.Entry, error] {
	return func(yield func(streams.Entry, error) bool) {
		var after uint64
		for {
			list, err := journal.List(ctx, store.DB(), journal.Filter{After: after, Limit: 1000})
			if err != nil {
				yield(streams.Entry{}, err)
				return
			}
			if len(list) == 0 {
				return
			}
			for _, e := range list {
				if !yield(streams.Entry{Event: e.Event, Leaf: e.Leaf}, nil) {
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
