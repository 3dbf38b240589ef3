package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
	"hubledger/services/builder/fetch"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/gitremote/gitremotetest"
)

func TestMain(m *testing.M) {
	if cage.Inside() {
		cage.Main()
	}
	if fetch.Inside() {
		fetch.Main()
	}
	os.Exit(m.Run())
}

// A world is repositories that git serves, and a fetcher that may reach them.
type world struct {
	*gitremotetest.World
	http    *httptest.Server
	fetcher *fetch.Fetcher
	log     *bytes.Buffer
	n       int
}

func newWorld(t *testing.T, format string, allowed ...string) *world {
	t.Helper()
	_, groups := cgroup.Hierarchies()
	_, mkfs := os.Stat(cage.Mkfs())
	if err := errors.Join(groups, mkfs); err != nil || os.Geteuid() != 0 {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatalf("fetches run in cages, which root makes: %v", err)
		}
		t.Skipf("fetches run in cages, which root makes: %v", err)
	}
	w := &world{World: gitremotetest.New(t, format), log: &bytes.Buffer{}}
	w.http = w.ServeHTTP(false)
	w.fetcher = &fetch.Fetcher{Guard: guard(t, append(allowed, strings.TrimPrefix(w.http.URL, "http://"))...), Dir: filepath.Join(t.TempDir(), "fetches"),
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if err := os.Mkdir(w.fetcher.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

func guard(t *testing.T, allowed ...string) *egress.Guard {
	t.Helper()
	g, err := egress.NewGuard(allowed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func parse(t *testing.T, text string) gitremote.URL {
	t.Helper()
	u, err := gitremote.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// commit writes files to the clone, commits them, and returns the commit.
func (w *world) commit(message string, files ...string) string {
	w.T.Helper()
	for k := 0; k+1 < len(files); k += 2 {
		path := filepath.Join(w.Work, files[k])
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(files[k+1]), 0o644)); err != nil {
			w.T.Fatal(err)
		}
	}
	w.Git(w.Work, "add", "-A")
	w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", message)
	return w.Git(w.Work, "rev-parse", "HEAD")
}

func (w *world) source(commit string) fetch.Source {
	return fetch.Source{URL: parse(w.T.(*testing.T), w.http.URL+"/app.git"), Commit: commit, Ref: "refs/heads/main",
		With: gitremote.Credentials{User: gitremotetest.User, Password: gitremotetest.Password}}
}

var limits = fetch.Limits{Bytes: 16 << 20, Files: 1000, Memory: 256 << 20, Time: time.Minute}

// fetch fetches, and looks for secrets and for what is left.
func (w *world) fetch(s fetch.Source) (dir string, c fetch.Commit, err error) {
	w.T.Helper()
	w.n++
	dir = w.T.TempDir()
	c, err = w.fetcher.Fetch(w.T.Context(), fmt.Sprintf("fetchtest-%d-%d", os.Getpid(), w.n), dir, s, limits)
	if text := fmt.Sprint(err, w.log); strings.Contains(text, gitremotetest.Password) || strings.Contains(text, "PRIVATE KEY") {
		w.T.Errorf("a secret is told: %s", text)
	}
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, walkErr error) error {
		if walkErr == nil && e.Type().IsRegular() {
			if data, _ := os.ReadFile(path); bytes.Contains(data, []byte(gitremotetest.Password)) || bytes.Contains(data, []byte("127.0.0.1:5000")) {
				w.T.Errorf("%s has a secret, or an address of the cage", path)
			}
		}
		return nil
	})
	if left, _ := os.ReadDir(w.fetcher.Dir); len(left) > 0 {
		w.T.Errorf("left: %v", left)
	}
	return dir, c, err
}

func content(t testing.TB, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// The exact commit is fetched, over HTTP and SSH, of either kind of object.
func TestFetch(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		w := newWorld(t, format)
		w.commit("files", "Dockerfile", "FROM scratch\n", "dir/file", "content", "run.sh", "#!/bin/sh\n")
		os.Chmod(filepath.Join(w.Work, "run.sh"), 0o755)
		os.Symlink("dir/file", filepath.Join(w.Work, "link"))
		wanted := w.commit("the subject\n\nand more ünï")
		later := w.commit("later", "dir/file", "changed")
		w.Push("main")
		key, signer := gitremotetest.NewKey(t)
		_, hostKey := gitremotetest.NewKey(t)
		ssh := w.ServeSSH(hostKey, func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), signer.PublicKey().Marshal()) })
		w.fetcher.Guard = guard(t, ssh, strings.TrimPrefix(w.http.URL, "http://"))
		over := map[string]fetch.Source{"http": w.source(wanted), "ssh": w.source(wanted)}
		bySSH := over["ssh"]
		bySSH.URL, bySSH.With = parse(t, "ssh://git@"+ssh+filepath.Join(w.Root, "app.git")), gitremote.Credentials{Key: key}
		over["ssh"] = bySSH
		for name, s := range over {
			dir, c, err := w.fetch(s)
			if err != nil {
				t.Errorf("%s, %s: %v\n%s", format, name, err, w.log)
				continue
			}
			if c.ID != wanted || c.Message != "the subject\n\nand more ünï" || time.Since(c.Time) > time.Hour {
				t.Errorf("%+v", c)
			}
			if content(t, dir, "dir/file") != "content" || content(t, dir, "link") != "content" || later == wanted {
				t.Error("it is another commit")
			}
			if info, err := os.Stat(filepath.Join(dir, "run.sh")); err != nil || info.Mode().Perm()&0o111 == 0 {
				t.Errorf("%v, %v", info, err)
			}
			if got := w.Git(dir, "-c", "safe.directory=*", "rev-parse", "HEAD"); got != wanted {
				t.Errorf("HEAD is %s", got)
			}
		}
	}
}

