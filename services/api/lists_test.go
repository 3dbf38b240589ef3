package api_test

import (
	"slices"
	"strings"
	"testing"

	"hubledger/events"
)

// Everybody sees the organizations and namespaces that they are in, and
// administrators see all.
func TestListsOfNamespaces(t *testing.T) {
	k := world(t)
	k.repository("busybox", events.Public)
	for _, p := range principals {
		if p.nobody {
			continue
		}
		all := p.hubAdmin || p.name == "hubadmin, reading"
		var orgs, namespaces struct {
			Items []struct{ Name, Kind, Role, Level string }
		}
		k.do(p.name, "GET", "/api/v1/orgs", nil).want(200).into(&orgs)
		if in := p.organization > 0 && p.name != "acme+ci"; (len(orgs.Items) == 1) != in || in && orgs.Items[0].Name != "acme" {
			t.Errorf("%q: organizations %+v", p.name, orgs.Items)
		}
		k.do(p.name, "GET", "/api/v1/namespaces?limit=100", nil).want(200).into(&namespaces)
		names := map[string]string{}
		for _, ns := range namespaces.Items {
			names[ns.Name] = ns.Level
			k.do(p.name, "GET", "/api/v1/namespaces/"+ns.Name, nil).want(200)
		}
		if strings.HasSuffix(p.name, " only") || strings.HasSuffix(p.name, " one") { // limited to some repositories
			if len(names) != 0 {
				t.Errorf("%q is shown %v", p.name, names)
			}
			continue
		}
		self, _, _ := strings.Cut(p.name, ",")
		_, own := names[self]
		level, member := names["acme"]
		want := map[int]string{1: "read", 2: "admin"}[p.organization]
		switch {
		case all && len(names) != 10: // with that of the first administrator
			t.Errorf("%q is shown %v", p.name, names)
		case !all && own != (p.name != "acme+ci"), member != (p.organization > 0), !p.limited && level != want:
			t.Errorf("%q is shown %v", p.name, names)
		}
	}
	// Page by page it is the same.
	var got []string
	for next := "/api/v1/namespaces?limit=2"; next != ""; {
		var page struct {
			Items []struct{ Name string }
			Next  string
		}
		k.do("operator", "GET", next, nil).want(200).into(&page)
		for _, ns := range page.Items {
			got = append(got, ns.Name)
		}
		next = page.Next
	}
	if want := "acme admin hubadmin library manager member owner reader stranger writer"; strings.Join(got, " ") != want {
		t.Errorf("namespaces %q, want %s", got, want)
	}
}

// In lists and searches everybody sees what they may see.
func TestListsShowWhatMayBeSeen(t *testing.T) {
	k := world(t)
	for _, p := range principals {
		want := []string{}
		for i, name := range []string{"acme/public", "acme/private"} {
			if p.levels[i] > 0 {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		for _, path := range []string{"/api/v1/search?q=acme", "/api/v1/repositories", "/api/v1/repositories?namespace=acme"} {
			var page struct{ Items []struct{ Name string } }
			k.do(p.name, "GET", path, nil).want(200).into(&page)
			got := []string{}
			for _, e := range page.Items {
				got = append(got, e.Name)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%s as %q: %v, want %v", path, p.name, got, want)
			}
		}
		var found struct{ Results []struct{ Name string } }
		k.do(p.name, "GET", "/v1/search?q=acme", nil, "X-Docker-Token", "true").want(200).into(&found)
		var listed struct{ Count int }
		k.do(p.name, "GET", "/v2/repositories/acme/", nil).want(200).into(&listed)
		if len(found.Results) != len(want) || listed.Count != len(want) {
			t.Errorf("%q: docker search %v, list of %d, want %v", p.name, found.Results, listed.Count, want)
		}
	}
}
