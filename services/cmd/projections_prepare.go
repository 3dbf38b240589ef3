package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/journal"
	"hubledger/services/server"
)

type projectionsPrepareCmd struct {
	Name        string `arg:"" help:"Name of the projection, such as images."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the projections; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *projectionsPrepareCmd) Help() string {
	return `Touches neither the log nor the running hub. If the hub runs the same version of the projection, make the build live with
` + "`projections switch`" + `. If this program has another version, the build is used as
soon as the hub is started with this program.`
}

func (c *projectionsPrepareCmd) Run(s *session) error {
	p, err := server.ReadModel(c.Name)
	if err != nil {
		return err
	}
	place := server.Storage(s.data, c.PostgresURL)
	quiet := slog.New(slog.DiscardHandler)
	copied, err := openJournal(s.ctx, place, quiet)
	if err != nil {
		return err
	}
	defer copied.Close()
	build, err := nextBuild(s.ctx, place, p)
	if err != nil {
		return err
	}
	b := s.bar("preparing " + p.Name)
	err = bulk.Prepare(s.ctx, bulk.Config{Projection: p, Storage: place, Build: build,
		Source: journal.Source{DB: copied.DB()}, Generation: copied.Generation(), Logger: quiet},
		func(done, total uint64) { b.set(int64(done), int64(total), "events") })
	b.end()
	if err != nil {
		return err
	}
	position, err := copied.Position(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		return s.print(map[string]any{"name": p.Name, "version": p.Version, "build": build, "position": position})
	}
	then := "`projections switch " + p.Name + "` makes it live"
	if build == projections.Live {
		then = "restarting the hub with this program makes it live"
	}
	_, err = fmt.Fprintf(s.out, "Prepared %s version %d up to event %d; `projections compare %s` compares it, %s.\n", p.Name, p.Version, position, p.Name, then)
	return err
}

func openJournal(ctx context.Context, place projections.Storage, log *slog.Logger) (projections.Store, error) {
	store, err := place.Open(ctx, &journal.Projection, projections.Options{ReadOnly: true, Logger: log})
	if errors.Is(err, projections.ErrNoBuild) || errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no journal here: name the hub's data directory with --data")
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return store, nil
}

// nextBuild is where a build goes that shall not disturb the live one: beside
// it when that is of the same version, else it is this version's first.
func nextBuild(ctx context.Context, place projections.Storage, p *projections.Projection) (projections.Build, error) {
	builds, err := place.List(ctx)
	for _, b := range builds {
		if b.Name == p.Name && b.Version == p.Version && b.Build == projections.Live {
			return projections.Next, err
		}
	}
	return projections.Live, err
}