// A commit that no ref names any more is fetched while the host has it; then it is
// gone.
func TestForcePush(t *testing.T) {
	w := newWorld(t, "sha1")
	old := w.commit("old", "file", "old")
	w.Push("main")
	w.Git(w.Work, "reset", "-q", "--hard", "HEAD^")
	w.commit("new", "file", "new")
	w.Push("--force", "main")
	dir, _, err := w.fetch(w.source(old))
	if err != nil || content(t, dir, "file") != "old" {
		t.Errorf("%v\n%s", err, w.log)
	}
	w.Git(filepath.Join(w.Root, "app.git"), "-c", "gc.pruneExpire=now", "-c", "gc.reflogExpire=now", "-c", "gc.reflogExpireUnreachable=now", "gc", "-q", "--prune=now")
	if _, _, err = w.fetch(w.source(old)); !errors.Is(err, fetch.ErrGone) {
		t.Errorf("%v\n%s", err, w.log)
	}
	s := w.source(old)
	s.Ref = "refs/heads/deleted"
	if _, _, err = w.fetch(s); !errors.Is(err, fetch.ErrGone) {
		t.Errorf("%v\n%s", err, w.log)
	}
}

// What is wrong is told as such, and nothing leads into the hub's own network.
func TestRefused(t *testing.T) {
	w := newWorld(t, "sha1")
	commit := w.commit("first", "file", "content")
	w.Push("main")
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the hub's own network was reached") }))
	defer inner.Close()
	redirecting := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, inner.URL+r.URL.Path+"?"+r.URL.RawQuery, http.StatusFound)
	}))
	defer redirecting.Close()
	w.fetcher.Guard = guard(t, strings.TrimPrefix(w.http.URL, "http://"), strings.TrimPrefix(redirecting.URL, "http://"))
	for name, c := range map[string]struct {
		change func(s *fetch.Source)
		want   error
		part   string
	}{
		"own network":    {func(s *fetch.Source) { s.URL = parse(t, inner.URL+"/app.git") }, egress.ErrForbidden, ""},
		"redirect":       {func(s *fetch.Source) { s.URL = parse(t, redirecting.URL+"/app.git") }, egress.ErrForbidden, ""},
		"ssh":            {func(s *fetch.Source) { s.URL = parse(t, "ssh://git@127.0.0.1:1/app.git") }, egress.ErrForbidden, ""},
		"password":       {func(s *fetch.Source) { s.With.Password = "wrong" }, gitremote.ErrCredentials, ""},
		"no credentials": {func(s *fetch.Source) { s.With = gitremote.Credentials{} }, gitremote.ErrCredentials, ""},
		"repository":     {func(s *fetch.Source) { s.URL.Path = "/other.git" }, gitremote.ErrNotFound, ""},
		"commit":         {func(s *fetch.Source) { s.Commit = strings.Repeat("0123", 10) }, fetch.ErrGone, ""},
		"no commit":      {func(s *fetch.Source) { s.Commit = "main" }, nil, "no id of a commit"},
		"no ref":         {func(s *fetch.Source) { s.Ref = "--upload-pack=x" }, nil, "no branch or tag"},
		"ref":            {func(s *fetch.Source) { s.Ref = "refs/heads/a:b" }, nil, "no branch or tag"},
	} {
		s := w.source(commit)
		c.change(&s)
		_, _, err := w.fetch(s)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v\n%s", name, err, w.log)
		}
	}
}

