package cmd

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
)

// directoryOf makes a directory with these files.
func directoryOf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// client is one of the registry, as the administrator.
func (h *gitHub) client() *registrytest.Client {
	c := registrytest.NewClient(h.URL)
	if h.ca != "" {
		c.Trust(h.t, h.ca)
	}
	c.User, c.Password = "admin", adminPassword
	h.t.Cleanup(c.Close)
	return c
}

// imageFiles are the contents and permissions of the files of an image of admin/app.
func (h *gitHub) imageFiles(c *registrytest.Client, ref string) map[string]string {
	h.t.Helper()
	get := func(path string, into any) []byte {
		a := c.Must(h.t, "GET", "/v2/admin/app/"+path, nil, "Accept", v1.MediaTypeImageManifest)
		if into != nil {
			if err := json.Unmarshal(a.Body, into); err != nil {
				h.t.Fatal(err)
			}
		}
		return a.Body
	}
	var m v1.Manifest
	get("manifests/"+ref, &m)
	found := map[string]string{}
	for _, l := range m.Layers {
		z, err := gzip.NewReader(bytes.NewReader(get("blobs/"+l.Digest.String(), nil)))
		if err != nil {
			h.t.Fatal(err)
		}
		for r := tar.NewReader(z); ; {
			e, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				h.t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				h.t.Fatal(err)
			}
			found[e.Name] = fmt.Sprintf("%o %s", e.Mode, text)
		}
	}
	return found
}

// A directory becomes an image, by the operator and by a user with a login: without what
// .dockerignore leaves out, with what was asked for. What fails says why by its log and its
// exit code, and what is not pushed has no tag.
func TestBuildDirectory(t *testing.T) {
	h := startBuilding(t)
	c := h.client()
	dir := directoryOf(t, map[string]string{"Dockerfile": "FROM scratch\nARG WHAT\nLABEL what=$WHAT\nCOPY . /\n", "hello": "hi", "secret": "x", ".dockerignore": "secret\nDockerfile\n.docker*\n"})
	out, log, code := h.Run("build", dir, "--repository", "admin/app", "-t", "dev", "-t", "latest", "--build-arg", "WHAT=it", "--label", "a=b")
	if code != 0 || !strings.Contains(out, "COPY . /") || !strings.Contains(out, "/admin/app:dev\nDigest: sha256:") || !strings.Contains(log, "Sent the directory: sha256:") {
		t.Fatalf("it ended with %d\n%s\n%s", code, out, log)
	}
	b := h.builds()[0]
	if d, err := c.Pull("admin/app", "latest"); err != nil || d.String() != b.Digest || b.Upload == nil || b.QueuedBy != "operator" || strings.Join(b.Set, " ") != "dev latest" {
		t.Errorf("latest is %s, %v; the build is %+v", d, err, b)
	}
	if got := fmt.Sprint(h.imageFiles(c, "dev")); got != "map[hello:644 hi]" {
		t.Errorf("the image has %s", got)
	}
	if log := h.run("events", "ls"); !strings.Contains(log, " from an uploaded directory, sha256:") {
		t.Errorf("the log does not tell of it:\n%s", log)
	}
	for _, args := range [][]string{{"builds", "ls", "admin/app"}, {"builds", "show", "admin/app"}} {
		if text := h.run(args...); !strings.Contains(text, "uploaded directory") {
			t.Errorf("%v: %s", args, text)
		}
	}

	if _, log, code := h.Run("build", dir, "--repository", "admin/app", "--autotest"); code != 1 || !strings.Contains(log, "there are no autotests in ") {
		t.Errorf("--autotest without autotests ended with %d: %s", code, log)
	}

	// Nobody owns the namespace of top-level images: its builds push by the rights of an administrator.
	h.run("repos", "create", "library/base")
	if out, log, code := h.Run("build", dir, "--repository", "library/base", "-t", "dev"); code != 0 || !strings.Contains(out, "/base:dev\nDigest: sha256:") {
		t.Errorf("a top-level image: it ended with %d\n%s\n%s", code, out, log)
	}

	// As a user, on a hub that has the directory.
	user := func(args ...string) (string, error) {
		p := exec.Command(program(t), args...)
		p.Env, p.Stdin = append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(h.Data, "config")), strings.NewReader(adminPassword)
		text, err := p.CombinedOutput()
		return string(text), err
	}
	if text, err := user("login", h.URL, "--username", "admin", "--password-stdin"); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if text, err := user("build", dir, "--server", h.URL, "--repository", "admin/app", "--no-push"); err != nil || !strings.Contains(text, "The hub has the directory already: sha256:") || !strings.Contains(text, " succeeded") {
		t.Errorf("by a user: %v\n%s", err, text)
	}
	if b := h.builds()[0]; !b.Test || b.Digest != "" || b.QueuedBy != "admin" {
		t.Errorf("without a push the build is %+v", b)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\nCOPY nothing /\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := user("build", dir, "--server", h.URL, "--repository", "admin/app"); err == nil || !strings.Contains(text, "COPY nothing /") || !strings.Contains(text, " failed: ") {
		t.Errorf("with a file that is not there: %v\n%s", err, text)
	}
	n := len(h.builds())
	for want, body := range map[string]string{
		"has no blob sha256:000":            `{"digest": "sha256:` + strings.Repeat("0", 64) + `", "tags": ["dev"]}`,
		"outside of the uploaded directory": `{"digest": "` + b.Upload.Digest + `", "tags": ["dev"], "dockerfile": "../Dockerfile"}`,
	} {
		a, err := c.Do("POST", "/api/v1/repositories/admin/app/builds", []byte(body), "Content-Type", "application/json")
		if err != nil || a.Status != 422 || !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: %v\n%s", body, err, a.Body)
		}
	}
	for want, args := range map[string][]string{
		"hubledger repos create admin/none": {dir, "--repository", "admin/none"},
		"outside of":                        {dir, "--repository", "admin/app", "--file", "build_test.go"},
		"name the Dockerfile by --file":     {t.TempDir(), "--repository", "admin/app"},
		"is no tag":                         {dir, "--repository", "admin/app", "--tag", "a b"},
		"platforms":                         {dir, "--repository", "admin/app", "--platform", "windows"},
		"no such file or directory":         {filepath.Join(dir, "none"), "--repository", "admin/app"},
	} {
		if text, err := user(append([]string{"build", "--server", h.URL}, args...)...); err == nil || !strings.Contains(text, want) {
			t.Errorf("%v: %v\n%s", args, err, text)
		}
	}
	if got := len(h.builds()); got != n {
		t.Errorf("what was refused left %d builds", got-n)
	}
}

