package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/journal"
	"hubledger/services/cmd/console"
	"hubledger/services/server"
	"hubledger/services/server/readmodel"
)

type prepareCmd struct {
	Name        string `arg:"" help:"Name of the projection, such as images."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the projections; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *prepareCmd) Help() string {
	return `Touches neither the log nor the running hub. If the hub runs the same version of the projection, make the build live with
` + "`hubledger projections switch`" + `. If this program has another version, the build is used as
soon as the hub is started with this program.`
}

func (c *prepareCmd) Run(s *console.Session) error {
	p, err := server.ReadModel(c.Name)
	if err != nil {
		return err
	}
	defer s.OwnFiles("registry")()
	storage := readmodel.Storage(s.Data, c.PostgresURL)
	quiet := slog.New(slog.DiscardHandler)
	events, err := OpenJournal(s.Context, storage, quiet)
	if err != nil {
		return err
	}
	defer events.Close()
	builds, err := storage.List(s.Context)
	if err != nil {
		return err
	}
	if err := wholeJournal(s.Context, events, builds); err != nil {
		return err
	}
	build, known := nextBuild(builds, p)
	b := s.Bar("preparing " + p.Name)
	err = bulk.Prepare(s.Context, bulk.Config{Projection: p, Storage: storage, Build: build,
		Source: journal.Source{DB: events.DB()}, Generation: events.Generation(), Logger: quiet},
		func(done, total uint64) { b.Set(int64(done), int64(total), "events") })
	b.End()
	if err != nil {
		return err
	}
	position, err := events.Position(s.Context)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(map[string]any{"name": p.Name, "version": p.Version, "build": build, "position": position})
	}
	compare, then := "`hubledger projections compare "+p.Name+"` compares it, ", "`hubledger projections switch "+p.Name+"` makes it live"
	if build == projections.Live {
		then = "restarting the hub with this program makes it live"
	}
	if !known {
		compare = "the running hub has nothing of that name to compare it with, "
	}
	_, err = fmt.Fprintf(s.Out, "Prepared %s version %d up to event %d; %s%s.\n", p.Name, p.Version, position, compare, then)
	return err
}

// OpenJournal opens the journal of a hub for reading. The hub may be running.
func OpenJournal(ctx context.Context, storage projections.Storage, log *slog.Logger) (projections.Store, error) {
	store, err := storage.Open(ctx, &journal.Projection, projections.Options{ReadOnly: true, Logger: log})
	if errors.Is(err, projections.ErrNoBuild) || errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no journal here: name the hub's data directory with --data")
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return store, nil
}

// wholeJournal refuses a journal that stays behind another build of the same log:
// what is prepared from it would lack events.
func wholeJournal(ctx context.Context, events projections.Store, builds []projections.Info) error {
	var ahead projections.Info
	for _, b := range builds {
		if b.Generation == events.Generation() && b.Position > ahead.Position {
			ahead = b
		}
	}
	for try := 0; ; try++ {
		position, err := events.Position(ctx)
		if err != nil || position >= ahead.Position {
			return err
		}
		if try == journalTries {
			return fmt.Errorf("the journal ends at event %d, but projection %s version %d has event %d: a build from it would lack events. Start the hub, which brings the journal up to the end of the log, and see `hubledger status`",
				position, ahead.Name, ahead.Version, ahead.Position)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(journalPause):
		}
	}
}

// The journal of a running hub is given this time to come up with the others: each
// follows the log by itself.
const (
	journalTries = 50
	journalPause = 100 * time.Millisecond
)

// nextBuild is the build that prepare makes, which is never one that the hub uses: Next
// if the live build has the same version, else Live, because a hub with another
// version does not open it. known says whether there is any build of that name.
func nextBuild(builds []projections.Info, p *projections.Projection) (build projections.Build, known bool) {
	build = projections.Live
	for _, b := range builds {
		known = known || b.Name == p.Name
		if b.Name == p.Name && b.Version == p.Version && b.Build == projections.Live {
			build = projections.Next
		}
	}
	return build, known
}
