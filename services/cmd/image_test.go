package cmd

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hubledger/services/cmd/console"
)

// TestImage builds the container image as `task image` does and starts it with
// docker and by docker-compose.yml.
func TestImage(t *testing.T) {
	d := docker(t)
	image := "hubledger-test:" + unique()
	build := tool{path: filepath.Join("..", "..", "tools", "image"), env: d.env}
	build.run(t, program(t), image)
	t.Cleanup(func() { d.try("rmi", "--force", image) })
	contains(t, "version", d.run(t, "run", "--rm", "--network", "none", image, "version"), "hubledger ")
	same(t, "user", d.run(t, "inspect", "--format", "{{.Config.User}}", image), "65532:65532")

	t.Run("docker run", func(t *testing.T) { testContainer(t, d, image) })
	t.Run("compose", func(t *testing.T) { testCompose(t, d, image) })
}

// testContainer pushes to a container on the host's network with a volume of
// its own, and pulls from the one that replaces it.
func testContainer(t *testing.T, d tool, image string) {
	name := "hubledger-test-" + unique()
	h := &hubProcess{Addr: freeAddr(t)}
	h.URL = "http://" + h.Addr
	t.Cleanup(func() {
		d.try("rm", "--force", name)
		d.try("volume", "rm", name)
	})
	run := func() {
		t.Helper()
		d.run(t, "run", "--detach", "--name", name, "--network", "host", "--volume", name+":/data", "--read-only", "--tmpfs", "/tmp",
			"--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--health-interval", "1s", "--env", "HUBLEDGER_LISTEN="+h.Addr,
			"--env", "HUBLEDGER_ADMIN_PASSWORD="+adminPassword, image)
		untilReady(t, d, h, name)
	}
	run()
	organizations(t, h, "alice")
	d.run(t, "login", "--username", "admin", "--password", adminPassword, h.Addr)
	message := "in a container " + unique()
	ref := h.Addr + "/alice/hello:1.0"
	id := dockerBuild(t, d, message, ref)
	digest := pushDigest(t, d.run(t, "push", ref))
	contains(t, "events ls in the container", d.run(t, "exec", name, "/hubledger", "events", "ls"), "alice/hello:1.0 ("+console.ShortDigest(digest)+")")

	// The volume outlives the container, and the container stops in order.
	d.run(t, "stop", "--time", "60", name)
	same(t, "exit code of the stopped container", d.run(t, "inspect", "--format", "{{.State.ExitCode}}", name), "0")
	d.run(t, "rmi", "--force", id)
	d.run(t, "rm", name)
	run()
	d.run(t, "pull", ref)
	same(t, "output of the image pulled from the container", d.run(t, "run", "--rm", "--network", "none", ref), message)
	same(t, "digest after the restart", head(t, h, "alice/hello", "1.0").header.Get("Docker-Content-Digest"), digest)
	until(t, "the health check", func() bool { return d.run(t, "inspect", "--format", "{{.State.Health.Status}}", name) == "healthy" })
}

// testCompose starts docker-compose.yml, pushes, and takes it down.
func testCompose(t *testing.T, d tool, image string) {
	c := tool{path: d.path, args: []string{"compose"}, env: d.env}
	if _, _, err := c.try("version"); err != nil { // the compose plugin, or else docker-compose
		c = findTool(t, "docker-compose", "apt install docker-compose")
		c.env = d.env
	}
	project := "hubledger-test-" + unique()
	c.args = append(c.args, "--file", filepath.Join("..", "..", "docker-compose.yml"), "--project-name", project)
	h := &hubProcess{Addr: freeAddr(t)}
	h.URL = "http://" + h.Addr
	c.env = append(c.env, "HUBLEDGER_IMAGE="+image, "HUBLEDGER_LISTEN="+h.Addr, "HUBLEDGER_ADMIN_PASSWORD="+adminPassword)
	t.Cleanup(func() { c.run(t, "down", "--volumes") })
	c.run(t, "up", "--detach")
	untilReady(t, d, h, c.run(t, "ps", "--quiet", "hub"))
	organizations(t, h, "alice")
	l := newLayout(t, "compose")
	l.push(t, h, "alice/app")
	c.run(t, "restart")
	untilReady(t, d, h, c.run(t, "ps", "--quiet", "hub"))
	same(t, "digest after the restart", head(t, h, "alice/app", "1").header.Get("Docker-Content-Digest"), l.index.String())
}

// untilReady waits for the container's hub, or for its end.
func untilReady(t *testing.T, d tool, h *hubProcess, name string) {
	t.Helper()
	until(t, "the container", func() bool {
		if d.run(t, "inspect", "--format", "{{.State.Running}}", name) != "true" {
			stdout, stderr, _ := d.try("logs", name)
			t.Fatalf("the container ended:\n%s%s", stdout, stderr)
		}
		resp, err := http.Get(h.URL + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// until polls until ok; the limit only ends a test that hangs.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is not there after %s", what, startTimeout)
		}
	}
}

func TestSystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	unit, err := os.ReadFile(filepath.Join("..", "..", "deploy", "hubledger.service"))
	if err != nil {
		t.Fatal(err)
	}
	// The unit must start a program that exists.
	text := strings.ReplaceAll(string(unit), "/usr/local/bin/hubledger serve", program(t)+" serve")
	if text == string(unit) {
		t.Fatal("the unit does not start /usr/local/bin/hubledger")
	}
	path := filepath.Join(t.TempDir(), "hubledger.service")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
	if err != nil || strings.Contains(string(out), "hubledger.service") {
		t.Fatalf("systemd-analyze verify: %v\n%s", err, out)
	}
}
