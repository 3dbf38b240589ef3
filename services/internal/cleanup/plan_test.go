package cleanup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
	"hubledger/services/internal/cleanup"
	"hubledger/services/internal/repository"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return now.Add(-time.Duration(days) * 24 * time.Hour) }

func sum(name string) digest.Digest { return digest.FromString(name) }

// A repo is written as words: "name@days" is a manifest pushed so many days
// ago, "name@days>subject" one that refers to another, "name@days=a,b" an
// index, "name@days-days" one that lost a tag later; "tag:name@days" is a tag,
// "tag:name@days/days" one that was pulled, "use:name@days" a use of a manifest, and "pin:name@" one that a release needs.
func repo(words string) cleanup.State {
	s := cleanup.State{Pulled: map[string]time.Time{}, Used: map[digest.Digest]time.Time{}, Pinned: map[digest.Digest]string{}}
	for k, word := range strings.Fields(words) {
		what, when, _ := strings.Cut(word, "@")
		var days, more int
		if name, ok := strings.CutPrefix(what, "use:"); ok {
			fmt.Sscanf(when, "%d", &days)
			s.Used[sum(name)] = ago(days)
			continue
		}
		if name, ok := strings.CutPrefix(what, "pin:"); ok {
			s.Pinned[sum(name)] = "release 1 of acme/shop"
			continue
		}
		if tag, name, ok := strings.Cut(what, ":"); ok {
			if n, _ := fmt.Sscanf(when, "%d/%d", &days, &more); n == 2 {
				s.Pulled[tag] = ago(more)
			}
			s.Tags = append(s.Tags, images.ContentTag{Name: tag, Digest: sum(name), Pushed: ago(days), Seq: uint64(k)})
			continue
		}
		m := images.ContentManifest{Digest: sum(what), Size: 1}
		when, children, index := strings.Cut(when, "=")
		if index {
			for child := range strings.SplitSeq(children, ",") {
				m.Children = append(m.Children, sum(child))
			}
		}
		when, subject, refers := strings.Cut(when, ">")
		if refers {
			m.Subject = sum(subject)
		}
		if n, _ := fmt.Sscanf(when, "%d-%d", &days, &more); n == 2 {
			m.Released = ago(more)
		}
		m.Pushed = ago(days)
		s.Manifests = append(s.Manifests, m)
	}
	return s
}

// sig is the tag of a manifest's signature.
func sig(name string) string { return "sha256-" + sum(name).Encoded() + ".sig" }

