package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"hubledger/projections/catalog"
	"hubledger/projections/projectiontest"
)

// When public entries fill the page and the total, private ones are read only up to
// the rank of the worst hit, whatever the visitor may see.
func TestSecondTableUpToTheWorstHit(t *testing.T) {
	const n = 4500
	store := build(t, storages[0].New(t), bigHub(n))
	defer store.Close()
	for visitor, v := range visitors(n) {
		if visitor == "anonymous" {
			continue
		}
		for _, q := range []catalog.Query{{Text: "docker"}, {}, {Text: "docker", Offset: 40}} {
			q.Visible = v
			db := &projectiontest.Planned{DB: store.DB()}
			_, total, err := catalog.Reader{DB: db, Dialect: store.Dialect()}.Search(t.Context(), q)
			check(t, err)
			check(t, db.Err)
			if total != catalog.MaxWindow {
				t.Fatalf("%s finds %d of %q", visitor, total, q.Text)
			}
			of := func(part string) func(string) bool {
				return func(step string) bool { return strings.Contains(step, part) }
			}
			if !slices.ContainsFunc(db.Plans, of("private_entries_1 (rank<?)")) || slices.ContainsFunc(db.Plans, of("SCAN e USING INDEX private_entries")) ||
				slices.ContainsFunc(db.Plans, of("private_entries_words")) {
				t.Errorf("%s asking %q plans %q", visitor, q.Text, db.Plans)
			}
		}
	}
}
