package builds_test

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
)

// Builds of which a git host is to be told are those of sources that want it, queued since
// they do, until that is settled; in whatever order the events of builds and statuses came.
func TestUnreported(t *testing.T) {
	wanting := linked(app, "acme/app", "https://x/app")
	wanting.Settings.Status, wanting.Settings.StatusSecret = true, id(77)
	other := linked(lib, "acme/lib", "https://x/lib")
	set := func(n int, on bool) events.SourceChanged {
		c := events.SourceChanged{Namespace: id(acme), Source: id(n), Name: "acme/x", Settings: other.Settings, Changed: []string{events.ChangedStatus}}
		c.Settings.Status = on
		return c
	}
	of := func(source, n int, commit, rule string) events.BuildQueued {
		return events.BuildQueued{Namespace: id(acme), Repository: id(50), Build: id(n), Source: id(source), Ref: "refs/heads/main", Kind: "branch", Commit: commit, Rule: events.BuildRule{Name: rule}}
	}
	sent := func(source, n int, settles ...uint64) events.StatusSent {
		return events.StatusSent{Namespace: id(acme), Build: id(n), Source: id(source), Commit: "c1", Context: "x", State: events.StatusSuccess, Settles: settles}
	}
	onEach(t, []events.Payload{
		wanting, other, of(app, 11, "c1", "edge"), of(app, 12, "c1", "edge"), of(app, 13, "c1", "top"), of(app, 14, "c2", "edge"), // 3 to 6
		of(lib, 21, "c1", "edge"), set(lib, true), of(lib, 22, "c1", "edge"), of(lib, 23, "c1", "edge"), // 7, 9, 10
		sent(app, 12, 3, 4), events.StatusGivenUp{Namespace: id(acme), Build: id(22), Source: id(lib), Settles: []uint64{9}},
	}, func(t *testing.T, r builds.Reader) {
		list := func(all []builds.Build, err error) string {
			check(t, err)
			var text []string
			for _, b := range all {
				text = append(text, strings.TrimLeft(b.ID[24:], "0"))
			}
			return strings.Join(text, " ")
		}
		if got := list(r.Unreported(t.Context(), 10)); got != "13 14 23" {
			t.Errorf("unreported are %s", got)
		}
		if got := list(r.Unreported(t.Context(), 2)); got != "13 14" {
			t.Errorf("the first two are %s", got)
		}
		for what, want := range map[string]string{"c1 edge": "", "c1 top": "13", "c2 edge": "14", "c3 edge": ""} {
			var commit, rule string
			fmt.Sscan(what, &commit, &rule)
			if got := list(r.UnreportedOf(t.Context(), id(50), id(app), commit, rule)); got != want {
				t.Errorf("of %s: %q, want %q", what, got, want)
			}
		}
		s, err := r.Source(t.Context(), "acme/app")
		check(t, err)
		if !s.Settings.Status || s.Settings.StatusSecret != id(77) {
			t.Errorf("the source is %+v", s.Settings)
		}
	})
	onEach(t, []events.Payload{wanting, of(app, 11, "c1", "edge"), set(app, false), of(app, 12, "c1", "edge"), set(app, true), of(app, 13, "c1", "edge"),
		linked(lib, "acme/lib", "https://x/lib"), set(lib, true), of(lib, 21, "c1", "edge"), events.SourceUnlinked{Namespace: id(acme), Source: id(lib), Name: "acme/lib"}}, func(t *testing.T, r builds.Reader) {
		all, err := r.Unreported(t.Context(), 10)
		check(t, err)
		if len(all) != 1 || all[0].ID != id(13) {
			t.Errorf("unreported are %+v", all)
		}
	})
}
