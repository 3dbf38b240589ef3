package catalog_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/catalog"
)

func TestFacts(t *testing.T) {
	h := &history{t: t}
	h.add(events.NamespaceCreated{Namespace: namespaceOf("alice/app"), Name: "alice"})
	h.create("alice/app", events.Public)
	h.describe("alice/app", "First")
	h.describe("alice/app", "An \x00 app", "web", "go-lang")
	h.push("alice/app", "v1")
	h.push("alice/app", "")
	h.star("alice/app", 3)
	h.add(events.StarWithdrawn{Namespace: namespaceOf("alice/app"), Repository: idFor("alice/app"), User: idFor("user 1")})
	h.pull("alice/app", 7)
	h.pull("alice/app", 5)
	h.create("alice/other", events.Private)
	h.star("alice/other", 1)
	h.create("alice/gone", events.Public)
	h.add(events.RepositoryDeleted{Namespace: namespaceOf("alice/app"), Repository: idFor("alice/gone"), Name: "alice/gone"})
	created, pushed := noon.Add(2*time.Minute), noon.Add(6*time.Minute)
	want := catalog.Entry{ID: idFor("alice/app"), Namespace: namespaceOf("alice/app"), Name: "alice/app",
		Description: "An \uFFFD app", Visibility: events.Public, Topics: []string{"web", "go-lang"}, Stars: 2, Pulls: 12,
		Created: created, Pushed: pushed, Pulled: noon.Add(7 * time.Second)}
	onEach(t, h, func(t *testing.T, r catalog.Reader) {
		ctx := t.Context()
		for what, find := range map[string]func() (*catalog.Entry, error){
			"by id":   func() (*catalog.Entry, error) { return r.Entry(ctx, idFor("alice/app")) },
			"by name": func() (*catalog.Entry, error) { return r.EntryByName(ctx, "alice/app") },
		} {
			if e, err := find(); err != nil || !reflect.DeepEqual(*e, want) {
				t.Errorf("%s: %+v, %v\nnot %+v", what, e, err, want)
			}
		}
		if e, err := r.EntryByName(ctx, "alice/other"); err != nil || e.Visibility != events.Private || e.Stars != 1 || !e.Pushed.IsZero() || len(e.Topics) != 0 {
			t.Errorf("%+v, %v", e, err)
		}
		for _, name := range []string{"alice/gone", "nobody/knows", "no\x00name", "'"} {
			if _, err := r.EntryByName(ctx, name); !errors.Is(err, catalog.ErrNotFound) {
				t.Errorf("%q: %v", name, err)
			}
		}
		if _, err := r.Entry(ctx, idFor("alice/gone")); !errors.Is(err, catalog.ErrNotFound) {
			t.Error(err)
		}
		if readme, err := r.Readme(ctx, idFor("alice/app")); err != nil || readme != "# alice/app" {
			t.Errorf("%q, %v", readme, err)
		}
		if readme, err := r.Readme(ctx, idFor("alice/other")); err != nil || readme != "" {
			t.Errorf("%q, %v", readme, err)
		}
		if some, err := r.TagPulls(ctx, idFor("alice/app"), []string{"other"}); err != nil || len(some) != 0 {
			t.Errorf("of a tag that was not pulled: %v, %v", some, err)
		}
		tags, err := r.TagPulls(ctx, idFor("alice/app"), []string{"latest", "other"})
		if want := map[string]catalog.TagPulls{"latest": {Pulls: 10, LastPulled: noon.Add(7 * time.Second)}}; err != nil || !reflect.DeepEqual(tags, want) {
			t.Errorf("%+v, %v", tags, err)
		}
		odd, even := digest.FromString("1"), digest.FromString("0")
		used, err := r.ManifestsPulled(ctx, idFor("alice/app"), nil)
		some, serr := r.ManifestsPulled(ctx, idFor("alice/app"), []digest.Digest{even, digest.FromString("other")})
		none, nerr := r.ManifestsPulled(ctx, idFor("alice/app"), []digest.Digest{})
		t.Logf("used %v", used)
		if err := errors.Join(err, serr, nerr); err != nil || len(used) == 0 || len(none) != 0 || !used[odd].Equal(noon.Add(7*time.Second)) || len(some) > 1 || some[even] != used[even] {
			t.Errorf("%v, %v, %v, %v", used, some, none, err)
		}
		for user, want := range map[string]bool{"user 0": true, "user 1": false, "user 9": false} {
			if has, err := r.HasStar(ctx, idFor("alice/app"), idFor(user)); err != nil || has != want {
				t.Errorf("%s: %v, %v", user, has, err)
			}
		}
		for offset, want := range []string{"alice/other alice/app", "alice/app", ""} {
			list, err := r.Starred(ctx, idFor("user 0"), everything, offset, 10)
			if err != nil || names(list) != want {
				t.Errorf("stars from %d on: %s, %v", offset, names(list), err)
			}
		}
		list, err := r.OfNamespace(ctx, namespaceOf("alice/app"), everything, "alice/app", 10)
		if err != nil || names(list) != "alice/other" {
			t.Errorf("%s, %v", names(list), err)
		}
		if list, err = r.OfNamespace(ctx, namespaceOf("alice/app"), everything, "", 1); err != nil || names(list) != "alice/app" {
			t.Errorf("%s, %v", names(list), err)
		}
	})
}

