package catalog_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/catalog"
	"hubledger/projections/sqlitestore"
)

var hostile = []string{`"`, `""`, `'`, `\`, `%`, `_`, `%%%`, `___`, `a_c`, `a%c`, "nul\x00nul", "\x00", "bad\xff\xfeutf8", `app AND b*`, `app OR nginx`,
	`NOT app`, `name:app`, `{name words}: app`, `^app`, `app*`, `-`, `--`, `- app`, `(`, `((app`, `NEAR(a b)`, `'); DROP TABLE stars; --`, `$1`, `app:*`, `a & b`,
	`:topic`, `a|b`, `!app`, `<->`, `app <-> b`, "größe", "ſK", "日本語", " \t\n ", "/", "//", "/app", "app/", "...", "library/", "library/app", `app"nginx`}

// What somebody types is data, never syntax: no error, and no repository that
// does not have it.
func TestHostileTexts(t *testing.T) {
	onEach(t, library(t), func(t *testing.T, r catalog.Reader) {
		for _, text := range hostile {
			for _, q := range []catalog.Query{{Text: text}, {Topic: text}, {Text: "app", Topic: text}, {Text: text, Topic: "time-series"}} {
				q.Visible = catalog.Visible{Public: true, Namespaces: []string{namespaceOf("secret/x")}, Only: nil}
				if _, _, err := r.Search(t.Context(), q); err != nil {
					t.Errorf("%q: %v", q.Text+q.Topic, err)
				}
				q.Visible.Only = []string{text, "carol/app"}
				if _, _, err := r.Search(t.Context(), q); err != nil {
					t.Errorf("%q limited: %v", q.Text+q.Topic, err)
				}
			}
			if _, err := r.OfNamespace(t.Context(), namespaceOf("carol/x"), everything, text, 5); err != nil && !errors.Is(err, catalog.ErrQuery) {
				t.Errorf("%q: %v", text, err)
			}
		}
		for _, text := range []string{`%`, `_`, `___`, `a_c`, `a%c`, `^app`, `name:postgres`, `app*x`, `nginx"`, "nginx\x00"} {
			list, _, err := r.Search(t.Context(), catalog.Query{Text: text, Visible: everything})
			check(t, err)
			for _, e := range list {
				words := strings.ToLower(e.Name + " " + e.Description)
				for _, word := range strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c < '0' || c > 'z' || c == '_' || c == '^' || c == ':' }) {
					if !strings.Contains(words, word) {
						t.Errorf("%q finds %s", text, e.Name)
					}
				}
			}
		}
	})
}

// FuzzSearch runs on SQLite: no text makes a statement fail.
func FuzzSearch(f *testing.F) {
	h := &history{t: f}
	h.create("alice/app", events.Public)
	h.describe("alice/app", "Some words", "topic")
	ctx := context.Background()
	store, err := sqlitestore.Dir(f.TempDir()).Open(ctx, &catalog.Projection, projections.Options{})
	check(f, err)
	f.Cleanup(func() { store.Close() })
	check(f, projections.CatchUp(ctx, store, &h.log, 2, nil))
	r := catalog.Reader{DB: store.DB(), Dialect: store.Dialect()}
	for _, text := range hostile {
		f.Add(text, "")
		f.Add("app", text)
	}
	f.Fuzz(func(t *testing.T, text, topic string) {
		for _, v := range []catalog.Visible{everything, {Public: true, Only: []string{text}}} {
			list, total, err := r.Search(ctx, catalog.Query{Text: text, Topic: topic, Visible: v})
			if err != nil && !errors.Is(err, catalog.ErrQuery) {
				t.Fatal(err)
			}
			if total != len(list) {
				t.Fatalf("%d of %d", len(list), total)
			}
		}
	})
}