func TestPlan(t *testing.T) {
	names := map[digest.Digest]string{}
	for c := 'a'; c <= 'z'; c++ {
		names[sum(string(c))] = string(c)
	}
	for _, row := range []struct {
		what, state string
		rule        events.Cleanup
		immutable   string
		goes        string // tags, then manifests in the order in which they go
	}{
		{"no rule", "a@900 v1:a@900 b@900", events.Cleanup{}, "", ""},
		{"keep last", "a@9 v1:a@9 v2:a@5 v3:a@1", events.Cleanup{KeepLast: 2}, "", "v1"},
		{"keep last counts what is kept anyway", "a@9 v1:a@9 v2:a@5 v3:a@1", events.Cleanup{KeepLast: 1, KeepTags: []string{"v3"}}, "", "v1 v2"},
		{"keep pattern", "a@9 v1:a@9 v2:a@5 latest:a@9", events.Cleanup{KeepLast: 1, KeepTags: []string{"late", "lat.*"}}, "", "v1"},
		{"immutable", "a@9 v1:a@9 v2:a@5 latest:a@1", events.Cleanup{KeepLast: 1}, `v\d`, ""},
		{"only keep patterns take nothing", "a@9 v1:a@9", events.Cleanup{KeepTags: []string{"x"}}, "", ""},
		{"not pulled", "a@90 v1:a@90/40 v2:a@90/10 v3:a@20 v4:a@90 v5:a@30", events.Cleanup{NotPulledDays: 30}, "", "v1 v4 v5"},
		{"both: only what is old and not among the last", "a@90 v1:a@90 v2:a@80 v3:a@70 v4:a@1", events.Cleanup{NotPulledDays: 30, KeepLast: 2}, "", "v1 v2"},
		{"the last by sequence of one moment", "a@9 v1:a@9 v2:a@9", events.Cleanup{KeepLast: 1}, "", "v1"},
		{"untagged", "a@9 b@9 v1:a@9 c@2 d@7", events.Cleanup{UntaggedDays: 7}, "", "@b @d"},
		{"lost its tag lately", "a@90-2 b@90-8", events.Cleanup{UntaggedDays: 7}, "", "@b"},
		{"its tag goes now: it stays for once", "a@90 b@90 v1:a@90 v2:b@1", events.Cleanup{UntaggedDays: 7, KeepLast: 1}, "", "v1"},
		{"children of an index that stays", "a@90 b@90 i@90=a,b v1:i@90", events.Cleanup{UntaggedDays: 7}, "", ""},
		{"an index goes before its children", "a@90 b@90 z@90=a,b c@90", events.Cleanup{UntaggedDays: 7}, "", "@z @a @b @c"},
		{"a young index keeps old children", "a@90 i@1=a", events.Cleanup{UntaggedDays: 7}, "", ""},
		{"an index of indexes", "a@90 i@90=a j@90=i v1:j@90", events.Cleanup{UntaggedDays: 7}, "", ""},
		{"a child in two indexes", "a@90 i@90=a j@90=a v1:j@90", events.Cleanup{UntaggedDays: 7}, "", "@i"},
		{"referrers stay with their subject", "a@90 r@90>a q@90>r v1:a@90", events.Cleanup{UntaggedDays: 7}, "", ""},
		{"referrers go with their subject, however young", "a@90 r@1>a q@1>r", events.Cleanup{UntaggedDays: 7}, "", "@a @r @q"},
		{"a tagged referrer stays", "a@90 r@90>a sbom:r@90", events.Cleanup{UntaggedDays: 7}, "", "@a"},
		{"a referrer of what is not there", "r@90>x q@1>y", events.Cleanup{UntaggedDays: 7}, "", "@r"},
		{"a signature's tag stays with what it signs", "a@90 s@90 v1:a@90 " + sig("a") + ":s@90", events.Cleanup{UntaggedDays: 7, KeepLast: 1, NotPulledDays: 1}, "", ""},
		{"and goes with it", "a@90 s@1 b@90 v1:b@90 " + sig("a") + ":s@1", events.Cleanup{UntaggedDays: 7}, "", sig("a") + " @a @s"},
		{"a signature of what is elsewhere stays", "s@90 v1:a@9 v2:a@1 a@9 " + sig("x") + ":s@90", events.Cleanup{KeepLast: 1, NotPulledDays: 5, UntaggedDays: 7}, "", "v1"},
		{"pulled by digest", "a@90 v1:a@90 use:a@1 b@90 v2:b@90 use:b@40", events.Cleanup{NotPulledDays: 30, UntaggedDays: 14}, "", "v2"},
		{"all tags of what was pulled by digest", "a@90 v1:a@90 v2:a@90/40 use:a@1", events.Cleanup{NotPulledDays: 30}, "", ""},
		{"one image of an index was pulled", "a@90 b@90 i@90=a,b v1:i@90 use:a@1", events.Cleanup{NotPulledDays: 30, UntaggedDays: 14}, "", ""},
		{"one image of an index of indexes was pulled", "a@90 i@90=a j@90=i v1:j@90 use:a@1", events.Cleanup{NotPulledDays: 30, UntaggedDays: 14}, "", ""},
		{"an untagged manifest was pulled", "a@90 b@90 use:a@1 use:b@15", events.Cleanup{UntaggedDays: 14}, "", "@b"},
		{"what was pulled stays as long as a tag would", "a@90 b@90 use:a@29 use:b@30", events.Cleanup{UntaggedDays: 14, NotPulledDays: 30}, "", "@b"},
		{"an image of an untagged index was pulled", "a@90 b@90 i@90=a,b use:b@1", events.Cleanup{UntaggedDays: 14}, "", ""},
		{"a referrer was pulled", "a@90 r@90>a q@90>r use:q@1 v1:a@90", events.Cleanup{NotPulledDays: 30, UntaggedDays: 14}, "", ""},
		{"a signature was pulled by its tag", "a@90 s@90 v1:a@90 " + sig("a") + ":s@90/1", events.Cleanup{NotPulledDays: 30, UntaggedDays: 14}, "", ""},
		{"the use of an index keeps its images", "a@90 i@90=a use:i@1", events.Cleanup{UntaggedDays: 14}, "", ""},
		{"the use of a subject keeps its referrers", "a@90 r@90>a use:a@1", events.Cleanup{UntaggedDays: 14}, "", ""},
		{"a cycle of referrers that was pulled", "a@90>b b@90>a use:a@1", events.Cleanup{UntaggedDays: 14}, "", ""},
		{"what a release needs, with its images and signatures", "a@90 b@90 i@90=a,b r@90>a pin:i@ c@90 s@90 " + sig("i") + ":s@90", events.Cleanup{UntaggedDays: 7}, "", "@c"},
		{"a release needs what is not there", "a@90 pin:x@", events.Cleanup{UntaggedDays: 7}, "", "@a"},
		{"a cycle of referrers", "a@90>b b@90>a", events.Cleanup{UntaggedDays: 7}, "", "@a @b"},
		{"a cycle that a tag holds", "a@90>b b@90>a v1:a@90", events.Cleanup{UntaggedDays: 7}, "", ""},
	} {
		t.Run(row.what, func(t *testing.T) {
			s := repo(row.state)
			s.Immutable = repository.Immutable(events.RepositoryPolicy{ImmutableTags: []string{row.immutable + "x", row.immutable}})
			var got []string
			plan, err := cleanup.Plan(t.Context(), row.rule, s, now)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range plan {
				if d.Tag != "" {
					got = append(got, d.Tag)
				} else {
					got = append(got, "@"+names[d.Digest])
				}
			}
			if !slices.Equal(got, strings.Fields(row.goes)) {
				t.Errorf("goes %q, want %q", got, row.goes)
			}
		})
	}
}