// A watching starts the command and returns it with what it writes.
func (h *gitHub) watching(args ...string) (*exec.Cmd, *logBuffer) {
	h.t.Helper()
	p, out := exec.Command(program(h.t), append([]string{"--data", h.Data, "build", "--repository", "admin/app"}, args...)...), &logBuffer{}
	p.Stdout, p.Stderr, p.SysProcAttr = out, out, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		p.Process.Kill()
		if h.t.Failed() {
			h.t.Logf("build has written:\n%s", out)
		}
	})
	return p, out
}

// With --watch a directory is built again when a file of it changes, also one in a new
// directory, and not when one changes that is left out. Ctrl-C ends that.
func TestBuildWatch(t *testing.T) {
	h := startBuilding(t)
	c := h.client()
	dir := directoryOf(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", "hello": "1", ".dockerignore": "*.log\nDockerfile\n.dockerignore\n"})
	write := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	p, out := h.watching(dir, "--watch")
	waits := func(n int) {
		t.Helper()
		h.await(fmt.Sprint(n, " builds have ended"), func() bool { return strings.Count(out.String(), "Waiting for files to change") >= n })
	}
	waits(1)
	write("hello", "2")
	waits(2)
	write("x.log", "left out")
	write("new/deep/file", "3")
	waits(3)
	write("new/deep/file", "4")
	waits(4)
	if got := h.imageFiles(c, "latest"); got["hello"] != "644 2" || got["new/deep/file"] != "644 4" {
		t.Errorf("the image has %v", got)
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if n := len(h.builds()); n != 4 {
		t.Errorf("there are %d builds", n)
	}
}

// Ctrl-C cancels the build.
func TestBuildInterrupted(t *testing.T) {
	h := startBuilding(t)
	dir := directoryOf(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY sleeper /sleeper\nRUN [\"/sleeper\"]\n", "sleeper": sleeper(t)})
	if err := os.Chmod(filepath.Join(dir, "sleeper"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, out := h.watching(dir)
	h.await("the step runs", func() bool { return strings.Contains(out.String(), `RUN ["/sleeper"]`) })
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil || !strings.Contains(out.String(), "was cancelled") {
		t.Errorf("it ended with %v", err)
	}
	if b := h.builds()[0]; b.Outcome != "cancelled" {
		t.Errorf("the build is %+v", b)
	}
}

// A builder on another machine builds a directory, too.
func TestBuildDirectoryByRemoteBuilder(t *testing.T) {
	h := startRemote(t)
	h.builder("big-iron")
	dir := directoryOf(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /\n", "hello": "hi"})
	out := h.run("build", dir, "--repository", "admin/app")
	if b := h.builds()[0]; !strings.Contains(out, "succeeded: docker pull ") || b.Builder != "big-iron" {
		t.Errorf("the build is %+v\n%s", b, out)
	}
	if got := fmt.Sprint(h.imageFiles(h.client(), "latest")); got != "map[hello:644 hi]" {
		t.Errorf("the image has %s", got)
	}
}
