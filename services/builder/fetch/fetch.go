// Package fetch gets the commit of a git repository that is to be built. The git
// program runs in a cage: it reaches this process alone, which asks the git host in
// its stead and keeps the credentials; and what it wrote is taken out of the cage
// file by file.
//
// The program is started again inside the cage, so main must begin with
//
//	if fetch.Inside() {
//		fetch.Main()
//	}
package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"hubledger/services/builder/cage"
	"hubledger/services/builder/cgroup"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote"
)

var (
	// ErrGone: the git host has no such commit any more, as after a force push.
	ErrGone = errors.New("the git repository has no such commit any more")
	// ErrTooLarge: the commit needs more space than Limits.Bytes.
	ErrTooLarge = errors.New("the git repository is too large")
	// ErrLFS: a file of Git LFS cannot be fetched.
	ErrLFS = errors.New("a file of Git LFS cannot be fetched")
	// ErrSubmodule: a submodule cannot be fetched.
	ErrSubmodule = errors.New("a submodule cannot be fetched")
)

// A Source says what to fetch.
type Source struct {
	URL    gitremote.URL
	Commit string // its whole id, of SHA-1 or SHA-256
	// Ref is the branch or tag that has the commit, such as refs/heads/main. It is
	// fetched where the host does not give a commit by its id.
	Ref string
	// With goes to the host of URL alone, also for submodules there unless Untrusted.
	With gitremote.Credentials
	// Untrusted says that anybody may have written the commit: its submodules are fetched
	// without With, which may open other repositories of the same host.
	Untrusted  bool
	Submodules bool
	// LFS replaces the pointers of Git LFS by the files. It needs an https URL, and
	// leaves those of submodules.
	LFS bool
}

// Limits bound a fetch. All fields are needed.
type Limits struct {
	Bytes  int64 // of the files and of what git keeps, together
	Files  int   // files, directories and links
	Memory int64 // bytes
	Time   time.Duration
}

// DefaultLimits are enough for nearly all repositories.
var DefaultLimits = Limits{Bytes: 4 << 30, Files: 1_000_000, Memory: 1 << 30, Time: 15 * time.Minute}

// A Commit is what was fetched.
type Commit struct {
	ID      string
	Time    time.Time // of the commit
	Message string    // at most 64 KiB
}

// A Fetcher fetches.
type Fetcher struct {
	Guard  *egress.Guard // judges every connection
	Dir    string        // an absolute path, for what is written meanwhile, of this fetcher alone
	Logger *slog.Logger
}

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	commitPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// Fetch writes the files of a commit, and .git, into a directory that has to be
// empty; it has no secrets. id names the fetch on this machine. The errors are
// ErrGone, ErrTooLarge, ErrSubmodule, ErrLFS, egress.ErrForbidden and those of gitremote; none
// of them has a secret in it. After an error the directory may have files.
func (f *Fetcher) Fetch(ctx context.Context, id, dir string, s Source, l Limits) (Commit, error) {
	var c Commit
	err := f.within(ctx, id, s, l, func(ctx context.Context) error {
		p := plan{Submodules: s.Submodules, LFS: s.LFS}
		r, err := f.run(ctx, id, s, p, l, func(files io.Reader) error { return unpack(files, dir, l) })
		if err != nil {
			return err
		}
		c = r.Commit
		return f.lfs(ctx, dir, s, r.LFS, l)
	})
	return c, err
}

// within does something with a commit in its time, and names the commit in an error.
func (f *Fetcher) within(ctx context.Context, id string, s Source, l Limits, do func(ctx context.Context) error) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("the id of a fetch is lower-case letters, digits and hyphens, at most 64: %.80q is not", id)
	}
	if !commitPattern.MatchString(s.Commit) {
		return fmt.Errorf("%.80q is no id of a commit", s.Commit)
	}
	if s.Ref != "" && (!strings.HasPrefix(s.Ref, "refs/") || strings.ContainsAny(s.Ref, " ~^:?*[\\\x00\n\x7f") || strings.Contains(s.Ref, "..")) {
		return fmt.Errorf("%.150q is no branch or tag", s.Ref)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, l.Time, fmt.Errorf("it took longer than %s", l.Time))
	defer cancel()
	if err := do(ctx); err != nil {
		return fmt.Errorf("fetch %.12s of %s: %w", s.Commit, s.URL, err)
	}
	return nil
}

