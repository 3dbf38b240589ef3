package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"

	"hubledger/projections"
	"hubledger/projections/journal"
	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/adminsocket"
	"hubledger/services/server"
	"hubledger/services/server/readmodel"
)

type compareCmd struct {
	Name        string `arg:"" help:"Name of the projection, such as images."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the projections; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *compareCmd) Help() string {
	return `Runs the projection's named queries on the running hub and on the prepared build,
both at the same event. Exit code 4 if any answers differ.`
}

func (c *compareCmd) Run(s *console.Session) error {
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
	prepared, err := openPrepared(s.Context, storage, p, events.Generation(), quiet)
	if err != nil {
		return err
	}
	defer prepared.Close()
	found, err := projections.Compare(s.Context, projections.CompareConfig{Live: liveResults(s, p.Name), Next: prepared,
		Source: journal.Source{DB: events.DB()}, Logger: quiet})
	if err != nil {
		return err
	}
	if err := printComparison(s, p.Name, found); err != nil {
		return err
	}
	if len(found.Differences) > 0 {
		return &console.ExitError{Err: errors.New("the builds differ"), Code: console.ExitDiff}
	}
	return nil
}

func printComparison(s *console.Session, name string, found *projections.Comparison) error {
	if s.JSON {
		return s.Print(found)
	}
	for _, d := range found.Differences {
		fmt.Fprintf(s.Out, "%s %s\n  live: %s\n  next: %s\n", d.Query, d.Key, d.Live, d.Next)
	}
	if len(found.Differences) == 0 {
		fmt.Fprintf(s.Out, "Both builds of %s give the same %d answers at event %d.\n", name, found.Results, found.Position)
	}
	return nil
}

// openPrepared opens the build that prepare made: the Next build of this program's
// version, or, if the hub runs another version, the only build of this one.
func openPrepared(ctx context.Context, storage projections.Storage, p *projections.Projection, generation string, log *slog.Logger) (projections.Store, error) {
	builds, err := storage.List(ctx)
	if err != nil {
		return nil, err
	}
	build := projections.Live
	older := false
	for _, b := range builds {
		if b.Name == p.Name && b.Version == p.Version && b.Build == projections.Next {
			build = projections.Next
		}
		older = older || b.Name == p.Name && b.Version != p.Version
	}
	if build == projections.Live && !older {
		return nil, fmt.Errorf("nothing is prepared beside another build of %s: run `hubledger projections prepare %s` first", p.Name, p.Name)
	}
	store, err := storage.Open(ctx, p, projections.Options{Build: build, Generation: generation, Logger: log})
	if errors.Is(err, fs.ErrNotExist) {
		err = projections.ErrNoBuild
	}
	return store, err
}

// liveResults are the results of the projection's queries on the running hub, whose
// program may have an older version of the projection.
func liveResults(s *console.Session, name string) projections.Results {
	return func(_ context.Context, at func(uint64) error, yield func(query, key, answer string) error) error {
		return client.Admin(s.Context, s.Data, "GET", "/projections/"+url.PathEscape(name)+"/answers", nil, nil, func(raw json.RawMessage) error {
			var item adminsocket.QueryResult
			if err := json.Unmarshal(raw, &item); err != nil {
				return err
			}
			if item.Position != nil {
				return at(*item.Position)
			}
			return yield(item.Query, item.Key, item.Answer)
		})
	}
}
