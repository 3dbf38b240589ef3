package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What this program is inside the cage.
const (
	fetchProgram = "/cage/hubledger-fetch"
	sshProgram   = "/cage/hubledger-ssh"
)

// Inside says whether this process is one of a fetch inside its cage, which calls Main.
func Inside() bool { return os.Args[0] == fetchProgram || os.Args[0] == sshProgram }

// Main does its part and ends the process.
func Main() {
	if os.Args[0] == sshProgram {
		if err := connect(os.Args[1:], os.Getenv("GIT_PROTOCOL"), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Git makes files by it, and the hub's own lets only the owner read them.
	syscall.Umask(0o022)
	r := perform()
	text, err := json.Marshal(r)
	if err := errors.Join(err, os.WriteFile(result, text, 0o600)); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if r.Error != "" || r.Gone {
		os.Exit(1)
	}
	os.Exit(0)
}

// A plan is what the program inside is told.
type plan struct {
	URL, Commit, Ref string
	Submodules, LFS  bool
	Look             *look // nil: the files are fetched
}

// A report is what it says at its end.
type report struct {
	Commit    Commit
	Gone      bool   // the host has no such commit
	Submodule bool   // it was one that failed
	Error     string // why it failed otherwise
	LFS       []pointer
	Seen      *seen
}

// environment is that of git. It has no configuration but ours and asks nobody.
var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TMPDIR=/tmp", "LC_ALL=C",
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false",
	"GIT_ALLOW_PROTOCOL=http:ssh", "GIT_SSH=" + sshProgram, "GIT_SSH_VARIANT=ssh", "GIT_LFS_SKIP_SMUDGE=1", "GIT_TEMPLATE_DIR="}

// settings are on each command line of git, where no file of a repository changes
// them. All hosts are reached by the one socket. What comes is kept as the pack that it is:
// to write few large files of it anew, one by one, took minutes.
var settings = []string{"-c", "protocol.version=2", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.unpackLimit=1",
	"-c", "advice.detachedHead=false", "-c", "http.followRedirects=false", "-c", "core.fsmonitor=false", "-c", "credential.helper=",
	"-c", "url.http://" + address + "/https/.insteadOf=https://", "-c", "url.http://" + address + "/http/.insteadOf=http://"}

// A git runs commands in a directory.
type git struct{ dir string }

// run is what git prints, or an error with what it says.
func (g git) run(args ...string) (string, error) { return g.runWith("", args...) }

// runWith is run with something to read.
func (g git) runWith(in string, args ...string) (string, error) {
	cmd := exec.Command("git", append(append([]string{}, settings...), args...)...)
	cmd.Dir = g.dir
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		os.Stderr.WriteString(text + "\n")
		if len(text) > 2000 {
			text = text[len(text)-2000:]
		}
		return "", fmt.Errorf("git %s: %s", args[0], text)
	}
	return out.String(), nil
}

// depths are how much of a ref's history is looked at for a commit.
var depths = []string{"--depth=50", "--depth=1000", "--unshallow"}

// perform fetches, and writes the files to standard output.
func perform() (r report) {
	text, err := os.ReadFile(planFile)
	var p plan
	if err := errors.Join(err, json.Unmarshal(text, &p), os.Mkdir(sourceDir, 0o755)); err != nil {
		return report{Error: err.Error()}
	}
	g := git{sourceDir}
	format := "sha1"
	if len(p.Commit) == 64 {
		format = "sha256"
	}
	for _, args := range [][]string{{"init", "-q", "--template=", "--object-format=" + format, "-b", "build"}, {"remote", "add", "origin", "--", p.URL}} {
		if _, err := g.run(args...); err != nil {
			return report{Error: err.Error()}
		}
	}
	if p.Look != nil {
		return g.look(p)
	}
	if gone, err := g.fetch(p, "--depth=1"); err != nil {
		return report{Error: err.Error(), Gone: gone}
	}
	if _, err := g.run("checkout", "-q", "--detach", p.Commit); err != nil {
		return report{Error: err.Error()}
	}
	if p.Submodules {
		if _, err := g.run("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"); err != nil {
			return report{Error: err.Error(), Submodule: true}
		}
	}
	if r.Commit, err = g.describe(p.Commit); err != nil {
		return report{Error: err.Error()}
	}
	if p.LFS {
		if r.LFS, err = g.pointers(); err != nil {
			return report{Error: err.Error()}
		}
	}
	if err := pack(os.Stdout, sourceDir); err != nil {
		return report{Error: err.Error()}
	}
	return r
}

// fetch gets a commit by its id, or else by the ref that may have it. more are options
// of the first attempt.
func (g git) fetch(p plan, more ...string) (gone bool, err error) {
	args := append([]string{"fetch", "-q", "--no-tags", "--no-recurse-submodules"}, more...)
	if _, err = g.run(append(args, "origin", p.Commit)...); err == nil || p.Ref == "" {
		return err != nil && isGone(err), err
	}
	if !isGone(err) {
		return false, err
	}
	for _, depth := range depths {
		if _, again := g.run("fetch", "-q", depth, "--no-tags", "--no-recurse-submodules", "origin", "+"+p.Ref+":refs/build"); again != nil {
			return isGone(again), errors.Join(err, again)
		}
		if _, missing := g.run("cat-file", "-e", p.Commit+"^{commit}"); missing == nil {
			return false, nil
		}
		if _, shallow := os.Stat(sourceDir + "/.git/shallow"); shallow != nil {
			break // there is no more
		}
	}
	return true, err
}

// isGone says whether a host does not have, or not give, what was asked for. git
// tells it by text only.
func isGone(err error) bool {
	for _, part := range []string{"not our ref", "unadvertised object", "couldn't find remote ref", "no such remote ref"} {
		if strings.Contains(strings.ToLower(err.Error()), part) {
			return true
		}
	}
	return false
}

const maxMessage = 64 << 10

func (g git) describe(commit string) (c Commit, err error) {
	text, err := g.run("log", "-1", "--format=%H%n%ct%n%B", commit)
	if err != nil {
		return c, err
	}
	id, rest, _ := strings.Cut(text, "\n")
	seconds, message, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || id != commit {
		return c, fmt.Errorf("git says that the commit is %.80q", id)
	}
	message = strings.ToValidUTF8(strings.TrimRight(message, "\n"), "\uFFFD")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "")
	}
	return Commit{ID: id, Time: time.Unix(n, 0).UTC(), Message: message}, nil
}
