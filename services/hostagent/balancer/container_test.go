package balancer_test

import (
	"archive/tar"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubledger/services/hostagent/balancer"
	"hubledger/services/hostagent/enginetest"
)

// haproxyImage makes an image of the HAProxy of this machine, with its libraries.
func haproxyImage(t *testing.T) *bytes.Buffer {
	t.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs haproxy")
	}
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	in := tar.NewWriter(&layer)
	done := map[string]bool{}
	for _, file := range append(regexp.MustCompile(`/\S+`).FindAllString(string(out), -1), program) {
		text, err := os.ReadFile(file)
		if err != nil || done[file] {
			continue
		}
		done[file] = true
		if err := in.WriteHeader(&tar.Header{Name: strings.TrimPrefix(file, "/"), Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	return &layer
}

func free(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// HAProxy runs in a container with its configuration bind-mounted, as docs/balancers.md says it: it
// serves, the agent reads its socket from the machine, and it is started again with the weights in its state file.
func TestHAProxyInAContainer(t *testing.T) {
	e := enginetest.Start(t)
	docker := func(in io.Reader, args ...string) string {
		t.Helper()
		c := exec.Command("docker", append([]string{"-H", e.Host()}, args...)...)
		c.Stdin = in
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("docker %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	docker(haproxyImage(t), "import", "-", "haproxy:here")
	dir, err := os.MkdirTemp("/tmp", "hubledger-haproxy") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	blue, green, in := free(t), free(t), free(t)
	for port, colour := range map[int]string{blue: "blue", green: "green"} {
		s := &http.Server{Addr: "127.0.0.1:" + strconv.Itoa(port), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, colour) })}
		go s.ListenAndServe()
		t.Cleanup(func() { s.Close() })
	}
	text, err := balancer.Config(balancer.Settings{Application: "admin/shop", Environment: "production", Services: []balancer.Web{{Name: "web", Blue: blue, Green: green, Probe: "/"}},
		Hosts: []balancer.Host{{Name: "web1", Address: "127.0.0.1"}}, Responder: free(t), Socket: "/run/haproxy/hubledger.sock", State: "/var/lib/haproxy/hubledger.state", Listen: in})
	if err != nil {
		t.Fatal(err)
	}
	config, run, state := filepath.Join(dir, "haproxy.cfg"), filepath.Join(dir, "run"), filepath.Join(dir, "state")
	for _, d := range []string{run, state} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, config, text, 0o644)
	write(t, filepath.Join(state, "hubledger.state"), "1\n", 0o644)
	docker(nil, "run", "-d", "--name", "haproxy", "--network", "host", "--restart", "unless-stopped", "-v", config+":/etc/haproxy/haproxy.cfg:ro", "-v", run+":/run/haproxy", "-v", state+":/var/lib/haproxy:ro",
		"haproxy:here", "/usr/sbin/haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg")
	ask := func() string {
		resp, err := http.Get("http://127.0.0.1:" + strconv.Itoa(in) + "/")
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	await := func(what string, so func() bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not so: %s\n%s", what, ask(), docker(nil, "logs", "haproxy"))
			}
		}
	}
	await("it serves", func() bool { s := ask(); return s == "blue" || s == "green" })
	// On the machine the agent reads sessions, sets nothing but weights, and keeps the state.
	socket := balancer.Socket(filepath.Join(run, "hubledger.sock"))
	tell := func(command string) string {
		t.Helper()
		c, err := net.Dial("unix", string(socket))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, command+"\n")
		out, _ := io.ReadAll(c)
		return string(out)
	}
	tell("set server admin:shop:production:web/web1-green weight 0%")
	write(t, filepath.Join(state, "hubledger.state"), tell("show servers state"), 0o644)
	docker(nil, "restart", "haproxy")
	await("it serves again", func() bool { return ask() == "blue" })
	for range 20 {
		if got := ask(); got != "blue" {
			t.Fatalf("started again it answers %s: the weights of before are lost", got)
		}
	}
}
