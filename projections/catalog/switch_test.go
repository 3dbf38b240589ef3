package catalog_test

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/catalog"
	"hubledger/projections/pgstore"
)

// A build that was prepared, compared and switched to is kept up as any other.
func TestPrepareCompareSwitch(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	for _, p := range storages {
		t.Run(p.Name, func(t *testing.T) {
			ctx, storage, h := t.Context(), p.New(t), library(t)
			last, _ := h.log.LastSeq(ctx)
			live, err := storage.Open(ctx, &catalog.Projection, projections.Options{Generation: "g"})
			check(t, err)
			check(t, projections.CatchUp(ctx, live, &h.log, last, quiet))
			check(t, bulk.Prepare(ctx, bulk.Config{Projection: &catalog.Projection, Storage: storage, Build: projections.Next,
				Source: &h.log, Generation: "g", Logger: quiet}, nil))
			next, err := storage.Open(ctx, &catalog.Projection, projections.Options{Build: projections.Next})
			check(t, err)
			c, err := projections.Compare(ctx, projections.CompareConfig{Live: projections.ResultsOf(live), Next: next, Source: &h.log, Logger: quiet})
			if err != nil || len(c.Differences) > 0 || c.Results < 50 {
				t.Errorf("%+v, %v", c, err)
			}
			check(t, live.Close())
			check(t, next.Close())
			check(t, storage.Switch(ctx, &catalog.Projection))
			live, err = storage.Open(ctx, &catalog.Projection, projections.Options{})
			check(t, err)
			defer live.Close()
			h.create("erin/brandnew", events.Public)
			h.describe("erin/brandnew", "Fresh paint")
			h.describe("dave/exporter", "Nothing of that")
			last, _ = h.log.LastSeq(ctx)
			check(t, projections.CatchUp(ctx, live, &h.log, last, quiet))
			r := catalog.Reader{DB: live.DB(), Dialect: live.Dialect()}
			for text, want := range map[string]string{"brandn": "erin/brandnew", "paint": "erin/brandnew", "prometheus": "", "redis": "alice/redis-cache bob/cache"} {
				list, _, err := r.Search(ctx, catalog.Query{Text: text, Visible: everything})
				if err != nil || names(list) != want {
					t.Errorf("%q finds %s, %v", text, names(list), err)
				}
			}
		})
	}
}

// Where pg_trgm is not there and cannot be made, the error says what to do.
func TestWithoutTrigrams(t *testing.T) {
	ctx, address := t.Context(), postgres.URL(t)
	conn, err := pgx.Connect(ctx, address)
	check(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DROP SCHEMA public") // where it would go
	check(t, err)
	_, err = pgstore.URL(address).Open(ctx, &catalog.Projection, projections.Options{})
	if err == nil || !strings.Contains(err.Error(), "CREATE EXTENSION pg_trgm") {
		t.Fatalf("%v", err)
	}
	_, err = pgstore.URL(address).Open(ctx, &catalog.Projection, projections.Options{ReadOnly: true})
	if !errors.Is(err, projections.ErrNoBuild) {
		t.Errorf("a failed start left something: %v", err)
	}
	// Wherever an administrator makes it, it is found.
	_, err = conn.Exec(ctx, "CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions")
	check(t, err)
	store, err := pgstore.URL(address).Open(ctx, &catalog.Projection, projections.Options{})
	check(t, err)
	check(t, store.Close())
}
