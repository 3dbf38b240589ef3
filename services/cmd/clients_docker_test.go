package cmd

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var pushedDigest = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// dockerBuild builds an image FROM scratch that prints the message, and
// removes it and its other names from the engine when the test ends.
func dockerBuild(t testing.TB, d tool, message, ref string) (id string) {
	t.Helper()
	hello, err := helloProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "hello"), string(hello))
	writeFile(t, filepath.Join(dir, "message"), message)
	writeFile(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY hello /hello\nCOPY message /message\nENTRYPOINT [\"/hello\"]\n")
	id = d.run(t, "build", "--quiet", "--tag", ref, dir)
	t.Cleanup(func() { d.try("rmi", "--force", id) })
	return id
}

func pushDigest(t testing.TB, output string) string {
	t.Helper()
	found := pushedDigest.FindAllString(output, -1)
	if len(found) == 0 {
		t.Fatalf("no digest in\n%s", output)
	}
	return found[len(found)-1]
}

// unique makes content unique, so that no engine or registry has it already.
func unique() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func testDocker(t *testing.T, h *hubProcess) {
	d := docker(t, credentialsOf(t, h, "admin", adminPassword)...)
	message := "hello " + unique()
	repo := h.Addr + "/alice/hello"
	ref := repo + ":1.0"
	id := dockerBuild(t, d, message, ref)

	digest := pushDigest(t, d.run(t, "push", ref))
	same(t, "digest of the registry", head(t, h, "alice/hello", "1.0").header.Get("Docker-Content-Digest"), digest)

	d.run(t, "rmi", ref)
	d.refused(t, "No such image", "image", "inspect", id)
	d.run(t, "pull", ref)
	same(t, "image id after the pull", d.run(t, "image", "inspect", "--format", "{{.Id}}", ref), id)
	contains(t, "repository digests", d.run(t, "image", "inspect", "--format", "{{.RepoDigests}}", ref), repo+"@"+digest)
	same(t, "output of the pulled image", d.run(t, "run", "--rm", "--network", "none", ref), message)

	uploads := metric(t, h, "hubledger_blobs_uploaded_total")
	again := d.run(t, "push", ref)
	same(t, "layers that were there", strings.Count(again, "Layer already exists"), 2)
	same(t, "digest of the second push", pushDigest(t, again), digest)
	same(t, "blobs uploaded by the second push", metric(t, h, "hubledger_blobs_uploaded_total"), uploads)

	d.run(t, "tag", ref, h.Addr+"/bob/hello:1.0")
	mounts := metric(t, h, "hubledger_blobs_mounted_total")
	contains(t, "push to another repository", d.run(t, "push", h.Addr+"/bob/hello:1.0"), "Mounted from alice/hello")
	same(t, "layers mounted", metric(t, h, "hubledger_blobs_mounted_total"), mounts+2)

	d.run(t, "rmi", "--force", id)
	d.run(t, "pull", repo+"@"+digest)
	same(t, "image id after the pull by digest", d.run(t, "image", "inspect", "--format", "{{.Id}}", repo+"@"+digest), id)
	d.refused(t, "manifest unknown", "pull", repo+":none")
}

// An image that a tag named before, and that was deleted since, is pulled as of then, to
// its last layer, by docker and by crane.
func testDockerAsOf(t *testing.T, h *hubProcess) {
	d := docker(t, credentialsOf(t, h, "admin", adminPassword)...)
	message := "earlier " + unique()
	ref := h.Addr + "/alice/times:latest"
	id := dockerBuild(t, d, message, ref)
	digest := pushDigest(t, d.run(t, "push", ref))
	dockerBuild(t, d, "later "+unique(), ref)
	d.run(t, "push", ref)
	d.run(t, "rmi", "--force", id)
	spans, _, _ := h.Run("tags", "history", "alice/times:latest")
	row := regexp.MustCompile(`(?m)^([0-9]+) .*` + digest).FindStringSubmatch(spans)
	if row == nil {
		t.Fatalf("the history does not have %s:\n%s", digest, spans)
	}
	same(t, "status of the deletion", ask(t, "DELETE", h.URL+"/v2/alice/times/manifests/"+digest, nil, nil).status, 202)
	d.refused(t, "manifest unknown", "pull", h.Addr+"/alice/times@"+digest)
	asOf := ref + ".asof.s" + row[1]
	d.run(t, "pull", asOf)
	same(t, "image id as of then", d.run(t, "image", "inspect", "--format", "{{.Id}}", asOf), id)
	same(t, "output of the image as of then", d.run(t, "run", "--rm", "--network", "none", asOf), message)
	d.refused(t, "has not happened yet", "pull", ref+".asof.s999999999")
	tags, _, _ := h.Run("tags", "ls", "alice/times", "--as-of", "s"+row[1])
	contains(t, "tags as of then", tags, digest[:19])
}

func testDockerManifestList(t *testing.T, h *hubProcess) {
	d := docker(t, credentialsOf(t, h, "admin", adminPassword)...)
	message := "list " + unique()
	repo := h.Addr + "/alice/list"
	id := dockerBuild(t, d, message, repo+":amd64")
	dockerBuild(t, d, "not for this machine", repo+":arm64")
	d.run(t, "push", repo+":amd64")
	d.run(t, "push", repo+":arm64")
	list := repo + ":1.0"
	d.run(t, "manifest", "create", "--insecure", list, repo+":amd64", repo+":arm64")
	d.run(t, "manifest", "annotate", "--arch", "arm64", "--variant", "v8", list, repo+":arm64")
	digest := pushDigest(t, d.run(t, "manifest", "push", "--insecure", list))

	pushed := head(t, h, "alice/list", "1.0")
	same(t, "digest of the list", pushed.header.Get("Docker-Content-Digest"), digest)
	same(t, "its media type", pushed.header.Get("Content-Type"), "application/vnd.docker.distribution.manifest.list.v2+json")
	d.run(t, "rmi", "--force", id)
	d.run(t, "pull", "--platform", "linux/amd64", list)
	same(t, "output of the image from the list", d.run(t, "run", "--rm", "--network", "none", list), message)
	same(t, "image id by the list", d.run(t, "image", "inspect", "--format", "{{.Id}}", list), id)
}

// testDockerToSkopeo: what docker saved, skopeo pushes; what skopeo pushed, docker runs.
func testDockerToSkopeo(t *testing.T, h *hubProcess) {
	d, s := docker(t, credentialsOf(t, h, "admin", adminPassword)...), skopeo(t)
	s.env = credentialsOf(t, h, "admin", adminPassword)
	message := "archive " + unique()
	local := "hubledger-test:" + unique()
	id := dockerBuild(t, d, message, local)
	archive := filepath.Join(t.TempDir(), "image.tar")
	d.run(t, "save", "--output", archive, local)
	ref := h.Addr + "/alice/archive:1.0"
	s.run(t, "copy", "docker-archive:"+archive, "docker://"+ref)
	d.run(t, "rmi", "--force", id)
	d.run(t, "pull", ref)
	same(t, "output of the image that skopeo pushed", d.run(t, "run", "--rm", "--network", "none", ref), message)
}