// A repository is bounded, whether it is large on the way or only when unpacked.
func TestTooLarge(t *testing.T) {
	w := newWorld(t, "sha1")
	for name, data := range map[string]string{"zeros": strings.Repeat("\x00", 24<<20), "random": random(20 << 20)} {
		commit := w.commit(name, "large", data)
		w.Push("main")
		if _, _, err := w.fetch(w.source(commit)); !errors.Is(err, fetch.ErrTooLarge) {
			t.Errorf("%s: %v\n%s", name, err, w.log)
		}
	}
	os.Remove(filepath.Join(w.Work, "large"))
	var files []string
	for n := range 1100 {
		files = append(files, fmt.Sprint("many/", n), "")
	}
	commit := w.commit("many", files...)
	w.Push("main")
	if _, _, err := w.fetch(w.source(commit)); !errors.Is(err, fetch.ErrTooLarge) {
		t.Errorf("%v\n%s", err, w.log)
	}
}

// The history of a repository does not count, however large it is: the commit alone is
// fetched.
func TestLargeHistory(t *testing.T) {
	w := newWorld(t, "sha1")
	w.commit("large", "large", random(20<<20)) // more than may be fetched
	os.Remove(filepath.Join(w.Work, "large"))
	commit := w.commit("small", "file", "content")
	w.Push("main")
	dir, _, err := w.fetch(w.source(commit))
	if err != nil || content(t, dir, "file") != "content" {
		t.Errorf("%v\n%s", err, w.log)
	}
}

// A commit of 2 GB is fetched by the limits that builds have, without this process keeping
// it in memory; by a limit of 1 GB it is refused as too large.
func TestTwoGigabytes(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("HUBLEDGER_SOAK is not set: 2 GB are written four times")
	}
	w := newWorld(t, "sha1")
	w.Git(w.Work, "config", "core.compression", "0")
	w.Git(w.Work, "config", "core.bigFileThreshold", "1m")
	piece := random(64 << 20)
	for n := range 30 {
		w.write(fmt.Sprint("large/", n), fmt.Sprint(n), piece)
	}
	s := w.source(w.commit("large"))
	w.Git(w.Root, "clone", "-q", "--bare", "--local", w.Work, "large.git")
	w.Git(filepath.Join(w.Root, "large.git"), "config", "core.bigFileThreshold", "1m")
	s.URL.Path = "/large.git"
	for bytes, want := range map[int64]error{fetch.DefaultLimits.Bytes: nil, 1 << 30: fetch.ErrTooLarge} {
		l := fetch.DefaultLimits
		l.Bytes = bytes
		dir := t.TempDir()
		most := heapMeanwhile(func() {
			_, err := w.fetcher.Fetch(t.Context(), fmt.Sprintf("fetchtest-%d-large", os.Getpid()), dir, s, l)
			if !errors.Is(err, want) {
				t.Errorf("by a limit of %d MiB: %v\n%s", bytes>>20, err, w.log)
			}
		})
		if info, err := os.Stat(filepath.Join(dir, "large/29")); want == nil && (err != nil || info.Size() < 64<<20) {
			t.Errorf("the last file: %v, %v", info, err)
		}
		if most > 256<<20 { // of which the test itself has 64 MiB
			t.Errorf("by a limit of %d MiB the heap had %d MiB", bytes>>20, most>>20)
		}
		os.RemoveAll(dir)
	}
}

