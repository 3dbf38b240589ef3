package catalog_test

import (
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/catalog"
)

// guarded has one repository of each kind for each visitor below.
func guarded(t *testing.T) *history {
	h := &history{t: t}
	for _, name := range []string{"acme/app-open", "bob/app-open", "app-top"} {
		h.create(name, events.Public)
	}
	for _, name := range []string{"acme/app-closed", "acme/app-plans", "bob/app-diary", "carol/app-inner"} {
		h.create(name, events.Private)
	}
	h.create("carol/app-unsaid", "")
	for _, name := range []string{"acme/app-open", "acme/app-closed", "bob/app-diary", "carol/app-inner"} {
		h.describe(name, "Lighthouse software", "harbour")
		h.star(name, 1)
	}
	h.create("acme/app-turned", events.Public)
	h.add(events.RepositoryVisibilityChanged{Namespace: namespaceOf("acme/x"), Repository: idFor("acme/app-turned"), Name: "acme/app-turned", Visibility: events.Private})
	h.create("bob/app-gone", events.Public)
	h.add(events.RepositoryDeleted{Namespace: namespaceOf("bob/x"), Repository: idFor("bob/app-gone"), Name: "bob/app-gone"})
	return h
}

// What somebody may not see is in no list, no total, no topic and no order.
func TestVisible(t *testing.T) {
	acme, bob := namespaceOf("acme/x"), namespaceOf("bob/x")
	open := []string{"acme/app-open", "app-top", "bob/app-open"}
	with := func(names ...string) []string { return append(append([]string{}, open...), names...) }
	onEach(t, guarded(t), func(t *testing.T, r catalog.Reader) {
		for name, c := range map[string]struct {
			visible catalog.Visible
			may     []string
		}{
			"nobody":         {catalog.Visible{}, nil},
			"anonymous":      {catalog.Visible{Public: true}, open},
			"member":         {catalog.Visible{Public: true, Namespaces: []string{acme}}, with("acme/app-closed", "acme/app-plans", "acme/app-turned")},
			"granted":        {catalog.Visible{Public: true, Repositories: []string{idFor("acme/app-plans"), idFor("bob/app-gone")}}, with("acme/app-plans")},
			"both":           {catalog.Visible{Public: true, Namespaces: []string{bob}, Repositories: []string{idFor("bob/app-diary")}}, with("bob/app-diary")},
			"not the public": {catalog.Visible{Namespaces: []string{bob}}, []string{"bob/app-open", "bob/app-diary"}},
			"admin": {catalog.Visible{All: true}, with("acme/app-closed", "acme/app-plans", "acme/app-turned",
				"bob/app-diary", "carol/app-inner", "carol/app-unsaid")},
			"narrow token": {catalog.Visible{Public: true, Namespaces: []string{acme},
				Only: []string{"acme/app-closed", "app-top", "carol/app-inner", "bob/app-gone", "no\x00name"}}, []string{"acme/app-closed", "app-top"}},
			"admin's token": {catalog.Visible{All: true, Only: []string{"carol/app-inner"}}, []string{"carol/app-inner"}},
			"empty token":   {catalog.Visible{All: true, Only: []string{}}, nil},
		} {
			for _, q := range []catalog.Query{{}, {Sort: catalog.ByName}, {Text: "app"}, {Text: "ap"}, {Text: "a"}, {Text: "/app"}, {Text: "aap-"},
				{Text: "lighthouse"}, {Text: "lighthouse software"}, {Text: "app-diary"}, {Text: "app-turned"}, {Text: "carol/app-inner"}, {Text: "diray"},
				{Topic: "harbour"}, {Topic: "harbour", Text: "app"}} {
				q.Visible = c.visible
				list, total, err := r.Search(t.Context(), q)
				check(t, err)
				if total != len(list) {
					t.Errorf("%s asking %+v: %d of %d", name, q, len(list), total)
				}
				for _, e := range list {
					if !strings.Contains(" "+strings.Join(c.may, " ")+" ", " "+e.Name+" ") {
						t.Errorf("%s asking %+v sees %s", name, q, e.Name)
					}
				}
				if (q.Text == "" || q.Text == "app") && q.Topic == "" && len(list) != len(c.may) {
					t.Errorf("%s asking %+v sees %q, may see %q", name, q, names(list), c.may)
				}
			}
			for _, ns := range []string{"acme", "bob", "carol", "library"} {
				want := 0
				for _, may := range c.may {
					if namespaceOf(may) == idFor("namespace "+ns) {
						want++
					}
				}
				list, err := r.OfNamespace(t.Context(), idFor("namespace "+ns), c.visible, "", 100)
				if err != nil || len(list) != want {
					t.Errorf("%s lists %s of %s, %v", name, names(list), ns, err)
				}
			}
		}
		list, err := r.Starred(t.Context(), idFor("user 0"), catalog.Visible{Public: true}, 0, 10)
		if err != nil || names(list) != "acme/app-open" {
			t.Errorf("stars show %s, %v", names(list), err)
		}
	})
}
