package images_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
)

// What pages ask of a repository comes to the same on either store.
func TestPageQueries(t *testing.T) {
	amd, arm := platformImage("", "amd64", 100), platformImage("", "arm64", 300)
	alone, gone := image(repoA, "", "alone"), image(repoA, "", "gone")
	tagged, other := image(repoA, "1.0", "tagged"), image(repoB, "1.0", "of another repository")
	list := platformIndex("latest", amd, arm)
	signature := v1.Manifest{MediaType: v1.MediaTypeImageManifest, ArtifactType: "application/vnd.test.signature", Config: blob("{}"), Subject: &v1.Descriptor{MediaType: tagged.MediaType, Digest: tagged.Digest, Size: int64(len(tagged.Manifest))}}
	signed := pushed(repoA, "", signature.MediaType, signature)
	zeta := pushed(repoA, "Zeta", tagged.MediaType, v1.Manifest{MediaType: tagged.MediaType, Config: blob("z"), Layers: []v1.Descriptor{}})
	onEach(t, []events.Payload{
		created(repoA, "alice/app"), created(repoB, "alice/other"), amd, arm, list, alone, gone, deleted(gone), tagged, other, signed,
		zeta, events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "Zeta", Digest: zeta.Digest},
	}, func(t *testing.T, r images.Reader) {
		ctx := t.Context()
		entries, err := r.TagEntries(ctx, repoA, 10)
		check(t, err)
		if len(entries) != 2 || entries[0].Name != "1.0" || entries[0].Digest != tagged.Digest || !entries[0].Pushed.Equal(minute(9)) || entries[1].Name != "latest" {
			t.Errorf("tags: %+v", entries)
		}
		if entries, err = r.TagEntries(ctx, repoA, 1); err != nil || len(entries) != 1 {
			t.Errorf("one tag: %+v, %v", entries, err)
		}
		details, err := r.TagDetailsOf(ctx, repoA, []string{"latest", "none", "1.0", "Zeta", `"; --`})
		check(t, err)
		if tagNames(details) != "1.0 latest" || details[1].Size != 310 || len(details[1].Images) != 2 {
			t.Errorf("named tags: %+v", details)
		}
		subjects, err := r.SubjectsOf(ctx, repoA, []digest.Digest{tagged.Digest, alone.Digest, list.Digest}, "application/vnd.test.signature", "another")
		check(t, err)
		if len(subjects) != 1 || !subjects[tagged.Digest] {
			t.Errorf("subjects: %v", subjects)
		}
		if subjects, err = r.SubjectsOf(ctx, repoA, []digest.Digest{tagged.Digest}, "another"); err != nil || len(subjects) != 0 {
			t.Errorf("subjects of another type: %v, %v", subjects, err)
		}
		m, err := r.ManifestDetail(ctx, repoA, tagged.Digest)
		check(t, err)
		if m.By != "tester" || m.Seq != 9 || m.Bytes != int64(len(tagged.Manifest)) || m.Parsed.Layers[0].Digest != blob("shared").Digest || !m.Pushed.Equal(minute(9)) {
			t.Errorf("manifest: %+v", m)
		}
		if m, err = r.ManifestDetail(ctx, repoA, list.Digest); err != nil || len(m.Images) != 2 || m.Size != 310 {
			t.Errorf("index: %+v, %v", m, err)
		}
		for _, none := range []digest.Digest{gone.Digest, other.Digest, digest.FromString("none")} {
			if _, err := r.ManifestDetail(ctx, repoA, none); !errors.Is(err, images.ErrNotFound) {
				t.Errorf("%s: %v", none, err)
			}
		}
		// The deleted one and the one of another repository do not count.
		if n, err := r.AlsoIn(ctx, repoA, blob("shared").Digest, tagged.Digest); err != nil || n != 1 {
			t.Errorf("the layer is in %d others, %v", n, err)
		}
		// One never had a tag, and one has lost it; each is a page.
		want := []digest.Digest{alone.Digest, zeta.Digest}
		slices.Sort(want)
		var found []digest.Digest
		for page := []images.Untagged{{}}; len(page) > 0; {
			page, err = r.Untagged(ctx, repoA, page[0].Digest, 1)
			check(t, err)
			for _, u := range page {
				found = append(found, u.Digest)
			}
		}
		if !slices.Equal(found, want) {
			t.Errorf("untagged: %v, want %v", found, want)
		}
	})
}
