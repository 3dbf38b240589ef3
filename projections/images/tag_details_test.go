package images_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections/images"
)

// platformImage is a push of an image with a config of 10 bytes and a layer of
// that size.
func platformImage(tag, architecture string, size int64) events.ImagePushed {
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: v1.Descriptor{Digest: digest.FromString(architecture), Size: 10},
		Layers: []v1.Descriptor{{Digest: digest.FromString("layer"), Size: size}}}
	p := pushed(repoA, tag, m.MediaType, m)
	p.Platform = &events.Platform{OS: "linux", Architecture: architecture, Variant: "v8"}
	return p
}

func platformIndex(tag string, children ...events.ImagePushed) events.ImagePushed {
	m := v1.Index{MediaType: v1.MediaTypeImageIndex}
	for _, c := range children {
		m.Manifests = append(m.Manifests, v1.Descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: int64(len(c.Manifest)),
			Platform: &v1.Platform{OS: c.Platform.OS, Architecture: c.Platform.Architecture}})
	}
	return pushed(repoA, tag, m.MediaType, m)
}

func TestTagDetails(t *testing.T) {
	amd, arm, gone := platformImage("", "amd64", 100), platformImage("", "arm64", 300), platformImage("gone", "riscv64", 5)
	single, dropped := platformImage("1.0", "amd64", 200), platformImage("deleted", "amd64", 1)
	large := pushed(repoA, "Large_x", v1.MediaTypeImageManifest, v1.Manifest{
		Config: v1.Descriptor{Digest: digest.FromString("config")}, Annotations: map[string]string{"x": strings.Repeat("x", 300<<10)}})
	onEach(t, []events.Payload{
		created(repoA, "alice/app"), amd, arm, single,
		platformIndex("latest", amd, arm, platformImage("", "absent", 9)),
		gone, deleted(gone),
		dropped, events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "deleted", Digest: dropped.Digest},
		large,
	}, func(t *testing.T, r images.Reader) {
		ctx := t.Context()
		list, err := r.TagDetails(ctx, repoA, "", 10)
		check(t, err)
		if tagNames(list) != "1.0 Large_x latest" {
			t.Fatalf("tags %q", tagNames(list))
		}
		one, big, latest := list[0], list[1], list[2]
		if one.Size != 210 || one.By != "tester" || !one.Pushed.Equal(minute(4)) || one.Digest != single.Digest || len(one.Images) != 1 ||
			one.Images[0].Platform.Architecture != "amd64" || one.Images[0].Platform.Variant != "v8" || one.Images[0].Size != 210 {
			t.Errorf("%+v", one)
		}
		if big.Size != 0 || len(big.Images) != 1 || big.Images[0].Digest != large.Digest {
			t.Errorf("a manifest that is too large to be looked into: %+v", big)
		}
		if latest.Size != 310 || len(latest.Images) != 2 || latest.Images[0].Digest != amd.Digest || latest.Images[1].Platform.Architecture != "arm64" ||
			!latest.Images[1].Pushed.Equal(minute(3)) {
			t.Errorf("%+v", latest)
		}
		if page, err := r.TagDetails(ctx, repoA, "1.0", 1); err != nil || tagNames(page) != "Large_x" {
			t.Errorf("behind 1.0: %q, %v", tagNames(page), err)
		}
		if tag, err := r.TagDetail(ctx, repoA, "latest"); err != nil || tag.Digest != latest.Digest {
			t.Errorf("latest: %+v, %v", tag, err)
		}
		for _, tag := range []string{"gone", "deleted", "never"} {
			if _, err := r.TagDetail(ctx, repoA, tag); !errors.Is(err, images.ErrNotFound) {
				t.Errorf("%s: %v", tag, err)
			}
		}
		for _, c := range []struct {
			text      string
			order     images.TagOrder
			offset, n int
			want      string
			count     int
		}{
			{"", images.NewestFirst, 0, 2, "Large_x latest", 3}, {"", images.NewestFirst, 2, 2, "1.0", 3}, {"", images.ByName, 1, 1, "Large_x", 3},
			{"", images.ByNameBack, 0, 9, "latest Large_x 1.0", 3}, {"la", images.ByName, 0, 9, "Large_x latest", 2},
			{"LATEST", images.NewestFirst, 0, 9, "latest", 1}, {"e_x", images.ByName, 0, 9, "Large_x", 1}, {".", images.ByName, 0, 9, "1.0", 1},
			{"_", images.ByName, 0, 9, "Large_x", 1}, {"%", images.ByName, 0, 9, "", 0}, {"!", images.ByName, 0, 9, "", 0}, {"\x00\xff", images.ByName, 0, 9, "", 0},
		} {
			list, err := r.FindTags(ctx, repoA, c.text, c.order, c.offset, c.n)
			if err != nil || tagNames(list) != c.want {
				t.Errorf("%+v: %q, %v", c, tagNames(list), err)
			}
			if n, err := r.CountTags(ctx, repoA, c.text); err != nil || n != c.count {
				t.Errorf("with %q: %d, %v, want %d", c.text, n, err, c.count)
			}
		}
	})
}

func tagNames(list []images.TagDetail) string {
	var all []string
	for _, t := range list {
		all = append(all, t.Name)
	}
	return strings.Join(all, " ")
}

// What was deleted is listed newest first, page by page, of one namespace or
// of all, and not longer than it can come back.
func TestDeletedPage(t *testing.T) {
	gone := func(ns, repo, name string) events.Payload {
		return events.RepositoryDeleted{Namespace: ns, Repository: repo, Name: name}
	}
	onEach(t, []events.Payload{
		events.NamespaceCreated{Namespace: nsID, Name: "x"}, events.NamespaceCreated{Namespace: otherNs, Name: "y"},
		created(repoA, "x/a"), created(repoB, "x/b"), events.RepositoryCreated{Namespace: otherNs, Repository: repoC, Name: "y/c"},
		gone(nsID, repoA, "x/a"), gone(otherNs, repoC, "y/c"), gone(nsID, repoB, "x/b"), // minutes 6 to 8
	}, func(t *testing.T, r images.Reader) {
		ctx := t.Context()
		names := func(ns string, since int, last images.DeletedRepository, n int) string {
			t.Helper()
			list, err := r.DeletedPage(ctx, ns, minute(since), last, n)
			check(t, err)
			var all []string
			for _, d := range list {
				all = append(all, d.Name)
			}
			return strings.Join(all, " ")
		}
		first := images.DeletedRepository{}
		b := images.DeletedRepository{ID: repoB, Deleted: minute(8)}
		// One that was deleted in the same moment comes by its id.
		tie := images.DeletedRepository{ID: repoA, Deleted: minute(8)}
		for _, c := range [][2]string{
			{names("", 0, first, 9), "x/b y/c x/a"}, {names("", 0, first, 2), "x/b y/c"}, {names("", 0, b, 9), "y/c x/a"}, {names("", 0, tie, 1), "x/b"},
			{names("", 7, first, 9), "x/b y/c"}, {names(nsID, 0, first, 9), "x/b x/a"}, {names(nsID, 0, b, 9), "x/a"}, {names(otherNs, 0, first, 9), "y/c"},
		} {
			if c[0] != c[1] {
				t.Errorf("%q, want %q", c[0], c[1])
			}
		}
	})
}
