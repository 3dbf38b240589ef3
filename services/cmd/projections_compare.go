package cmd

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
	"hubledger/services/internal/adminsocket"
	"hubledger/services/server"
)

type projectionsCompareCmd struct {
	Name        string `arg:"" help:"Name of the projection, such as images."`
	PostgresURL string `name:"postgres-url" help:"PostgreSQL database that has the projections; SQLite files when empty." env:"HUBLEDGER_POSTGRES_URL" placeholder:"URL"`
}

func (c *projectionsCompareCmd) Help() string {
	return `Runs the projection's named queries on the running hub and on the prepared build,
both at the same event. Exit code 4 if any answers differ.`
}

func (c *projectionsCompareCmd) Run(s *session) error {
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
	next, err := openPrepared(s.ctx, place, p, copied.Generation(), quiet)
	if err != nil {
		return err
	}
	defer next.Close()
	found, err := projections.Compare(s.ctx, projections.CompareConfig{Live: s.liveAnswers(p.Name), Next: next,
		Source: journal.Source{DB: copied.DB()}, Logger: quiet})
	if err != nil {
		return err
	}
	if err := s.showComparison(p.Name, found); err != nil {
		return err
	}
	if len(found.Differences) > 0 {
		return &exitError{errors.New("the builds differ"), exitDiff}
	}
	return nil
}

func (s *session) showComparison(name string, found *projections.Comparison) error {
	if s.json {
		return s.print(found)
	}
	for _, d := range found.Differences {
		fmt.Fprintf(s.out, "%s %s\n  live: %s\n  next: %s\n", d.Query, d.Key, d.Live, d.Next)
	}
	if len(found.Differences) == 0 {
		fmt.Fprintf(s.out, "Both builds of %s give the same %d answers at event %d.\n", name, found.Results, found.Position)
	}
	return nil
}

// openPrepared opens the build that prepare made: the next one of the hub's
// version, or the first of a version that the hub does not have.
func openPrepared(ctx context.Context, place projections.Storage, p *projections.Projection, generation string, log *slog.Logger) (projections.Store, error) {
	builds, err := place.List(ctx)
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
		return nil, fmt.Errorf("nothing is prepared: run `projections prepare %s` first", p.Name)
	}
	store, err := place.Open(ctx, p, projections.Options{Build: build, Generation: generation, Logger: log})
	if errors.Is(err, fs.ErrNotExist) {
		err = projections.ErrNoBuild
	}
	return store, err
}

// liveAnswers are those of the running hub, which may be of an older version.
func (s *session) liveAnswers(name string) projections.Results {
	return func(_ context.Context, at func(uint64) error, yield func(query, key, answer string) error) error {
		return client.Admin(s.ctx, s.data, "GET", "/projections/"+url.PathEscape(name)+"/answers", nil, nil, func(raw json.RawMessage) error {
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