// Whatever a repository is like: what is protected stays, what stays is whole,
// and after a plan was carried out the same rule wants nothing more that day.
func TestPlanKeepsItsPromises(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		s := random(rng)
		rule := events.Cleanup{KeepLast: rng.IntN(4), NotPulledDays: rng.IntN(3) * 20, UntaggedDays: rng.IntN(3) * 20}
		if rng.IntN(3) == 0 {
			rule.KeepTags = []string{"t[0-3]"}
		}
		if rng.IntN(3) == 0 {
			s.Immutable = repository.Immutable(events.RepositoryPolicy{ImmutableTags: []string{"t[5-7]"}})
		}
		plan, err := cleanup.Plan(t.Context(), rule, s, now)
		if err != nil {
			t.Fatal(err)
		}
		tags, manifests := map[string]bool{}, map[digest.Digest]bool{}
		for _, d := range plan {
			if d.Tag == "" {
				manifests[d.Digest] = true
			} else {
				tags[d.Tag] = true
			}
		}
		left := cleanup.State{Pulled: s.Pulled, Used: s.Used, Immutable: s.Immutable}
		kept := repository.TagsMatching(rule.KeepTags)
		for _, tag := range s.Tags {
			if !tags[tag.Name] {
				left.Tags = append(left.Tags, tag)
				if manifests[tag.Digest] {
					t.Fatalf("%s stays, but its manifest goes", tag.Name)
				}
			} else if s.Immutable.Has(tag.Name) || kept.Has(tag.Name) {
				t.Fatalf("%s is protected and goes", tag.Name)
			}
		}
		for _, m := range s.Manifests {
			if manifests[m.Digest] {
				if unused := max(rule.UntaggedDays, rule.NotPulledDays); now.Sub(s.Used[m.Digest]) < time.Duration(unused)*24*time.Hour {
					t.Fatal("a manifest goes that was used lately")
				}
				continue
			}
			for k := range s.Tags {
				if tags[s.Tags[k].Name] && s.Tags[k].Digest == m.Digest {
					m.Released = now
				}
			}
			left.Manifests = append(left.Manifests, m)
			for _, child := range m.Children {
				if manifests[child] {
					t.Fatal("an index stays, but a manifest of it goes")
				}
			}
			if m.Subject != "" && manifests[m.Subject] && !slices.ContainsFunc(left.Tags, func(tag images.ContentTag) bool { return tag.Digest == m.Digest }) &&
				!slices.ContainsFunc(s.Manifests, func(i images.ContentManifest) bool {
					return !manifests[i.Digest] && (slices.Contains(i.Children, m.Digest) || m.Subject != i.Digest && i.Subject != "")
				}) {
				t.Fatal("a manifest goes, but not what refers to it")
			}
		}
		if again, err := cleanup.Plan(t.Context(), rule, left, now); err != nil || len(again) > 0 {
			t.Fatalf("rule %+v: after %+v it wants %+v, %v", rule, plan, again, err)
		}
	}
}

func random(rng *rand.Rand) cleanup.State {
	s := cleanup.State{Pulled: map[string]time.Time{}, Used: map[digest.Digest]time.Time{}}
	n := 1 + rng.IntN(10)
	for k := range n {
		m := images.ContentManifest{Digest: sum(fmt.Sprint(k)), Pushed: ago(rng.IntN(60))}
		if rng.IntN(3) == 0 {
			m.Subject = sum(fmt.Sprint(rng.IntN(n + 1)))
		}
		if rng.IntN(3) == 0 {
			m.Children = []digest.Digest{sum(fmt.Sprint(rng.IntN(n + 1))), sum(fmt.Sprint(rng.IntN(n + 1)))}
		}
		if rng.IntN(3) == 0 {
			m.Released = ago(rng.IntN(60))
		}
		if rng.IntN(5) == 0 {
			s.Used[m.Digest] = ago(rng.IntN(60))
		}
		s.Manifests = append(s.Manifests, m)
	}
	slices.SortFunc(s.Manifests, func(a, b images.ContentManifest) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
	for k := range rng.IntN(8) {
		name := fmt.Sprint("t", k)
		if rng.IntN(5) == 0 {
			name = sig(fmt.Sprint(rng.IntN(n + 1)))
		}
		s.Tags = append(s.Tags, images.ContentTag{Name: name, Digest: sum(fmt.Sprint(rng.IntN(n))), Pushed: ago(rng.IntN(60)), Seq: uint64(k)})
		if rng.IntN(2) == 0 {
			s.Pulled[name] = ago(rng.IntN(60))
		}
	}
	return s
}

// Planning ends with its context: the tags of a large repository take a while.
func TestPlanEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := cleanup.State{Content: images.Content{Tags: []images.ContentTag{{Name: "1"}}}}
	if plan, err := cleanup.Plan(ctx, events.Cleanup{NotPulledDays: 1}, s, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("planned %v, %v", plan, err)
	}
}
