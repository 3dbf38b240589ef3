package gitremote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote/gitremotetest"
)

// check compares a listing with what git says.
func check(w *gitremotetest.World, l Listing, err error) {
	w.T.Helper()
	if err != nil {
		w.T.Error(err)
		return
	}
	commit, tag := w.Git(w.Work, "rev-parse", "main"), w.Git(w.Work, "rev-parse", "v1.0")
	want := []Ref{{"refs/heads/feature/ünï", commit, ""}, {"refs/heads/main", commit, ""}, {"refs/tags/light", commit, ""}, {"refs/tags/v1.0", tag, commit}}
	if !slices.Equal(l.Refs, want) || l.Head != "refs/heads/main" {
		w.T.Errorf("refs %+v, default branch %q\nwant %+v", l.Refs, l.Head, want)
	}
	if l.Refs[3].Commit() != commit {
		w.T.Errorf("the tag's commit is %s", l.Refs[3].Commit())
	}
}

func newClient(t *testing.T, allowed ...string) *Client {
	guard, err := egress.NewGuard(allowed)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(guard)
	t.Cleanup(c.Close)
	return c
}

func parsed(t *testing.T, text string) URL {
	t.Helper()
	u, err := ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestListHTTP(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		w := gitremotetest.New(t, format)
		s := w.ServeHTTP(false)
		c := newClient(t, "127.0.0.1")
		alice := Credentials{User: "alice", Password: "s3cret"}
		for _, path := range []string{"/app.git", "/app.git/"} {
			l, err := c.List(t.Context(), parsed(t, s.URL+path), alice, PullRefs{})
			check(w, l, err)
		}
		for _, r := range []struct {
			url  string
			with Credentials
			want error
		}{
			{"/app.git", Credentials{}, ErrCredentials},
			{"/app.git", Credentials{User: "alice", Password: "wr0ng"}, ErrCredentials},
			{"/none.git", alice, ErrNotFound},
		} {
			_, err := c.List(t.Context(), parsed(t, s.URL+r.url), r.with, PullRefs{})
			if !errors.Is(err, r.want) || strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s with %+v: %v", r.url, r.with, err)
			}
		}
		if _, err := newClient(t).List(t.Context(), parsed(t, s.URL+"/app.git"), alice, PullRefs{}); !errors.Is(err, egress.ErrForbidden) {
			t.Errorf("loopback: %v", err)
		}
	}
}

// An answer that is no git host's is refused, and a host that says nothing is left
// when the caller leaves.
func TestListHostile(t *testing.T) {
	hang := make(chan struct{})
	asked := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/page"):
			io.WriteString(w, "<title>Sign in</title>")
		case strings.HasPrefix(r.URL.Path, "/hang"):
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			w.(http.Flusher).Flush()
			close(asked)
			<-hang
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "http://user:s3cret@127.0.0.1:1/x?token=s3cret", http.StatusFound)
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer s.Close()
	defer close(hang)
	c := newClient(t, "127.0.0.1")
	for path, want := range map[string]error{"/page": ErrProtocol, "/moved": nil, "/teapot": nil} {
		_, err := c.List(t.Context(), parsed(t, s.URL+path), Credentials{}, PullRefs{})
		if err == nil || want != nil && !errors.Is(err, want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := c.List(ctx, parsed(t, s.URL+"/hang"), Credentials{}, PullRefs{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a silent host: %v", err)
	}
}

func TestListSSH(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	key, signer := gitremotetest.NewKey(t)
	otherKey, otherHost := gitremotetest.NewKey(t)
	_, host := gitremotetest.NewKey(t)
	address := w.ServeSSH(host, func(key ssh.PublicKey) bool { return bytes.Equal(key.Marshal(), signer.PublicKey().Marshal()) })
	c := newClient(t, "127.0.0.1")
	url := parsed(t, "ssh://git@"+address+filepath.Join(w.Root, "app.git"))

	first, err := c.List(t.Context(), url, Credentials{Key: key}, PullRefs{})
	check(w, first, err)
	if want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.PublicKey()))); first.HostKey != want {
		t.Errorf("the host's key is %q, want %q", first.HostKey, want)
	}
	again, err := c.List(t.Context(), url, Credentials{Key: key, HostKey: first.HostKey}, PullRefs{})
	check(w, again, err)
	evil := parsed(t, "ssh://git@"+address+"/x';touch${IFS}"+filepath.Join(w.Root, "broken-out")+";'")
	none := parsed(t, "ssh://git@"+address+"/none.git")
	for _, r := range []struct {
		what string
		url  URL
		with Credentials
		want error
	}{
		{"another host key", url, Credentials{Key: key, HostKey: string(ssh.MarshalAuthorizedKey(otherHost.PublicKey()))}, ErrHostKey},
		{"another key", url, Credentials{Key: otherKey}, ErrCredentials},
		{"no key", url, Credentials{}, ErrCredentials},
		{"no repository", none, Credentials{Key: key}, ErrNotFound},
		{"a shell's characters", evil, Credentials{Key: key}, ErrNotFound},
	} {
		if _, err := c.List(t.Context(), r.url, r.with, PullRefs{}); !errors.Is(err, r.want) {
			t.Errorf("%s: %v", r.what, err)
		}
	}
	if _, err := os.Stat(filepath.Join(w.Root, "broken-out")); err == nil {
		t.Error("a path is run by the host's shell")
	}
	if _, err := newClient(t).List(t.Context(), url, Credentials{Key: key}, PullRefs{}); !errors.Is(err, egress.ErrForbidden) {
		t.Errorf("loopback: %v", err)
	}
}