// write writes a file of the clone.
func (w *world) write(name string, parts ...string) {
	w.T.Helper()
	path := filepath.Join(w.Work, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	f, openErr := os.Create(path)
	if err := errors.Join(err, openErr); err != nil {
		w.T.Fatal(err)
	}
	defer f.Close()
	for _, p := range parts {
		if _, err := f.WriteString(p); err != nil {
			w.T.Fatal(err)
		}
	}
}

// heapMeanwhile is the most that the heap had while something was done.
func heapMeanwhile(do func()) (most uint64) {
	runtime.GC()
	done := make(chan struct{})
	go func() { do(); close(done) }()
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-done:
			return most
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func random(n int) string {
	var b strings.Builder
	for x := uint64(88172645463325252); b.Len() < n; {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.WriteString(string([]byte{byte(x), byte(x >> 8), byte(x >> 16), byte(x >> 24)}))
	}
	return b.String()[:n]
}

// Submodules are fetched by relative and whole URLs; the credentials go to the
// source's host alone, and none leads into the hub's own network or to a file.
func TestSubmodules(t *testing.T) {
	w := newWorld(t, "sha1")
	open := w.ServeHTTP(true)
	w.fetcher.Guard = guard(t, strings.TrimPrefix(w.http.URL, "http://"), strings.TrimPrefix(open.URL, "http://"))
	w.Git(w.Root, "clone", "-q", "--bare", w.Work, "part.git")
	part := w.Git(w.Work, "rev-parse", "HEAD")
	with := func(url string) string {
		w.commit("module", ".gitmodules", "[submodule \"part\"]\n\tpath = part\n\turl = "+url+"\n")
		w.Git(w.Work, "update-index", "--add", "--cacheinfo", "160000,"+part+",part")
		w.Git(w.Work, "commit", "-q", "-m", "module")
		w.Push("--force", "main")
		return w.Git(w.Work, "rev-parse", "HEAD")
	}
	secret := filepath.Join(t.TempDir(), "secret.git")
	w.Git(w.Root, "clone", "-q", "--bare", w.Work, secret)
	for url, want := range map[string]error{"../part.git": nil, open.URL + "/part.git": nil,
		"http://127.0.0.1:1/part.git": fetch.ErrSubmodule, "file://" + secret: fetch.ErrSubmodule, secret: fetch.ErrSubmodule,
		"ssh://git@github.com/a/b.git": fetch.ErrSubmodule, "git://127.0.0.1/part.git": fetch.ErrSubmodule, "ext::sh -c true": fetch.ErrSubmodule} {
		s := w.source(with(url))
		s.Submodules = true
		dir, _, err := w.fetch(s)
		if want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("%s: %v\n%s", url, err, w.log)
			continue
		}
		if _, statErr := os.Stat(filepath.Join(dir, "part", ".git")); (statErr == nil) != (err == nil) {
			t.Errorf("%s: %v", url, statErr)
		}
	}
	s := w.source(with("http://127.0.0.1:1/part.git"))
	if _, _, err := w.fetch(s); err != nil {
		t.Errorf("without submodules: %v", err)
	}
}

// What anybody may have written reads no other repository of the host with the
// credentials: the whole commit is fetched with them, and its submodules without.
func TestSubmodulesOfFork(t *testing.T) {
	w := newWorld(t, "sha1")
	open := w.ServeHTTP(true)
	key, signer := gitremotetest.NewKey(t)
	_, hostKey := gitremotetest.NewKey(t)
	ssh := w.ServeSSH(hostKey, func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), signer.PublicKey().Marshal()) })
	w.fetcher.Guard = guard(t, ssh, strings.TrimPrefix(w.http.URL, "http://"), strings.TrimPrefix(open.URL, "http://"))
	w.Git(w.Root, "clone", "-q", "--bare", w.Work, "private.git")
	part := w.Git(w.Work, "rev-parse", "HEAD")
	root := "ssh://git@" + ssh + w.Root
	for name, c := range map[string]struct {
		ssh           bool
		submodule     string
		pusher, reads bool // whoever may push has it, and anybody
	}{
		"relative":               {false, "../private.git", true, false},
		"by a longer way":        {false, w.http.URL + "/app.git/./../private.git", false, false},
		"the repository":         {false, "./", false, true},
		"public":                 {false, open.URL + "/private.git", false, true},
		"by SSH":                 {true, root + "/private.git", true, false},
		"by SSH, the repository": {true, root + "/app.git", false, true},
	} {
		w.commit(name, ".gitmodules", "[submodule \"part\"]\n\tpath = part\n\turl = "+c.submodule+"\n")
		w.Git(w.Work, "update-index", "--add", "--cacheinfo", "160000,"+part+",part")
		w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "module")
		w.Push("--force", "main")
		s := w.source(w.Git(w.Work, "rev-parse", "HEAD"))
		if c.ssh {
			s.URL, s.With = parse(t, root+"/app.git"), gitremote.Credentials{Key: key}
		}
		s.Submodules = true
		if c.pusher {
			if _, _, err := w.fetch(s); err != nil {
				t.Errorf("%s: who may push cannot have it: %v\n%s", name, err, w.log)
			}
		}
		s.Untrusted = true
		dir, _, err := w.fetch(s)
		_, statErr := os.Stat(filepath.Join(dir, "part", ".git"))
		if c.reads != (err == nil) || c.reads != (statErr == nil) || !c.reads && !errors.Is(err, fetch.ErrSubmodule) {
			t.Errorf("%s: %v, %v\n%s", name, err, statErr, w.log)
		}
	}
}

