package taglist_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/images"
	"hubledger/services/api/taglist"
)

// A source has the same tags in each repository, and counts how often it is read.
type source struct {
	tags  []images.TagEntry
	reads int
	read  func()
}

func (s *source) TagEntries(context.Context, string, int) ([]images.TagEntry, error) {
	s.reads++
	if s.read != nil {
		s.read()
	}
	return s.tags, nil
}

func (s *source) Sizes(context.Context, string) (map[digest.Digest]int64, error) {
	return map[digest.Digest]int64{digest.FromString("large"): 10, digest.FromString("small"): 1}, nil
}

func named(names ...string) *source {
	s := &source{}
	for k, name := range names {
		s.tags = append(s.tags, images.TagEntry{Name: name, Digest: digest.FromString(name), Pushed: time.Unix(int64(k), 0)})
	}
	return s
}

func list(t *testing.T, s *source) *taglist.List {
	t.Helper()
	l, err := taglist.NewKeeper(s).Of(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const repo = "0190a000-0000-7000-8000-000000000001"

func TestByVersion(t *testing.T) {
	for _, want := range []string{
		"1.10 1.9 1.2",
		"2 1 1.42 1.42.0 1.41.3",
		"v1.2.0 v1.2.0-rc.10 v1.2.0-rc.2 v1.2.0-alpha",
		"1.0.0 latest main",
		"20261101 20251231",
		"1.2 9d1f3ab x9 x10",                            // an id of a commit is no version
		"100000000000000000000000 99999999999999999999", // larger than any integer
		"1.2rc2 1.2rc1",
		"3 3.12 3.12-alpine 3.11",
	} {
		names := strings.Fields(want)
		shuffled := append([]string{}, names...)
		for k := range shuffled { // reversed
			shuffled[k] = names[len(names)-1-k]
		}
		l := list(t, named(shuffled...))
		if got := strings.Join(l.Find(l.ByVersion(), ""), " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestOtherOrders(t *testing.T) {
	l := list(t, named("large", "none", "small"))
	if got := l.Find(l.ByPush(), ""); fmt.Sprint(got) != "[small none large]" {
		t.Errorf("by push %v", got)
	}
	bySize, err := l.BySize(t.Context())
	if got := l.Find(bySize, ""); err != nil || fmt.Sprint(got) != "[large small none]" {
		t.Errorf("by size %v, %v", got, err)
	}
	pulls := map[string]int64{"none": 5, "small": 7}
	if got := l.Find(l.By(func(tag string) int64 { return pulls[tag] }), ""); fmt.Sprint(got) != "[small none large]" {
		t.Errorf("by pulls %v", got)
	}
	if got := l.Find(l.ByName(), "L"); fmt.Sprint(got) != "[large small]" {
		t.Errorf("with an l %v", got)
	}
}

func TestSameImage(t *testing.T) {
	s := named("1", "1.0", "2")
	s.tags[1].Digest = s.tags[0].Digest
	l := list(t, s)
	if got := l.Same(images.TagDetail{Name: "1", Digest: s.tags[0].Digest}, 10); fmt.Sprint(got) != "[1.0]" {
		t.Errorf("%v", got)
	}
	if got := l.Same(images.TagDetail{Name: "2", Digest: s.tags[2].Digest}, 10); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func committed(repository string) projections.Commit {
	return projections.Commit{Events: []events.Event{{Subject: events.TagSubject("0190a000-0000-7000-8000-00000000000a", repository, "x")}}}
}

// A list is read once, until a commit changes its repository.
func TestKept(t *testing.T) {
	s := named("1")
	k := taglist.NewKeeper(s)
	of := func(want int) {
		t.Helper()
		if _, err := k.Of(t.Context(), repo); err != nil || s.reads != want {
			t.Fatalf("read %d times, want %d; %v", s.reads, want, err)
		}
	}
	of(1)
	of(1)
	k.Committed(committed("0190a000-0000-7000-8000-000000000002"))
	of(1)
	k.Committed(committed(repo))
	of(2)
	k.Committed(projections.Commit{}) // of another node
	of(3)
	of(3)
	// What changes while it is read is not kept.
	k.Committed(committed(repo))
	s.read = func() { k.Committed(committed(repo)) }
	of(4)
	s.read = func() { k.Committed(projections.Commit{}) }
	of(5)
	s.read = nil
	of(6)
	of(6)
}

func TestTooMany(t *testing.T) {
	s := &source{tags: make([]images.TagEntry, taglist.MaxTags+1)}
	for k := range s.tags {
		s.tags[k].Name = fmt.Sprint(k)
	}
	k := taglist.NewKeeper(s)
	for want, what := range []string{1: "the first time", 2: "again", 3: "behind a commit of fewer"} {
		switch want {
		case 0:
			continue
		case 3:
			k.Committed(committed(repo))
			s.tags = s.tags[:1]
		}
		// That there are too many is kept like a list.
		reads := min(want, 1) + want/3
		if _, err := k.Of(t.Context(), repo); errors.Is(err, taglist.ErrTooMany) != (want < 3) || s.reads != reads {
			t.Errorf("%s: %v, read %d times", what, err, s.reads)
		}
	}
}

// A pull without a tag asks for latest, so a command names another tag only without it.
func TestPreferred(t *testing.T) {
	for want, names := range map[string][]string{"": nil, "latest": {"1.0", "later", "latest", "z"}, "1.1": {"1.0", "1.1", "later"}} {
		s := named(names...)
		for k := range s.tags {
			if s.tags[k].Name == "1.1" {
				s.tags[k].Pushed = time.Now()
			}
		}
		if got := list(t, s).Preferred(); got != want {
			t.Errorf("of %q it is %q, want %q", names, got, want)
		}
	}
}
