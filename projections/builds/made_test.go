package builds_test

import (
	"reflect"
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
)

// Two builds may make one image: each says which tags it set, and the later one is first.
func TestMadeOf(t *testing.T) {
	built := func(n, repository int, commit, digest string, tags ...string) []events.Payload {
		return []events.Payload{events.BuildQueued{Namespace: id(acme), Repository: id(repository), Build: id(n), Source: id(app), Ref: "refs/heads/main", Commit: commit, Tags: tags},
			events.BuildPushed{Namespace: id(acme), Build: id(n), Epoch: 1, Digest: digest},
			events.BuildFinished{Namespace: id(acme), Build: id(n), Epoch: 1, Outcome: events.BuildSucceeded, Digest: digest, Tags: tags}}
	}
	var list []events.Payload
	list = append(list, built(50, 40, "c1", "sha256:1", "1.0", "latest")...)
	list = append(list, built(51, 40, "c2", "sha256:1", "edge")...)
	list = append(list, built(52, 40, "c3", "sha256:2", "edge")...)
	list = append(list, built(53, 41, "c4", "sha256:1", "edge")...)
	onEach(t, list, func(t *testing.T, r builds.Reader) {
		of := func(n int, commit, digest string, tags ...string) builds.Made {
			return builds.Made{Digest: digest, Build: id(n), Ref: "refs/heads/main", Commit: commit, Tags: tags}
		}
		got, err := r.MadeOf(t.Context(), id(40), []string{"sha256:1", "sha256:2", "sha256:3"})
		want := map[string][]builds.Made{
			"sha256:1": {of(51, "c2", "sha256:1", "edge"), of(50, "c1", "sha256:1", "1.0", "latest")},
			"sha256:2": {of(52, "c3", "sha256:2", "edge")},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("made: %+v, %v; want %+v", got, err, want)
		}
	})
}
