package images_test

import (
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections/images"
)

const (
	otherNs = "0191d1a0-0000-7000-8000-000000000002"
	repoC   = "0191d1a0-0000-7000-8000-00000000000c"
)

// What a repository and a namespace take, and what of it only they do.
func TestUsage(t *testing.T) {
	a, a2, b, c := image(repoA, "1", "config a"), image(repoA, "2", "another config"), image(repoB, "1", "config b"), image(repoC, "1", "config c")
	c.Namespace = otherNs
	gone := image(repoA, "3", "deleted config")
	same := a
	same.Tag = "same"
	all := index(repoA, "all", a, a2)
	list := []events.Payload{
		events.NamespaceCreated{Namespace: nsID, Name: "x"}, events.NamespaceCreated{Namespace: otherNs, Name: "y"},
		created(repoA, "x/a"), created(repoB, "x/b"), events.RepositoryCreated{Namespace: otherNs, Repository: repoC, Name: "y/c"},
		a, same, a2, b, c, gone, all, deleted(gone)}
	layer := int64(len("shared"))
	sizes := func(list ...events.ImagePushed) (n int64) {
		for _, i := range list {
			n += int64(len(i.Manifest))
		}
		return n
	}
	wants := func(t *testing.T, what string, got images.Usage, err error, want images.Usage) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
		}
	}
	inA := sizes(a, a2, all) + int64(len("config a")+len("another config"))
	inB := sizes(b) + int64(len("config b"))
	onEach(t, list, func(t *testing.T, r images.Reader) {
		u, err := r.RepositoryUsage(t.Context(), repoA, true)
		wants(t, "repository", u, err, images.Usage{Repositories: 1, Tags: 4, Manifests: 3, Blobs: 3, Bytes: inA + layer, Unique: inA})
		if u.Shared() != layer {
			t.Errorf("%d are shared", u.Shared())
		}
		u, err = r.NamespaceUsage(t.Context(), nsID, true)
		wants(t, "namespace", u, err, images.Usage{Repositories: 2, Tags: 5, Manifests: 4, Blobs: 4, Bytes: inA + inB + layer, Unique: inA + inB})
		// Who may not look elsewhere is not told what is there.
		u, err = r.NamespaceUsage(t.Context(), nsID, false)
		wants(t, "namespace by itself", u, err, images.Usage{Repositories: 2, Tags: 5, Manifests: 4, Blobs: 4, Bytes: inA + inB + layer, Unique: inA + inB + layer})
		u, err = r.RepositoryUsage(t.Context(), repoA, false)
		wants(t, "repository in its namespace", u, err, images.Usage{Repositories: 1, Tags: 4, Manifests: 3, Blobs: 3, Bytes: inA + layer, Unique: inA})
		u, err = r.RepositoryUsage(t.Context(), repoC, false)
		inC := sizes(c) + int64(len("config c"))
		wants(t, "repository alone in its namespace", u, err, images.Usage{Repositories: 1, Tags: 1, Manifests: 1, Blobs: 2, Bytes: inC + layer, Unique: inC + layer})
	})
	// Where nobody else lives, all is one's own.
	list = append(list, events.RepositoryDeleted{Namespace: otherNs, Repository: repoC, Name: "y/c"}, deleted(b))
	onEach(t, list, func(t *testing.T, r images.Reader) {
		u, err := r.RepositoryUsage(t.Context(), repoA, true)
		wants(t, "repository alone", u, err, images.Usage{Repositories: 1, Tags: 4, Manifests: 3, Blobs: 3, Bytes: inA + layer, Unique: inA + layer})
		u, err = r.NamespaceUsage(t.Context(), nsID, true)
		wants(t, "namespace alone", u, err, images.Usage{Repositories: 2, Tags: 4, Manifests: 3, Blobs: 3, Bytes: inA + layer, Unique: inA + layer})
		u, err = r.RepositoryUsage(t.Context(), repoC, true)
		wants(t, "deleted repository", u, err, images.Usage{})
		u, err = r.NamespaceUsage(t.Context(), otherNs, true)
		wants(t, "namespace without repositories", u, err, images.Usage{})
		var manifests, holds int
		var bytes int64
		err = r.NamespaceContent(t.Context(), nsID,
			func(_, _ []byte, size int64) { manifests++; bytes += size }, func(_ []byte, _ int64) { holds++ })
		if err != nil || manifests != 3 || holds != 4 || bytes != sizes(a, a2, all) {
			t.Errorf("%d manifests of %d bytes with %d holds, %v", manifests, bytes, holds, err)
		}
	})
}

