package cmd

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/services/internal/apitypes"
)

// A scanner that is an image of the hub makes the SBOM of another one: it is beside the
// image under its tag, is no platform, and names what is in the image. A scanner that the
// build may not pull is the reason why that fails, and no tag is set.
func TestBuildWithSBOM(t *testing.T) {
	h := startBuilding(t, "--sbom-scanner", "tools/scanner:1")
	c := h.client()
	dir := directoryOf(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /\n", "hello": "hi"})
	if out, log, code := h.Run("build", dir, "--repository", "admin/app", "--sbom"); code == 0 || h.builds()[0].Reason != "no-sbom" || !strings.Contains(out+log, "tools/scanner:1, which makes SBOMs, is not in this hub") {
		t.Fatalf("without the scanner: %d\n%s", code, out+log)
	}

	scanner := directoryOf(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool /\nENTRYPOINT [\"/tool\", \"scan\"]\n"})
	compile := exec.Command("go", "build", "-ldflags", "-s -w", "-o", filepath.Join(scanner, "tool"), "../builder/buildkit/testdata/tool")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h.run("orgs", "create", "tools", "--owner", "admin")
	h.run("repos", "create", "tools/scanner")
	if out, log, code := h.Run("build", scanner, "--repository", "tools/scanner", "-t", "1"); code != 0 {
		t.Fatalf("the scanner cannot be built: %s\n%s", out, log)
	}
	if out, log, code := h.Run("build", dir, "--repository", "admin/app", "--sbom"); code == 0 || h.builds()[0].Reason != "no-sbom" || !strings.Contains(out+log, "make that repository public") {
		t.Fatalf("with a private scanner: %d\n%s", code, out+log)
	}
	if _, err := c.Pull("admin/app", "latest"); err == nil {
		t.Error("an image without its SBOM has a tag")
	}

	h.run("repos", "set", "tools/scanner", "--visibility", "public")
	h.run("build", dir, "--repository", "admin/app", "--sbom")
	show := func(digest string) (m apitypes.Manifest) {
		a := c.Must(t, http.MethodGet, "/api/v1/repositories/admin/app/manifests/"+digest, nil)
		if err := json.Unmarshal(a.Body, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	index := show(h.builds()[0].Digest)
	if len(index.Images) != 1 || index.Images[0].Architecture != "amd64" {
		t.Fatalf("it is for %+v", index.Images)
	}
	for _, m := range []apitypes.Manifest{index, show(index.Images[0].Digest)} {
		attestations := map[string]int{}
		for _, r := range m.Referrers {
			if attestations[r.Digest]++; r.Annotations["vnd.docker.reference.digest"] == index.Images[0].Digest && slices.Equal(r.Predicates, []string{"https://spdx.dev/Document"}) {
				attestations["sbom"]++
			}
		}
		if attestations["sbom"] != 1 || len(attestations) != len(m.Referrers)+1 {
			t.Errorf("%s has beside it %+v", m.Digest, m.Referrers)
		}
	}
}
