package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/journal"
	"hubledger/projections/sqlitestore"
	"hubledger/projections/trail"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/asof"
	"hubledger/services/server"
	"hubledger/services/server/readmodel"
)

type atCmd struct {
	Name        string `arg:"" help:"Name of the projection, such as images."`
	When        string `arg:"" help:"Time such as 2026-11-01T12:00:00Z, or the sequence of an event such as s12345: the last event that counts."`
	Out         string `arg:"" help:"Directory for the SQLite file, which must not have one of that name yet." type:"path"`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the projections; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *atCmd) Help() string {
	return `Touches neither the log nor the hub, which may be running. The file is read with any SQLite client; it has the tables of this
program's version of the projection, as they would be if the log ended there.`
}

func (c *atCmd) Run(s *console.Session) error {
	p, err := server.ReadModel(c.Name)
	if err != nil {
		return err
	}
	point, err := asof.Parse(c.When)
	if err != nil {
		return err
	}
	storage, quiet := readmodel.Storage(s.Data, c.PostgresURL), slog.New(slog.DiscardHandler)
	kept, err := OpenJournal(s.Context, storage, quiet)
	if err != nil {
		return err
	}
	defer kept.Close()
	source := until{Source: journal.Source{DB: kept.DB()}}
	if source.last, err = c.last(s.Context, storage, source.Source, point, quiet); err != nil {
		return err
	}
	file := filepath.Join(c.Out, sqlitestore.FileName(p, projections.Live))
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: name another directory, or remove it", file)
	}
	b := s.Bar(fmt.Sprintf("building %s as of event %d", p.Name, source.last))
	err = bulk.Rebuild(s.Context, bulk.Config{Projection: p, Storage: sqlitestore.Dir(c.Out), Build: projections.Live, Source: source, Generation: kept.Generation(), Logger: quiet},
		func(done, total uint64) { b.Set(int64(done), int64(total), "events") })
	b.End()
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(map[string]any{"name": p.Name, "version": p.Version, "position": source.last, "file": file})
	}
	_, err = fmt.Fprintf(s.Out, "Built %s version %d as of event %d: %s\n", p.Name, p.Version, source.last, file)
	return err
}

// last is the sequence of the last event that counts.
func (c *atCmd) last(ctx context.Context, storage projections.Storage, kept journal.Source, p asof.Point, logger *slog.Logger) (uint64, error) {
	end, err := kept.LastSeq(ctx)
	if err != nil {
		return 0, err
	}
	log := asof.Log{End: kept}
	if !p.Time.IsZero() {
		found, err := storage.Open(ctx, &trail.Projection, projections.Options{ReadOnly: true, Logger: logger})
		if err != nil {
			return 0, fmt.Errorf("open the projection trail, by which events are found by their times: %w", err)
		}
		defer found.Close()
		log.Times = trail.Reader{DB: found.DB()}
	}
	seq, err := log.Last(ctx, p)
	if err == nil && seq == 0 {
		err = fmt.Errorf("the log of this hub has no event that old: it begins later than %s", p)
	}
	return min(seq, end), err
}

// until is a log that ends with an event.
type until struct {
	journal.Source
	last uint64
}

// LastSeq implements projections.Source.
func (u until) LastSeq(context.Context) (uint64, error) { return u.last, nil }
