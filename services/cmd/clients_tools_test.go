package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// missing ends a test whose tool is missing: it skips, or fails if
// HUBLEDGER_REQUIRE is 1.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// A tool is a client program: its path, and the environment and arguments of every
// call.
type tool struct {
	path string
	env  []string
	args []string
}

// findTool looks in .tmp/bin, where `task clients` builds, then on PATH.
func findTool(t testing.TB, name, from string) tool {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", ".tmp", "bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		path, err = exec.LookPath(name)
	}
	if err != nil {
		missing(t, name+" is not installed ("+from+")")
	}
	return tool{path: path}
}

// credentialsOf is the environment of a client that has logged in: docker, crane,
// oras and skopeo use the same file format at different paths.
func credentialsOf(t testing.TB, h *hubProcess, name, secret string) []string {
	t.Helper()
	dir := t.TempDir()
	config, err := json.Marshal(map[string]any{"auths": map[string]any{
		h.Addr: map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(name + ":" + secret))}}})
	if err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, filepath.Join(dir, "config.json"), string(config))
	return []string{"DOCKER_CONFIG=" + dir, "REGISTRY_AUTH_FILE=" + file}
}

// docker is the client, with an engine that answers. Its configuration is a
// directory of the test, so that it has only the credentials of env and no
// manifests of the user.
func docker(t testing.TB, env ...string) tool {
	t.Helper()
	d := findTool(t, "docker", "apt install docker.io")
	if env == nil {
		env = []string{"DOCKER_CONFIG=" + t.TempDir()}
	}
	d.env = append(env, "DOCKER_BUILDKIT=0")
	if host := os.Getenv("DOCKER_HOST"); host == "" {
		// The context that the user has chosen is in the configuration.
		if out, err := exec.Command(d.path, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}").Output(); err == nil {
			d.env = append(d.env, "DOCKER_HOST="+strings.TrimSpace(string(out)))
		}
	}
	if _, stderr, err := d.try("version"); err != nil {
		missing(t, "no docker engine answers (run with tools/with-docker): "+stderr)
	}
	return d
}

func (c tool) try(args ...string) (stdout, stderr string, err error) {
	var out, errOut bytes.Buffer
	cmd := exec.Command(c.path, append(append([]string{}, c.args...), args...)...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

// run fails the test when the command does, and returns its output without the
// last newline.
func (c tool) run(t testing.TB, args ...string) string {
	t.Helper()
	stdout, stderr, err := c.try(args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(c.path), strings.Join(args, " "), err, stdout, stderr)
	}
	return strings.TrimSuffix(stdout, "\n")
}

// refused runs a command that must fail and say why.
func (c tool) refused(t testing.TB, why string, args ...string) {
	t.Helper()
	stdout, stderr, err := c.try(args...)
	if err == nil || !strings.Contains(stdout+stderr, why) {
		t.Fatalf("%s %s: %v, want a failure that says %q\n%s%s", filepath.Base(c.path), strings.Join(args, " "), err, why, stdout, stderr)
	}
}

// helloProgram is a static program that prints /message and ends, for images FROM scratch.
var helloProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hello")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source := `package main; import "os"; func main() { b, err := os.ReadFile("/message"); if err != nil { panic(err) }; os.Stdout.Write(b) }`
	if err := os.WriteFile(filepath.Join(dir, "hello.go"), []byte(source), 0o644); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", "hello", "hello.go")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		os.Stderr.Write(out)
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "hello"))
})

// metric reads one number from /metrics.
func metric(t testing.TB, h *hubProcess, name string) float64 {
	t.Helper()
	text := string(get(t, h.URL+"/metrics", http.StatusOK).body)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}

func writeFile(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// same compares the result of one step with the expected one.
func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func contains(t testing.TB, what, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Fatalf("%s: no %q in\n%s", what, part, text)
	}
}
