package eventquery_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/eventquery"
)

func parse(t *testing.T, text string) eventquery.Query {
	t.Helper()
	q, err := eventquery.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "",
		"  ":                                     "",
		"actor:alice":                            "actor:alice",
		"repository:team/app actor:alice":        "repo:team/app actor:alice",
		"ACTOR:Alice":                            "actor:Alice",
		"actor:bob type:image. actor:alice":      "type:image. actor:alice actor:bob",
		"actor:a actor:a":                        "actor:a",
		"-type:image.tagged type:image.*":        "type:image.* -type:image.tagged",
		`actor:"a b"`:                            `actor:"a b"`,
		`actor:"alice"`:                          "actor:alice",
		`actor:"say \"hi\" \\"`:                  `actor:"say \"hi\" \\"`,
		`actor:back\slash`:                       `actor:"back\\slash"`,
		"digest:SHA256:AB12CD34EF56":             "digest:sha256:ab12cd34ef56",
		"digest:ab12cd34ef56 commit:ABCDEF1":     "digest:ab12cd34ef56 commit:abcdef1",
		"since:2026-11-01 before:2h":             "since:2026-11-01 before:2h",
		"aggregate:build\taggregate:evt.x.tag.*": "aggregate:build aggregate:evt.x.tag.*",
		"actor:a:b":                              "actor:a:b",
	} {
		q := parse(t, text)
		if q.String() != want {
			t.Errorf("%q is %q, want %q", text, q, want)
		}
		if again := parse(t, q.String()); !slices.Equal(again.Terms, q.Terms) {
			t.Errorf("%q is read back as %q", q, again)
		}
	}
	for text, want := range map[string]struct {
		at   int
		says string
	}{
		"alice":                              {0, "type, aggregate, repo, namespace, actor"},
		"actor:alice colour:red":             {12, "there are: type, aggregate"},
		"actor:alice -colour:red":            {13, `"colour"`},
		"actor:":                             {6, "no value"},
		`actor:""`:                           {6, "no value"},
		`actor:"alice`:                       {6, "no end"},
		`actor:"alice"bob`:                   {13, "space"},
		`actor:al"ice`:                       {8, "quotation mark"},
		"actor: alice":                       {6, "no value"},
		"type:Image":                         {5, "no type"},
		"type:*":                             {5, "no type"},
		"digest:sha256:xyz":                  {7, "no digest"},
		"digest:sha256:ab":                   {7, "at least 12"},
		"commit:abc":                         {7, "at least 7"},
		"since:yesterday":                    {6, "2026-11-01"},
		"before:99999999999w":                {7, "2026-11-01"},
		"cause:12":                           {6, "no id"},
		"actor:" + strings.Repeat("a", 600):  {6, "512 bytes"},
		strings.Repeat("actor:a ", 41):       {320, "40 terms"},
		"actor:" + strings.Repeat("a", 2000): {2000, "2000 bytes"},
		"actor:\xff":                         {0, "UTF-8"},
		"actor:a\x00":                        {0, "UTF-8"},
	} {
		_, err := eventquery.Parse(text)
		var wrong *eventquery.Error
		if !errors.As(err, &wrong) || wrong.At != want.at || !strings.Contains(wrong.Message, want.says) {
			t.Errorf("%.40q: %v, want %q at %d", text, err, want.says, want.at)
		}
	}
}

// A page has a chip for each term: it adds and takes away terms.
func TestWithAndWithout(t *testing.T) {
	q := parse(t, "actor:alice since:2h")
	more, err := q.With(eventquery.Term{Not: true, Name: "type", Value: "image.tagged"})
	if err != nil || more.String() != "-type:image.tagged actor:alice since:2h" {
		t.Errorf("%q, %v", more, err)
	}
	if same, err := more.With(eventquery.Term{Name: "actor", Value: "alice"}); err != nil || same.String() != more.String() {
		t.Errorf("%q, %v", same, err)
	}
	if less := more.Without(more.Terms[1]); less.String() != "-type:image.tagged since:2h" || more.String() != "-type:image.tagged actor:alice since:2h" {
		t.Errorf("%q of %q", less, more)
	}
	if _, err := q.With(eventquery.Term{Name: "colour", Value: "red"}); err == nil {
		t.Error("a qualifier that is none was added")
	}
}

func TestGroups(t *testing.T) {
	groups := parse(t, "actor:alice -type:image.tagged actor:bob type:image. since:2h").Groups()
	want := []eventquery.Group{{Name: "type", Values: []string{"image."}}, {Not: true, Name: "type", Values: []string{"image.tagged"}}, {Name: "actor", Values: []string{"alice", "bob"}}}
	if !slices.EqualFunc(groups, want, func(a, b eventquery.Group) bool {
		return a.Not == b.Not && a.Name == b.Name && slices.Equal(a.Values, b.Values)
	}) {
		t.Errorf("%+v", groups)
	}
}

func TestBetween(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	for text, want := range map[string][2]time.Time{
		"":                                          {},
		"since:2h":                                  {now.Add(-2 * time.Hour), {}},
		"since:2026-11-01 before:2026-11-3":         {}, // is refused
		"since:2026-11-01 before:2026-11-03":        {day(1), day(3)},
		"since:2026-11-01 since:2026-11-02":         {day(2), {}},
		"-since:2026-11-05":                         {{}, day(5)},
		"-before:2026-11-05 before:1d":              {day(5), now.Add(-24 * time.Hour)},
		"since:2026-11-01T02:00:00+02:00 before:1w": {day(1), now.Add(-7 * 24 * time.Hour)},
	} {
		q, err := eventquery.Parse(text)
		if strings.HasSuffix(text, "11-3") != (err != nil) {
			t.Errorf("%s: %v", text, err)
		}
		if since, before := q.Between(now); !since.Equal(want[0]) || !before.Equal(want[1]) {
			t.Errorf("%s: %v to %v, want %v", text, since, before, want)
		}
	}
}

func TestMatchType(t *testing.T) {
	for value, want := range map[string][2]bool{ // image.pushed.v1, image.pushed_twice.v2
		"image.pushed": {true, false}, "image.pushed.v1": {true, false}, "image.pushed.v2": {false, false}, "image.": {true, true}, "image.*": {true, true},
		"image.push*": {true, true}, "image": {false, false}, "tag.": {false, false}, "image.pushed_twice.v2": {false, true},
	} {
		for k, name := range []string{"image.pushed.v1", "image.pushed_twice.v2"} {
			if got := eventquery.MatchType(value, name); got != want[k] {
				t.Errorf("%s and %s: %t", value, name, got)
			}
		}
	}
}

// What can be read is printed in a form that is read as the same, and the place of a
// mistake is inside the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", `-actor:"a \" b" repo:team/app`, "type:image.* since:2h before:2026-11-01", "actor:\u00a0x", `commit:abcdef1 "`, "-", ":", `a:"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := eventquery.Parse(text)
		if err != nil {
			var wrong *eventquery.Error
			if !errors.As(err, &wrong) || wrong.At < 0 || wrong.At > len(text) || wrong.Message == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		printed := q.String()
		again, err := eventquery.Parse(printed)
		if len(printed) > eventquery.MaxLength && err != nil {
			return // the canonical form has more quotation marks
		}
		if err != nil || again.String() != printed || !slices.Equal(again.Terms, q.Terms) {
			t.Fatalf("%q is printed as %q, which is read as %q, %v", text, printed, again, err)
		}
		for _, term := range q.Terms {
			if less := q.Without(term); len(less.Terms) != len(q.Terms)-1 {
				t.Fatalf("%q without %q is %q", q, term, less)
			}
		}
	})
}
