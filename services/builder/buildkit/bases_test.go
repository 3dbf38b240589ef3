package buildkit

import (
	"reflect"
	"testing"

	"hubledger/events"
)

// What a build calls by a name of docker.io came from this hub, unless the hub did not have
// it: a build with a network gets it from Docker Hub then.
func TestBasesOfDockerHub(t *testing.T) {
	const d = "sha256:91568bab538a6ae60824abd47894025d7ef2797d3ac9cd33e012886ef3d7c1e2"
	steps := []string{"[internal] load metadata for docker.io/acme/base:1", "[internal] load metadata for docker.io/library/alpine:3", "[1/3] FROM docker.io/acme/base:1@" + d,
		"[2/3] FROM docker.io/library/alpine:3@" + d, "[3/3] FROM docker.io/library/pinned:3@" + d}
	missing := map[string]bool{"library/alpine 3": true, "library/pinned " + d: true}
	got := bases(steps, []string{"hub.test"}, func(repository, reference string) bool { return missing[repository+" "+reference] })
	want := []events.BuildBase{{Name: "docker.io/acme/base:1", Digest: d, Repository: "acme/base", Tag: "1"}, {Name: "docker.io/library/alpine:3", Digest: d},
		{Name: "docker.io/library/pinned:3@" + d, Digest: d}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("made from %+v\nwant %+v", got, want)
	}
}
