package builds_test

import (
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
)

// The ref that has a tag is one whose build made the image that the tag names, to give it
// that tag, and which moved later, to the commit of the build, than the ref that asks.
func TestLaterRef(t *testing.T) {
	pushed := func(n int, ref, commit, digest string, tags ...string) []events.Payload {
		return []events.Payload{events.BuildQueued{Namespace: id(acme), Repository: id(40), Build: id(n), Source: id(app), Ref: ref, Commit: commit, Tags: tags},
			events.BuildPushed{Namespace: id(acme), Build: id(n), Epoch: 1, Digest: digest}}
	}
	const first, second, third, main = "refs/tags/v1", "refs/tags/v2", "refs/tags/v3", "refs/heads/main"
	list := []events.Payload{moved(app, main, "", "m1")}
	list = append(list, pushed(50, main, "m1", "sha256:m", "latest")...)
	list = append(list, moved(app, first, "", "c1"), moved(app, second, "", "c2"), moved(app, third, "", "c3"), moved(app, main, "m1", "m2"))
	list = append(list, pushed(53, third, "c3", "sha256:3", "3", "latest")...)
	list = append(list, pushed(52, second, "c2", "sha256:2", "2", "latest")...)
	list = append(list, pushed(51, first, "c1", "sha256:1", "1", "latest")...)
	list = append(list, events.BuildFinished{Namespace: id(acme), Build: id(53), Epoch: 1, Outcome: events.BuildSucceeded, Digest: "sha256:3", Tags: []string{"3", "latest"}})
	gone := append(list[:len(list):len(list)], moved(app, third, "c3", ""))
	for _, c := range []struct {
		what, tag, digest, want string
		list                    []events.Payload
	}{
		{"the tag names the image of a later ref", "latest", "sha256:3", third, list},
		{"whose build has not ended", "latest", "sha256:2", second, list},
		{"which did not give that tag", "2", "sha256:3", "", list},
		{"which was deleted", "latest", "sha256:3", "", gone},
		{"the tag names its own image", "latest", "sha256:1", "", list},
		{"that of a branch whose later commit is not built", "latest", "sha256:m", "", list},
		{"that of nobody", "latest", "sha256:x", "", list},
	} {
		onEach(t, c.list, func(t *testing.T, r builds.Reader) {
			b, err := r.Build(t.Context(), id(51))
			check(t, err)
			if ref, err := r.LaterRef(t.Context(), b, c.tag, c.digest); err != nil || ref != c.want {
				t.Errorf("%s: %q has it, %v; want %q", c.what, ref, err, c.want)
			}
		})
	}
}

// A build of an uploaded directory has no source; it is read as it was queued, is no news
// for a git host, and comes before what was queued earlier.
func TestUploadedDirectory(t *testing.T) {
	sent := &events.BuildUpload{Name: "acme/app", Digest: "sha256:t", Size: 9, Account: id(5), Token: id(6)}
	upload := func(n int) events.BuildQueued {
		return events.BuildQueued{Namespace: id(acme), Repository: id(40), Build: id(n), Tags: []string{"dev"}, Upload: sent}
	}
	git := events.BuildQueued{Namespace: id(acme), Repository: id(40), Build: id(51), Source: id(app), Ref: "refs/heads/main", Commit: "c", Tags: []string{"dev"}}
	pushed := func(n int, digest string) events.BuildPushed {
		return events.BuildPushed{Namespace: id(acme), Build: id(n), Epoch: 1, Digest: digest}
	}
	onEach(t, []events.Payload{upload(50), git, upload(52), pushed(50, "sha256:0"), pushed(51, "sha256:1"), pushed(52, "sha256:2")}, func(t *testing.T, r builds.Reader) {
		b, err := r.Build(t.Context(), id(50))
		if err != nil || b.Upload == nil || *b.Upload != *sent || b.Source != "" || b.Ref != "" {
			t.Errorf("it is %+v, %v", b, err)
		}
		for _, c := range []struct {
			n                 int
			tag, digest, want string
		}{{50, "dev", "sha256:1", id(51)}, {50, "dev", "sha256:2", id(52)}, {51, "dev", "sha256:2", id(52)}, {51, "dev", "sha256:0", ""}, {52, "dev", "sha256:1", ""}, {50, "other", "sha256:2", ""}} {
			b, err := r.Build(t.Context(), id(c.n))
			check(t, err)
			if got, err := r.LaterUpload(t.Context(), b, c.tag, c.digest); err != nil || got != c.want {
				t.Errorf("%s at %s instead of the build %d: %q, %v; want %q", c.tag, c.digest, c.n, got, err, c.want)
			}
		}
		if list, err := r.Unreported(t.Context(), 9); err != nil || len(list) != 0 {
			t.Errorf("a git host is to be told of %+v, %v", list, err)
		}
	})
}