// A description and topics change without a word about the README, which stays.
func TestSummaryChanged(t *testing.T) {
	h := &history{t: t}
	h.create("alice/app", events.Public)
	ns, id := namespaceOf("alice/app"), idFor("alice/app")
	h.add(events.RepositoryDescribed{Namespace: ns, Repository: id, Name: "alice/app", Description: "old", Readme: "# Readme", Topics: []string{"a"}},
		events.RepositorySummaryChanged{Namespace: ns, Repository: id, Name: "alice/app", Description: "new words", Topics: []string{"b", "c"}})
	onEach(t, h, func(t *testing.T, r catalog.Reader) {
		entry, err := r.Entry(t.Context(), id)
		check(t, err)
		readme, err := r.Readme(t.Context(), id)
		if err != nil || readme != "# Readme" || entry.Description != "new words" || !reflect.DeepEqual(entry.Topics, []string{"b", "c"}) {
			t.Errorf("%+v with README %q, %v", entry, readme, err)
		}
	})
}

func TestActivity(t *testing.T) {
	h := &history{t: t}
	h.create("alice/app", events.Private)
	h.push("alice/app", "v1")
	ns, id := namespaceOf("alice/app"), idFor("alice/app")
	h.add(events.RepositoryVisibilityChanged{Namespace: ns, Repository: id, Name: "alice/app", Visibility: events.Public},
		events.TagDeleted{Namespace: ns, Repository: id, Tag: "v1"})
	h.describe("alice/app", "x")
	h.create("alice/other", events.Public)
	h.create("alice/closed", events.Public)
	h.add(events.RepositoryVisibilityChanged{Namespace: ns, Repository: idFor("alice/closed"), Name: "alice/closed", Visibility: events.Private})
	onEach(t, h, func(t *testing.T, r catalog.Reader) {
		for name, want := range map[string]uint64{"alice/app": 3, "alice/other": 6} {
			if since, err := r.PublicSince(t.Context(), idFor(name)); err != nil || since != want {
				t.Errorf("%s is public since event %d, %v, not %d", name, since, err, want)
			}
		}
		if since, err := r.PublicSince(t.Context(), idFor("alice/closed")); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("alice/closed is public since event %d, %v", since, err)
		}
		var got []string
		for before := uint64(0); ; {
			list, err := r.Activity(t.Context(), id, before, 2)
			check(t, err)
			if len(list) == 0 {
				break
			}
			for _, a := range list {
				if want := noon.Add(time.Duration(a.Seq) * time.Minute); a.Time != want || a.Actor != "tester" {
					t.Errorf("%+v", a)
				}
				got = append(got, fmt.Sprint(a.Seq, a.Kind, " ", a.What))
				before = a.Seq
			}
		}
		want := []string{"5repository.described ", "4tag.deleted v1", "3repository.visibility_changed public", "2image.pushed v1", "1repository.created "}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
	})
}