// A host that says nothing is waited for until the time is up, or nobody waits any more.
func TestCancel(t *testing.T) {
	w := newWorld(t, "sha1")
	ctx, cancel := context.WithCancelCause(t.Context())
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel(errors.New("nobody waits"))
		<-release
	}))
	defer hanging.Close()
	defer close(release)
	w.fetcher.Guard = guard(t, strings.TrimPrefix(hanging.URL, "http://"))
	s := w.source(strings.Repeat("0123", 10))
	s.URL = parse(t, hanging.URL+"/app.git")
	if _, err := w.fetcher.Fetch(ctx, "cancelled", t.TempDir(), s, limits); err == nil || !strings.Contains(err.Error(), "nobody waits") {
		t.Error(err)
	}
	short := limits
	short.Time = time.Second
	if _, err := w.fetcher.Fetch(t.Context(), "slow", t.TempDir(), s, short); err == nil || !strings.Contains(err.Error(), "longer than 1s") {
		t.Error(err)
	}
	if left, _ := os.ReadDir(w.fetcher.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// What a fetcher left that was killed is removed, and nothing of others.
func TestSweep(t *testing.T) {
	w := newWorld(t, "sha1")
	var groups []*cgroup.Group
	for _, dir := range []string{w.fetcher.Dir, t.TempDir()} {
		g, err := cgroup.New(cgroup.Marker(dir)+"left", cgroup.Limits{CPU: 1, Memory: 32 << 20, PIDs: 10})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.Remove() })
		groups = append(groups, g)
	}
	if err := os.MkdirAll(filepath.Join(w.fetcher.Dir, "left", "root"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.fetcher.Sweep(), w.fetcher.Sweep()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(w.fetcher.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	child := exec.Command("sleep", "0")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	if err := groups[0].Add(child.Process.Pid); err == nil {
		t.Error("the group is still there")
	}
	if err := groups[1].Add(child.Process.Pid); err != nil {
		t.Errorf("the group of another: %v", err)
	}
}

// A repository that has moved is fetched from where it is, without the credentials.
func TestRedirect(t *testing.T) {
	w := newWorld(t, "sha1")
	commit := w.commit("first", "file", "content")
	w.Push("main")
	git := w.Handler(true)
	target := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the credentials follow a redirect to another host")
		}
		git.ServeHTTP(rw, r)
	}))
	defer target.Close()
	moved := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok || r.Method != http.MethodGet {
			t.Errorf("%s with %v", r.Method, r.Header)
		}
		http.Redirect(rw, r, target.URL+"/app.git/info/refs?"+r.URL.RawQuery, http.StatusMovedPermanently)
	}))
	defer moved.Close()
	w.fetcher.Guard = guard(t, strings.TrimPrefix(moved.URL, "http://"), strings.TrimPrefix(target.URL, "http://"))
	s := w.source(commit)
	s.URL = parse(t, moved.URL+"/old.git")
	dir, _, err := w.fetch(s)
	if err != nil || content(t, dir, "file") != "content" {
		t.Errorf("%v\n%s", err, w.log)
	}
}
