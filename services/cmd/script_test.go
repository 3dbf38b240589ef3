package cmd

import (
	"bytes"
	"database/sql"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"hubledger/services/registry/registrytest"
)

// The scripts in testdata test the command line with the real program. They may
// use these commands:
//
//	hub [flags]            start a hub on the script's data directory
//	halt, resume           stop the hub, start it again
//	run CODE args...       run hubledger on that directory; it must exit with CODE
//	push REPO:TAG CONTENT  push an image with one layer; ! push must fail
//	pull REPO:TAG          pull an image with its blobs; ! pull must fail; -anonymous: without login
//	deadletter             make a dead letter of pull-counts, in a hub that is stopped
//	damage GLOB            flip a bit in the middle of the one file whose path ends with GLOB
//
// Images are pushed and pulled as the first administrator. $HUB is the hub's URL, $HUBLEDGER
// the program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"hub":    func(ts *testscript.TestScript, _ bool, args []string) { start(t, ts, args) },
			"halt":   func(ts *testscript.TestScript, _ bool, _ []string) { hubOf(ts).Stop() },
			"resume": func(ts *testscript.TestScript, _ bool, _ []string) { hubOf(ts).Start() },
			"run":    run,
			"push":   push,
			"pull":   pull,
			"damage": damage,

			"deadletter": deadLetter,
		},
	})
}

// hubs are the hubs of the running scripts, by script.
var hubs sync.Map

func hubOf(ts *testscript.TestScript) *hubProcess {
	h, ok := hubs.Load(ts)
	if !ok {
		ts.Fatalf("the script has not started a hub")
	}
	return h.(*hubProcess)
}

func start(t *testing.T, ts *testscript.TestScript, args []string) {
	h := startHubOn(t, ts.MkAbs("data"), args...)
	ts.Defer(h.Kill) // the script's directory is deleted with it
	hubs.Store(ts, h)
	ts.Setenv("HUB", h.URL)
	path, err := hubledger()
	ts.Check(err)
	ts.Setenv("HUBLEDGER", path)
}

// asAdmin is a client of the script's hub, logged in as the first administrator.
func asAdmin(ts *testscript.TestScript) string {
	u, err := url.Parse(hubOf(ts).URL)
	ts.Check(err)
	u.User = url.UserPassword("admin", adminPassword)
	return u.String()
}

func run(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	path, err := hubledger()
	ts.Check(err)
	built.Do(func() {})
	if err := ts.Exec(path, append([]string{"--data", ts.MkAbs("data")}, args[1:]...)...); (err == nil) != (want == 0) {
		ts.Fatalf("hubledger %s: %v, exit code %d is expected", strings.Join(args[1:], " "), err, want)
	} else if err != nil && err.Error() != "exit status "+args[0] {
		ts.Fatalf("hubledger %s: %v, exit code %d is expected", strings.Join(args[1:], " "), err, want)
	}
}

func push(ts *testscript.TestScript, neg bool, args []string) {
	repo, tag, _ := strings.Cut(args[0], ":")
	c := registrytest.NewClient(asAdmin(ts))
	defer c.Close()
	if err := c.Push(repo, tag, registrytest.NewImage(args[1])); neg != (err != nil) {
		ts.Fatalf("push %s: %v", args[0], err)
	}
}

func pull(ts *testscript.TestScript, neg bool, args []string) {
	repo, tag, _ := strings.Cut(args[len(args)-1], ":")
	from := asAdmin(ts)
	if args[0] == "-anonymous" {
		from = hubOf(ts).URL
	}
	c := registrytest.NewClient(from)
	defer c.Close()
	_, err := c.Pull(repo, tag)
	if neg != (err != nil) {
		ts.Fatalf("pull %s: %v", strings.Join(args, " "), err)
	}
}

func damage(ts *testscript.TestScript, _ bool, args []string) {
	var found []string
	err := filepath.WalkDir(ts.MkAbs("data"), func(path string, d fs.DirEntry, err error) error {
		if ok, _ := filepath.Match("*/"+args[0], lastOf(path, strings.Count(args[0], "/")+2)); ok && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("%s matches %q", args[0], found)
	}
	raw, err := os.ReadFile(found[0])
	ts.Check(err)
	damaged := bytes.Clone(raw)
	damaged[len(damaged)/2] ^= 1
	ts.Check(os.WriteFile(found[0], damaged, 0o600))
}

// deadLetter makes an hour with pulls due, and the task to write it down a dead letter.
func deadLetter(ts *testscript.TestScript, _ bool, _ []string) {
	db, err := sql.Open("sqlite", ts.MkAbs("data/operations.db"))
	ts.Check(err)
	defer db.Close()
	hour := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, statement := range []string{
		`INSERT INTO pulls (hour, repository, tag, n, latest) VALUES ($1, '0199d6a5-3c00-7000-8000-000000000001', '1.0', 3, $1)`,
		`INSERT INTO tasks (manager, task, cause, correlation, attempts, next, expect, done, dead, error)
			SELECT 'pull-counts', node || '/2026-11-01T12:00:00Z', '', '', 9, 0, -1, 0, $1, 'no luck' FROM meta`,
	} {
		_, err := db.Exec(statement, hour.UnixMicro())
		ts.Check(err)
	}
}

// lastOf is the last n elements of a path.
func lastOf(path string, n int) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[max(0, len(parts)-n):], "/")
}
