// Package gitremotetest serves git repositories as a git host does: over HTTP with a
// password and over SSH with a key, by git itself.
package gitremotetest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// The login of the repositories over HTTP.
const (
	User     = "alice"
	Password = "s3cret"
)

// A World is a folder of git repositories that are served, with app.git in it.
type World struct {
	T    testing.TB
	Root string
	Work string // a clone that pushes to app.git
}

// New makes app.git with a first commit, the branches main and feature/ünï, the tag
// light and the annotated tag v1.0. format is sha1 or sha256. It skips the test
// where there is no git.
func New(t testing.TB, format string) *World {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	w := &World{t, t.TempDir(), filepath.Join(t.TempDir(), "work")}
	w.Git(w.Root, "init", "-q", "--bare", "--object-format="+format, "-b", "main", "app.git")
	w.Git(w.Root, "init", "-q", "--object-format="+format, "-b", "main", w.Work)
	w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "first")
	w.Git(w.Work, "tag", "light")
	w.Git(w.Work, "tag", "-a", "-m", "the first", "v1.0")
	w.Git(w.Work, "branch", "feature/ünï")
	w.Push("--all")
	w.Push("--tags")
	return w
}

// Push pushes to app.git.
func (w *World) Push(args ...string) {
	w.T.Helper()
	w.Git(w.Work, append([]string{"push", "-q", filepath.Join(w.Root, "app.git")}, args...)...)
}

// Git runs git in a directory and returns what it prints.
func (w *World) Git(dir string, args ...string) string {
	w.T.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.T.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Handler serves the repositories over HTTP, to everybody when open, else to User.
func (w *World) Handler(open bool) http.Handler {
	path := w.Git(w.Root, "--exec-path")
	backend := &cgi.Handler{Path: filepath.Join(path, "git-http-backend"), Stderr: io.Discard,
		Env: []string{"GIT_PROJECT_ROOT=" + w.Root, "GIT_HTTP_EXPORT_ALL=1"}}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); !open && (user != User || password != Password) {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(rw, r)
	})
}

// ServeHTTP serves the repositories on a port of its own.
func (w *World) ServeHTTP(open bool) *httptest.Server {
	s := httptest.NewServer(w.Handler(open))
	w.T.Cleanup(s.Close)
	return s
}

// NewKey makes a key: the private half in OpenSSH's format, and what signs with it.
func NewKey(t testing.TB) (private []byte, signer ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	if signer, err = ssh.NewSignerFromKey(key); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), signer
}

// ServeSSH serves the repositories to whoever has a key that allowed accepts, by the
// commands that git runs on a host.
func (w *World) ServeSSH(host ssh.Signer, allowed func(ssh.PublicKey) bool) (address string) {
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if !allowed(key) {
			return nil, errors.New("another key")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go w.serveConn(conn, config)
		}
	}()
	return l.Addr().String()
}

func (w *World) serveConn(tcp net.Conn, config *ssh.ServerConfig) {
	defer tcp.Close()
	_, channels, requests, err := ssh.NewServerConn(tcp, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			if r.Type != "exec" {
				r.Reply(false, nil)
				continue
			}
			r.Reply(true, nil)
			var line struct{ Text string }
			ssh.Unmarshal(r.Payload, &line)
			cmd := exec.Command("sh", "-c", line.Text)
			cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.Root, channel, channel, channel.Stderr()
			status := struct{ Code uint32 }{}
			if cmd.Run() != nil {
				status.Code = 128
			}
			channel.SendRequest("exit-status", false, ssh.Marshal(status))
			channel.Close()
			break
		}
	}
}
