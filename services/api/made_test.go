package api

import (
	"testing"

	"github.com/opencontainers/go-digest"
)

// A tag comes from the build that set it, also where another build has made the same image.
func TestMadeBy(t *testing.T) {
	d := digest.FromString("image")
	m := made{d.String(): {{Build: "third", Tags: []string{"edge"}}, {Build: "second", Tags: []string{"1.0"}}, {Build: "first", Tags: []string{"1.0", "latest"}}}}
	for tag, want := range map[string]string{"edge": "third", "1.0": "second", "latest": "first", "pushed": "third", "": "third"} {
		if by := m.by(d, tag); by == nil || by.Build != want {
			t.Errorf("%q comes from %+v, want %s", tag, by, want)
		}
	}
	if by := m.by(digest.FromString("other"), "edge"); by != nil {
		t.Errorf("an image that nobody built comes from %+v", by)
	}
}
