package cmd

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func testCrane(t *testing.T, h *hubProcess) {
	c := findTool(t, "crane", "task clients")
	c.env = credentialsOf(t, h, "admin", adminPassword)
	l := newLayout(t, "crane")
	repo := h.Addr + "/carol/app"
	ref := repo + ":1"
	c.run(t, "push", l.dir, ref)
	same(t, "digest", c.run(t, "digest", ref), l.index.String())
	same(t, "digest for arm64", c.run(t, "digest", "--platform", "linux/arm64", ref), l.images["arm64"].Digest.String())
	same(t, "manifest", c.run(t, "manifest", ref), string(l.blobs[l.index]))
	c.run(t, "validate", "--remote", ref)
	for d, content := range l.blobs {
		if d != l.index && d != l.images["amd64"].Digest && d != l.images["arm64"].Digest {
			got, stderr, err := c.try("blob", repo+"@"+d.String())
			if err != nil || got != string(content) {
				t.Fatalf("blob %s: %v, %d bytes, want %d\n%s", d, err, len(got), len(content), stderr)
			}
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	c.run(t, "pull", "--format", "oci", ref, out)
	l.sameIn(t, out)

	c.run(t, "copy", ref, h.Addr+"/carol/copy:1")
	same(t, "digest of the copy", c.run(t, "digest", h.Addr+"/carol/copy:1"), l.index.String())
	same(t, "catalog", strings.Contains("\n"+c.run(t, "catalog", h.Addr)+"\n", "\ncarol/app\ncarol/copy\n"), true)

	layer := writeFile(t, filepath.Join(t.TempDir(), "layer.tar"), string(tarOf(t, "more.txt", "one more file")))
	c.run(t, "append", "--platform", "linux/amd64", "--base", ref, "--new_layer", layer, "--new_tag", repo+":more")
	tarball := filepath.Join(t.TempDir(), "files.tar")
	c.run(t, "export", repo+":more", tarball)
	for name, content := range map[string]string{"shared.txt": "shared by crane", "own.txt": "crane for amd64", "more.txt": "one more file"} {
		same(t, name, untar(t, tarball)[name], content)
	}
	c.run(t, "mutate", "--annotation", "org.example.reviewed=yes", "--tag", repo+":reviewed", repo+":more")
	contains(t, "annotated manifest", c.run(t, "manifest", repo+":reviewed"), `"org.example.reviewed":"yes"`)
	c.run(t, "tag", repo+":reviewed", "latest")
	same(t, "digest of the new tag", c.run(t, "digest", repo+":latest"), c.run(t, "digest", repo+":reviewed"))

	c.run(t, "index", "append", "--flatten=false", "-m", repo+":more", "-m", ref, "-t", repo+":nested")
	c.run(t, "validate", "--remote", repo+":nested")
	c.run(t, "index", "filter", "--platform", "linux/arm64", ref, "-t", repo+":arm")
	same(t, "the only image of the filtered index", c.run(t, "digest", "--platform", "linux/arm64", repo+":arm"), l.images["arm64"].Digest.String())

	tags := strings.Fields(c.run(t, "ls", repo))
	if want := []string{"1", "arm", "latest", "more", "nested", "reviewed"}; !slices.Equal(tags, want) {
		t.Fatalf("tags: %q, want %q", tags, want)
	}
	// Deleting by tag removes only the tag; deleting by digest removes the image and its tags.
	filtered := c.run(t, "digest", repo+":arm")
	c.run(t, "delete", repo+":arm")
	c.refused(t, "MANIFEST_UNKNOWN", "manifest", repo+":arm")
	same(t, "untagged manifest", c.run(t, "digest", repo+"@"+filtered), filtered)
	c.run(t, "delete", repo+"@"+c.run(t, "digest", repo+":latest"))
	for _, tag := range []string{"latest", "reviewed"} {
		get(t, h.URL+"/v2/carol/app/manifests/"+tag, http.StatusNotFound)
	}
	same(t, "digest of what stays", digest.FromString(c.run(t, "manifest", ref)), l.index)
}
