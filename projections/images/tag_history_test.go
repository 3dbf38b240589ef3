package images_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
)

// A tag's past is the times in which it named one image: what is pushed again, and what was
// undone, begins no new one.
func TestTagHistory(t *testing.T) {
	one, two := image(repoA, "1", "one"), image(repoA, "1", "two")
	gone := func(i events.ImagePushed) events.Payload {
		return events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "1", Digest: i.Digest}
	}
	list := []events.Payload{events.NamespaceCreated{Namespace: nsID, Name: "alice"}, events.RepositoryCreated{Namespace: nsID, Repository: repoA, Name: "alice/app"},
		one,             // 3
		small(one, "1"), // again
		two,             // 5
		deleted(two),    // 6, undone
		restored(two, 6),
		whole(one, "other"),
		gone(two),       // 9
		small(one, "1"), // 10
		deleted(one),    // 11
		whole(one, "1"), // 12
		small(two, "1"), // 13
	}
	names := map[digest.Digest]string{one.Digest: "one", two.Digest: "two"}
	told := func(spans []images.TagSpan) string {
		var b strings.Builder
		for _, s := range spans {
			what := names[s.Digest]
			if s.Deleted {
				what = "no " + what
			}
			fmt.Fprintf(&b, "%s %d-%d", what, s.Seq, s.UntilSeq)
			if s.Hidden {
				b.WriteString(" deleted")
			}
			b.WriteString("; ")
			if !s.From.Equal(minute(int(s.Seq))) || s.UntilSeq > 0 && !s.Until.Equal(minute(int(s.UntilSeq))) || s.By != "tester" {
				t.Errorf("%+v", s)
			}
		}
		return b.String()
	}
	const want = "two 13-0; one 12-13; one 10-11 deleted; no two 9-10; two 5-9; one 3-5; "
	onEach(t, list, func(t *testing.T, r images.Reader) {
		all, more, err := r.TagHistory(t.Context(), repoA, "1", 0, 10)
		check(t, err)
		if got := told(all); got != want || more {
			t.Errorf("%s more %v, wanted %s", got, more, want)
		}
		pages, before := "", uint64(0)
		for more := true; more; {
			var page []images.TagSpan
			page, more, err = r.TagHistory(t.Context(), repoA, "1", before, 2)
			check(t, err)
			if len(page) == 0 || len(page) > 2 {
				t.Fatalf("a page of %d behind %d", len(page), before)
			}
			pages, before = pages+told(page), page[len(page)-1].Seq
		}
		if pages != want {
			t.Errorf("in pages %s, wanted %s", pages, want)
		}
		if none, more, err := r.TagHistory(t.Context(), repoA, "never", 0, 10); err != nil || more || len(none) > 0 {
			t.Errorf("of a tag that never was: %v, %v, %v", none, more, err)
		}
		asOf := ""
		for seq := uint64(2); seq <= 13; seq++ {
			p, err := r.TagAsOf(t.Context(), repoA, "1", seq)
			if errors.Is(err, images.ErrNotFound) {
				asOf += fmt.Sprintf("%d none; ", seq)
				continue
			}
			check(t, err)
			asOf += fmt.Sprintf("%d %s; ", seq, names[p.Digest])
			if in, err := r.TagsAsOf(t.Context(), repoA, "0", seq, 1); err != nil || len(in) != 1 || in[0] != *p {
				t.Errorf("as of %d the list is %v, %v; the tag %v", seq, in, err, p)
			}
		}
		// Unlike the history, what was there at some time does not know what was undone later.
		const wantAsOf = "2 none; 3 one; 4 one; 5 two; 6 none; 7 two; 8 two; 9 none; 10 one; 11 none; 12 one; 13 two; "
		if asOf != wantAsOf {
			t.Errorf("as of each event %s, wanted %s", asOf, wantAsOf)
		}
		seq, at, err := r.TagNamed(t.Context(), repoA, "1", one.Digest)
		if err != nil || seq != 12 || !at.Equal(minute(12)) {
			t.Errorf("it named one at %d, %v, %v", seq, at, err)
		}
		if _, _, err := r.TagNamed(t.Context(), repoA, "other", two.Digest); !errors.Is(err, images.ErrNotFound) {
			t.Errorf("the other tag named two: %v", err)
		}
	})
}

// The trash has what was deleted and is not there again, with what comes back, and knows
// whether it can.
func TestTrash(t *testing.T) {
	one, two, three := image(repoA, "1", "one"), image(repoA, "2", "two"), image(repoA, "3", "three")
	list := []events.Payload{events.NamespaceCreated{Namespace: nsID, Name: "alice"}, events.RepositoryCreated{Namespace: nsID, Repository: repoA, Name: "alice/app"},
		one, two, three, small(two, "two"), // 3 to 6
		deleted(one), // 7: pushed again later
		deleted(two), // 8: by two at once
		deleted(two), // 9
		events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "3", Digest: three.Digest},                    // 10
		events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "back", Digest: three.Digest}, whole(one, ""), // 11, 12
		events.TagRestored{Namespace: nsID, Repository: repoA, Tag: "back", Digest: three.Digest}, deleted(three), // 13, 14
		events.BlobsSwept{Blobs: []events.SweptBlob{{Digest: blob("three").Digest, Size: 5}, {Digest: blob("shared").Digest, Size: 6}}}, // 15
		image(repoB, "x", "elsewhere"), // 16 has "shared" again
	}
	onEach(t, list, func(t *testing.T, r images.Reader) {
		told := func(list []images.Trashed) (text string) {
			for _, d := range list {
				if by := map[bool]string{false: "tester"}[d.Tag == ""]; !d.Time.Equal(minute(int(d.Seq))) || d.By != by {
					t.Errorf("%+v", d)
				}
				text += fmt.Sprintf("%d %s %s; ", d.Seq, d.Tag, map[digest.Digest]string{one.Digest: "one", two.Digest: "two", three.Digest: "three"}[d.Digest])
			}
			return text
		}
		all, err := r.Trash(t.Context(), repoA, 0, 10)
		check(t, err)
		if got, want := told(all), "14  three; 10 3 three; 9  two; "; got != want {
			t.Errorf("%s, wanted %s", got, want)
		}
		page, err := r.Trash(t.Context(), repoA, 14, 1)
		check(t, err)
		if got, want := told(page), "10 3 three; "; got != want {
			t.Errorf("behind 14 %s, wanted %s", got, want)
		}
		hidden, err := r.TagsHidden(t.Context(), repoA, []digest.Digest{one.Digest, two.Digest, three.Digest})
		check(t, err)
		if got, want := fmt.Sprint(hidden[one.Digest], hidden[two.Digest], hidden[three.Digest]), "[1] [2 two] [back]"; got != want {
			t.Errorf("hidden tags %s, wanted %s", got, want)
		}
		fates, err := r.Fates(t.Context(), repoA, []digest.Digest{one.Digest, two.Digest, three.Digest, digest.FromString("never")})
		check(t, err)
		if len(fates) != 3 || !fates[one.Digest].Live() || fates[two.Digest].Deletion.Seq != 9 || fates[two.Digest].Swept != 0 ||
			fates[three.Digest].Deletion.Seq != 14 || !fates[three.Digest].Deletion.Time.Equal(minute(14)) || fates[three.Digest].Swept != 15 {
			t.Errorf("fates %+v", fates)
		}
	})
}
