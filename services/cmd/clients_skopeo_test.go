package cmd

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/cmd/console"
)

func skopeo(t testing.TB) tool {
	t.Helper()
	s := findTool(t, "skopeo", "apt install skopeo")
	s.args = []string{"--insecure-policy", "--tls-verify=false"}
	return s
}

func testSkopeo(t *testing.T, h *hubProcess) {
	s := skopeo(t)
	s.env = credentialsOf(t, h, "admin", adminPassword)
	l := newLayout(t, "skopeo")
	from, to := "oci:"+l.dir+":1", "docker://"+h.Addr+"/bob/tool:1"
	s.run(t, "copy", "--all", from, to)
	raw := s.run(t, "inspect", "--raw", to)
	same(t, "digest of the index", digest.FromString(raw), l.index)

	back := t.TempDir()
	s.run(t, "copy", "--all", to, "oci:"+back+":1")
	l.sameIn(t, back)

	info := decode[struct {
		Name         string
		Architecture string
		RepoTags     []string
		Layers       []digest.Digest
	}](t, s.run(t, "--override-arch", "arm64", "inspect", to))
	same(t, "name", info.Name, h.Addr+"/bob/tool")
	same(t, "architecture", info.Architecture, "arm64")
	same(t, "layers", len(info.Layers), 2)
	if !slices.Equal(info.RepoTags, []string{"1"}) {
		t.Fatalf("tags: %v", info.RepoTags)
	}

	one := t.TempDir()
	s.run(t, "--override-arch", "arm64", "copy", to, "dir:"+one)
	manifest, err := os.ReadFile(filepath.Join(one, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "image for arm64", digest.FromBytes(manifest), l.images["arm64"].Digest)

	synced := t.TempDir()
	s.run(t, "sync", "--all", "--src", "docker", "--dest", "dir", h.Addr+"/bob/tool", synced)
	s.run(t, "sync", "--all", "--src", "dir", "--dest", "docker", synced, h.Addr+"/mirror")
	same(t, "digest of the mirrored index", digest.FromString(s.run(t, "inspect", "--raw", "docker://"+h.Addr+"/mirror/tool:1")), l.index)

	// An index without its images is refused, unless the repository accepts sparse indexes.
	sparse := newLayout(t, "skopeo, sparse")
	indexOnly := []string{"copy", "--multi-arch", "index-only", "oci:" + sparse.dir + ":1", "docker://" + h.Addr + "/bob/tool:sparse"}
	s.refused(t, "manifest blob unknown", indexOnly...)
	if _, stderr, code := h.Run("repos", "policy", "bob/tool", "--sparse-indexes"); code != console.ExitOK {
		t.Fatalf("repos policy: exit %d, %s", code, stderr)
	}
	s.run(t, indexOnly...)
	same(t, "digest of the sparse index", head(t, h, "bob/tool", "sparse").header.Get("Docker-Content-Digest"), sparse.index.String())
	get(t, h.URL+"/v2/bob/tool/manifests/"+sparse.images["amd64"].Digest.String(), http.StatusNotFound)
	s.run(t, "delete", "docker://"+h.Addr+"/bob/tool:sparse")

	gone := newLayout(t, "skopeo, deleted")
	s.run(t, "copy", "--all", "oci:"+gone.dir+":1", "docker://"+h.Addr+"/bob/tool:gone")
	s.run(t, "delete", "docker://"+h.Addr+"/bob/tool:gone")
	same(t, "tags after a deletion", s.run(t, "list-tags", "docker://"+h.Addr+"/bob/tool"),
		"{\n    \"Repository\": \""+h.Addr+"/bob/tool\",\n    \"Tags\": [\n        \"1\"\n    ]\n}")
	get(t, h.URL+"/v2/bob/tool/manifests/gone", http.StatusNotFound)
	get(t, h.URL+"/v2/bob/tool/manifests/"+gone.index.String(), http.StatusNotFound)
}