// A repository's policy is read as it was given, and whoever has one is listed.
func TestPolicies(t *testing.T) {
	policy := events.RepositoryPolicy{ImmutableTags: []string{`v\d+`, "<&>"}, Cleanup: &events.Cleanup{KeepLast: 3, KeepTags: []string{"x"}, UntaggedDays: 7}}
	set := func(repo, name string, p events.RepositoryPolicy) events.Payload {
		return events.RepositoryPolicyChanged{Namespace: nsID, Repository: repo, Name: name, Policy: p}
	}
	list := []events.Payload{created(repoA, "x/a"), created(repoB, "x/b"), created(repoC, "x/c"),
		set(repoA, "x/a", events.RepositoryPolicy{SparseIndexes: true}), set(repoA, "x/a", policy), set(repoB, "x/b", policy),
		events.RepositoryDeleted{Namespace: nsID, Repository: repoB, Name: "x/b"}}
	onEach(t, list, func(t *testing.T, r images.Reader) {
		repo, err := r.Repository(t.Context(), "x/a")
		check(t, err)
		if repo.Policy.SparseIndexes || !slices.Equal(repo.Policy.ImmutableTags, policy.ImmutableTags) || repo.Policy.Cleanup == nil ||
			repo.Policy.Cleanup.KeepLast != 3 || repo.Policy.Cleanup.UntaggedDays != 7 || !slices.Equal(repo.Policy.Cleanup.KeepTags, []string{"x"}) {
			t.Errorf("the policy is %+v", repo.Policy)
		}
		with, err := r.WithPolicy(t.Context(), "", 10)
		if err != nil || len(with) != 1 || with[0].Name != "x/a" || with[0].ID != repoA || with[0].Policy.Cleanup == nil {
			t.Errorf("listed %+v, %v", with, err)
		}
		if with, err = r.WithPolicy(t.Context(), "x/a", 10); err != nil || len(with) != 0 {
			t.Errorf("listed %+v behind the last, %v", with, err)
		}
	})
}

// What cleanup goes by: what is live, what names what, and since when not.
func TestContent(t *testing.T) {
	a, b := image(repoA, "1", "a"), image(repoA, "1", "b")
	all := index(repoA, "all", a, b)
	list := []events.Payload{created(repoA, "x/a"), a, b, all,
		events.TagDeleted{Namespace: nsID, Repository: repoA, Tag: "all", Digest: all.Digest}, image(repoA, "2", "c"), deleted(image(repoA, "2", "c"))}
	onEach(t, list, func(t *testing.T, r images.Reader) {
		c, err := r.Content(t.Context(), repoA)
		check(t, err)
		if len(c.Tags) != 1 || c.Tags[0].Name != "1" || c.Tags[0].Digest != b.Digest || !c.Tags[0].Pushed.Equal(minute(3)) || c.Tags[0].Seq != 3 {
			t.Errorf("tags %+v", c.Tags)
		}
		found := map[digest.Digest]images.ContentManifest{}
		for _, m := range c.Manifests {
			found[m.Digest] = m
		}
		i := found[all.Digest]
		if len(found) != 3 || !found[a.Digest].Released.Equal(minute(3)) || !found[b.Digest].Released.IsZero() || !found[b.Digest].Pushed.Equal(minute(3)) ||
			!i.Released.Equal(minute(5)) || !slices.Equal(i.Children, []digest.Digest{a.Digest, b.Digest}) || i.Size != int64(len(all.Manifest)) {
			t.Errorf("manifests %+v", c.Manifests)
		}
		for d, want := range map[digest.Digest]uint64{a.Digest: 4, all.Digest: 4, digest.FromString("none"): 0} {
			if seq, err := r.LastPush(t.Context(), repoA, d); err != nil || seq != want {
				t.Errorf("%s was pushed last by event %d, %v, not %d", d, seq, err, want)
			}
		}
	})
}