// run runs a plan in a cage; take reads what it writes.
func (f *Fetcher) run(ctx context.Context, id string, s Source, p plan, l Limits, take func(io.Reader) error) (_ report, err error) {
	own := filepath.Join(f.Dir, id)
	if err := errors.Join(os.Mkdir(own, 0o700), os.Mkdir(filepath.Join(own, "root"), 0o700)); err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(own)) }()
	group, err := cgroup.New(cgroup.Marker(f.Dir)+id, cgroup.Limits{CPU: 2, Memory: l.Memory, PIDs: 200})
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, group.Remove()) }()
	p.URL, p.Commit, p.Ref = s.URL.String(), s.Commit, s.Ref
	c, err := f.cage(own, group, p, l)
	if err != nil {
		return report{}, err
	}
	out, in := io.Pipe()
	var said limited
	c.Stdout, c.Stderr, c.DaemonLog = in, &said, io.Discard
	taken := make(chan error, 1)
	go func() {
		err := take(out)
		out.CloseWithError(err) // so nothing more is written
		taken <- err
	}()
	running, err := cage.Start(ctx, c)
	if err != nil {
		in.Close()
		<-taken
		return report{}, err
	}
	way := newGateway(ctx, f, s)
	go way.server.Serve(running.Listeners[0])
	defer context.AfterFunc(ctx, running.Kill)()
	exit, err := running.Wait()
	way.close()
	in.Close()
	takeErr := <-taken
	if err := errors.Join(context.Cause(ctx), err); err != nil {
		return report{}, err
	}
	r, err := readReport(exit)
	if err == nil {
		err = takeErr
	}
	if err == nil {
		return r, nil
	}
	f.Logger.Debug("git failed", "error", err, "git", said.String())
	switch {
	case errors.Is(takeErr, ErrTooLarge), strings.Contains(said.String()+r.Error, "No space left on device"), strings.Contains(r.Error, "no space left"):
		return report{}, fmt.Errorf("%w: it needs more than %d MiB", ErrTooLarge, l.Bytes>>20)
	case way.cause() != nil && !r.Submodule:
		return report{}, way.cause()
	case group.OutOfMemory():
		return report{}, fmt.Errorf("%w: git needs more than %d MiB of memory", ErrTooLarge, l.Memory>>20)
	case r.Submodule:
		return report{}, fmt.Errorf("%w: %w", ErrSubmodule, errors.Join(way.cause(), err))
	}
	return report{}, err
}

// Paths inside the cage.
const (
	address   = "127.0.0.1:5000"
	sourceDir = "/disk/src"
	planFile  = "/run/plan.json"
	result    = "/run/report.json"
)

// cage says what git runs in.
func (f *Fetcher) cage(own string, group *cgroup.Group, p plan, l Limits) (cage.Config, error) {
	self, err := os.Executable()
	if err != nil {
		return cage.Config{}, err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return cage.Config{}, err
	}
	return cage.Config{Dir: own, Disk: l.Bytes, Group: group, Listen: []string{address},
		Binds:   map[string]string{fetchProgram: self, sshProgram: self},
		Files:   map[string][]byte{planFile: text, "/etc/passwd": []byte("root:x:0:0::/root:/bin/sh\n")},
		Program: []string{fetchProgram}, Env: environment, Result: result}, nil
}

// outside are the URLs of hosts as they are outside of the cage.
var outside = strings.NewReplacer("http://"+address+"/https/", "https://", "http://"+address+"/http/", "http://")

// readReport is what the program inside says of its end.
func readReport(exit cage.Exit) (r report, err error) {
	if exit.Error != "" {
		return r, errors.New(exit.Error)
	}
	if err := json.Unmarshal(exit.Result, &r); err != nil {
		return r, fmt.Errorf("git ended with status %d", exit.Code)
	}
	switch {
	case r.Gone:
		return r, ErrGone
	case r.Error != "":
		return r, errors.New(outside.Replace(r.Error))
	}
	return r, nil
}

// limited keeps the first bytes that are written to it.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(0, 8<<10-l.Len()))])
	return len(p), nil
}

// Check says why this machine cannot fetch, nil when it can.
func Check() error {
	if os.Geteuid() != 0 {
		return errors.New("fetches run in cages, which only root can make")
	}
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("git is not installed")
	}
	_, err := cgroup.Hierarchies()
	return err
}

// Sweep removes what fetches left whose program was killed. Call it before the first.
func (f *Fetcher) Sweep() error {
	entries, err := os.ReadDir(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	errs := []error{err, cgroup.Sweep(cgroup.Marker(f.Dir))}
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(f.Dir, e.Name())))
	}
	return errors.Join(errs...)
}
