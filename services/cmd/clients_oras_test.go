package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A discovered artifact is what oras discover prints of one, with its referrers.
type discovered struct {
	Digest       string
	ArtifactType string
	Referrers    []discovered
}

// kinds are the artifact types of all referrers, nested ones after their subject's.
func (d discovered) kinds() (out []string) {
	for _, r := range d.Referrers {
		out = append(out, r.ArtifactType)
		out = append(out, r.kinds()...)
	}
	return out
}

func testOras(t *testing.T, h *hubProcess) {
	o := findTool(t, "oras", "task clients")
	o.env = credentialsOf(t, h, "admin", adminPassword)
	const thing, sbom, signature = "application/vnd.example.thing", "application/vnd.example.sbom", "application/vnd.example.signature"
	dir := t.TempDir()
	files := map[string]string{"readme.txt": "read me\n", "data.bin": strings.Repeat("\x00\x01\x02", 100_000), "sbom.json": `{"parts":[]}`, "signature": "signed"}
	for name, content := range files {
		writeFile(t, filepath.Join(dir, name), content)
	}
	t.Chdir(dir) // oras names files as they are given
	ref := h.Addr + "/dora/thing:1"

	o.run(t, "push", "--plain-http", "--no-tty", "--artifact-type", thing, ref, "readme.txt:text/plain", "data.bin")
	o.run(t, "attach", "--plain-http", "--no-tty", "--artifact-type", sbom, ref, "sbom.json:application/json")
	discover := func(ref string, args ...string) discovered {
		t.Helper()
		return decode[discovered](t, o.run(t, append([]string{"discover", "--plain-http", "--format", "json", ref}, args...)...))
	}
	of := discover(ref).Referrers
	same(t, "referrers of the thing", len(of), 1)
	o.run(t, "attach", "--plain-http", "--no-tty", "--artifact-type", signature, h.Addr+"/dora/thing@"+of[0].Digest, "signature")
	o.run(t, "attach", "--plain-http", "--no-tty", "--artifact-type", signature, ref, "--annotation", "org.example.by=dora")
	want := []string{sbom, signature, signature}
	if got := sorted(discover(ref).kinds()); !slices.Equal(got, want) {
		t.Fatalf("referrers: %q, want %q", got, want)
	}
	same(t, "referrers of one type", len(discover(ref, "--artifact-type", sbom).Referrers), 1)
	// If the client believed that the registry had no referrers API, it would have pushed a tag.
	same(t, "tags", o.run(t, "repo", "tags", "--plain-http", h.Addr+"/dora/thing"), "1")

	out := t.TempDir()
	o.run(t, "pull", "--plain-http", "--no-tty", "--output", out, ref)
	for _, name := range []string{"readme.txt", "data.bin"} {
		content, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || string(content) != files[name] {
			t.Fatalf("%s came back as %d bytes, %v", name, len(content), err)
		}
	}

	copied := h.Addr + "/dora/copy/of/thing:2"
	o.run(t, "cp", "--recursive", "--no-tty", "--from-plain-http", "--to-plain-http", ref, copied)
	if got := sorted(discover(copied).kinds()); !slices.Equal(got, want) {
		t.Fatalf("referrers of the copy: %q, want %q", got, want)
	}
	same(t, "digest of the copy", o.run(t, "resolve", "--plain-http", copied), o.run(t, "resolve", "--plain-http", ref))
	onDisk := filepath.Join(t.TempDir(), "layout")
	o.run(t, "cp", "--recursive", "--no-tty", "--from-plain-http", "--to-oci-layout", ref, onDisk+":1")
	o.run(t, "cp", "--recursive", "--no-tty", "--from-oci-layout", "--to-plain-http", onDisk+":1", h.Addr+"/dora/restored:1")
	if got := sorted(discover(h.Addr + "/dora/restored:1").kinds()); !slices.Equal(got, want) {
		t.Fatalf("referrers of what came from disk: %q, want %q", got, want)
	}

	o.run(t, "manifest", "delete", "--plain-http", "--force", h.Addr+"/dora/restored@"+of[0].Digest)
	if got := discover(h.Addr + "/dora/restored:1").kinds(); !slices.Equal(got, []string{signature}) {
		t.Fatalf("referrers after one was deleted: %q", got)
	}
	contains(t, "repositories", o.run(t, "repo", "ls", "--plain-http", h.Addr), "dora/copy/of/thing\n")
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
