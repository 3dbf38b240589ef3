package repository_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
	"hubledger/streams/streamtest"
)

// Every setting leaves the repository live, and what is not valid leaves no event.
func TestSettings(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	name := parse(t, "alice/app")
	if _, err := repository.Ensure(ctx, log, by, name, "secret"); !errors.Is(err, repository.ErrSettings) {
		t.Fatalf("created with another visibility: %v", err)
	}
	id, err := repository.Ensure(ctx, log, by, name, events.Public)
	if err != nil {
		t.Fatal(err)
	}
	many := make([]string, repository.MaxTopics+1)
	for k := range many {
		many[k] = fmt.Sprint("topic-", k)
	}
	patterns := slices.Repeat([]string{"v.*"}, repository.MaxPatterns+1)
	describe := func(d repository.Description) func() (uint64, error) {
		return func() (uint64, error) { return repository.Describe(ctx, log, by, id, name.Full, d) }
	}
	policy := func(p events.RepositoryPolicy) func() (uint64, error) {
		return func() (uint64, error) { return repository.ChangePolicy(ctx, log, by, id, name.Full, p) }
	}
	visible := func(v string) func() (uint64, error) {
		return func() (uint64, error) { return repository.ChangeVisibility(ctx, log, by, id, name.Full, v) }
	}
	clean := func(c events.Cleanup) func() (uint64, error) { return policy(events.RepositoryPolicy{Cleanup: &c}) }
	once := func(patterns ...string) func() (uint64, error) {
		return policy(events.RepositoryPolicy{ImmutableTags: patterns})
	}
	for k, row := range []struct {
		do func() (uint64, error)
		ok bool
	}{
		{visible(events.Private), true}, {visible(events.Public), true}, {visible(""), false}, {visible("Public"), false},
		{describe(repository.Description{}), true},
		{describe(repository.Description{Line: "  ünïcode, " + strings.Repeat("ü", 80) + "  ", Readme: strings.Repeat("x", 100_000), Topics: []string{"b", "a-1", "b"}}), true},
		{describe(repository.Description{Line: strings.Repeat("ü", 100)}), true}, {describe(repository.Description{Line: strings.Repeat("ü", 101)}), false},
		{describe(repository.Description{Line: "two\nlines"}), false}, {describe(repository.Description{Line: "two\u2028lines"}), false},
		{describe(repository.Description{Line: "\xff"}), false}, {describe(repository.Description{Line: "nul\x00"}), false},
		{describe(repository.Description{Readme: strings.Repeat("x", 100_001)}), false}, {describe(repository.Description{Readme: "\xff"}), false},
		{describe(repository.Description{Topics: many[:20]}), true}, {describe(repository.Description{Topics: many}), false},
		{describe(repository.Description{Topics: []string{"Upper"}}), false}, {describe(repository.Description{Topics: []string{""}}), false},
		{describe(repository.Description{Topics: []string{strings.Repeat("x", 36)}}), false},
		{once(`v\d+`, "1|2", "(?i)rc"), true}, {once("("), false}, {once(""), false}, {once("a)|(b"), false}, {once(`\Qabc`), false},
		{once(`(?=x)`), false}, {once(strings.Repeat("x", 200)), true}, {once(strings.Repeat("x", 201)), false}, {once(patterns[1:]...), true}, {once(patterns...), false},
		{clean(events.Cleanup{KeepLast: 10_000, NotPulledDays: 10_000, UntaggedDays: 10_000, KeepTags: []string{"latest"}}), true},
		{clean(events.Cleanup{KeepLast: 10_001}), false}, {clean(events.Cleanup{NotPulledDays: -1}), false}, {clean(events.Cleanup{UntaggedDays: 10_001}), false},
		{clean(events.Cleanup{KeepTags: []string{"["}}), false},
	} {
		before, err := log.LastSeq(ctx)
		if err != nil {
			t.Fatal(err)
		}
		seq, err := row.do()
		if row.ok && (err != nil || seq != before+1) || !row.ok && !errors.Is(err, repository.ErrSettings) {
			t.Errorf("row %d: event %d behind %d, %v", k, seq, before, err)
		}
		if after, _ := log.LastSeq(ctx); !row.ok && after != before {
			t.Errorf("row %d: a refusal left an event", k)
		}
		if again, err := repository.Ensure(ctx, log, by, name, events.Private); err != nil || again != id {
			t.Fatalf("row %d: the repository is %v now, %v", k, again, err)
		}
	}
	if _, err := repository.Describe(ctx, log, by, id, "alice/none", repository.Description{}); !errors.Is(err, repository.ErrUnknown) {
		t.Errorf("described what is not there: %v", err)
	}
}

func TestDescriptionIsTidied(t *testing.T) {
	log, ctx := streamtest.Open(t, ""), t.Context()
	id, err := repository.Ensure(ctx, log, by, parse(t, "alice/app"), events.Private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repository.Describe(ctx, log, by, id, "alice/app", repository.Description{Line: "  a tool\t ", Topics: []string{"b", "a", "b"}}); err != nil {
		t.Fatal(err)
	}
	p, _, err := command.Latest(ctx, log, events.RepositorySubject(id.Namespace, "alice/app"))
	e, ok := p.(events.RepositoryDescribed)
	if err != nil || !ok || e.Description != "a tool" || !slices.Equal(e.Topics, []string{"a", "b"}) {
		t.Errorf("described as %+v, %v", p, err)
	}
}

// A pattern matches a whole tag or nothing.
func TestTagSet(t *testing.T) {
	for _, row := range []struct {
		pattern, tag string
		has          bool
	}{
		{"v1", "v1", true}, {"v1", "v10", false}, {"v1", "av1", false}, {"1|2", "1", true}, {"1|2", "12", false}, {".*", "anything", true},
		{"^v1$", "v1", true}, {"(?i)rc", "RC", true}, {"a*?", "aaa", true}, {"[", "[", false}, {"v1", "v1\n", false},
	} {
		if got := repository.TagsMatching([]string{"never", row.pattern}).Has(row.tag); got != row.has {
			t.Errorf("%q has %q: %v", row.pattern, row.tag, got)
		}
	}
}

// FuzzPattern: a pattern that is accepted never makes a longer or shorter tag
// match than it says, and none makes signatures immutable.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{"v.*", "a|b", `\Qx\E`, "(?i)x", "x$|^y", `a\`, "(", "[a-z]{2,5}", "(?s:.)", `\z`, "a)|(?:b"} {
		f.Add(p, "v1")
	}
	f.Fuzz(func(t *testing.T, pattern, tag string) {
		policy := events.RepositoryPolicy{ImmutableTags: []string{pattern}}
		if repository.CheckPolicy(policy) != nil {
			return
		}
		if !repository.TagsMatching([]string{pattern, "accepted"}).Has("accepted") {
			t.Fatalf("%q is accepted and breaks its list", pattern)
		}
		re := regexp.MustCompile(`^(?:` + pattern + `)$`)
		if got, want := repository.Immutable(policy).Has("v1"), re.FindString("v1") == "v1"; want && !got {
			t.Fatalf("%q does not match v1", pattern)
		}
		if repository.Immutable(policy).Has("sha256-" + strings.Repeat("0", 64) + ".sig") {
			t.Fatalf("%q makes a signature's tag immutable", pattern)
		}
	})
}
