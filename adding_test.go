package main

import (
	"crypto/sha256"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// An edit is one code block of docs/adding.md: a new file, or lines for one
// that is there.
type edit struct {
	file  string
	after string // the line that the block goes behind; "" for a new file
	text  string
}

var editHead = regexp.MustCompile("(?m)^\\*\\*`([^`]+)`\\*\\*(?: \\(new\\)|, behind ``?(.+?) ?``?):\n\n```[a-z]*\n((?s:.*?))```$")

func editsOf(t *testing.T, page string) (list []edit) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range editHead.FindAllStringSubmatch(string(text), -1) {
		list = append(list, edit{m[1], m[2], m[3]})
	}
	return list
}

// apply makes the edit in a copy of the tree.
func (e edit) apply(t *testing.T, tree string) {
	t.Helper()
	path := filepath.Join(tree, e.file)
	old, err := os.ReadFile(path)
	text := e.text
	switch {
	case e.after == "" && err == nil:
		t.Fatalf("docs/adding.md says that %s is new", e.file)
	case e.after != "" && err != nil:
		t.Fatalf("docs/adding.md: %v", err)
	case e.after != "":
		lines, found := []string{}, 0
		for _, line := range strings.SplitAfter(string(old), "\n") {
			if lines = append(lines, line); strings.TrimSpace(line) == e.after {
				found++
				lines = append(lines, e.text)
			}
		}
		if found != 1 {
			t.Fatalf("docs/adding.md: %s has the line %q %d times", e.file, e.after, found)
		}
		text = strings.Join(lines, "")
	}
	if strings.HasSuffix(e.file, ".go") {
		if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
			t.Errorf("docs/adding.md: %s is not gofmt'ed, or no Go: %v", e.file, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// copyOfTree is the tree without what git ignores.
func copyOfTree(t *testing.T) string {
	t.Helper()
	tree := t.TempDir()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", ".tmp", "dist", "hubledger-data"}, path) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(tree, path), 0o755)
		}
		if !d.Type().IsRegular() || path == "hubledger" {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(tree, path), raw, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// The page on how to add things is true: with what it shows the program
// builds, keeps the rules of the house, and does what the page says.
func TestAddingPage(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("it builds the program and some of its tests anew: set HUBLEDGER_SOAK=1")
	}
	tree := copyOfTree(t)
	edits := editsOf(t, "docs/adding.md")
	if len(edits) < 15 {
		t.Fatalf("docs/adding.md has %d edits only", len(edits))
	}
	for _, e := range edits {
		e.apply(t, tree)
	}
	run := func(name string, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = tree
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "HUBLEDGER_SOAK=", "GOFLAGS=-buildvcs=false")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
	}
	run("go", "run", "./schemas/gen/write", "schemas")
	sums, err := os.OpenFile(filepath.Join(tree, "schemas", "released.sums"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"greeting.sent.v1", "greeting.answered.v1"} {
		schema, err := os.ReadFile(filepath.Join(tree, "schemas", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sums, "%x  %s\n", sha256.Sum256(schema), name)
	}
	if err := sums.Close(); err != nil {
		t.Fatal(err)
	}
	run("go", "test", "./events", "-update")
	run("go", "build", "-o", "hubledger", ".")
	run("go", "vet", "./events", "./services/greeter", "./services/internal/greeting", "./projections/greetings", "./services/cmd")
	run("go", "test", ".", "./events", "./schemas")
	run("go", "test", "-run", "TestEvery", "./services/server")
	useGreetings(t, filepath.Join(tree, "hubledger"))
}

// useGreetings does by hand what the page has added.
func useGreetings(t *testing.T, program string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	hub := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), program, append([]string{"--data", data}, args...)...)
		c.Env = append(os.Environ(), "HUBLEDGER_ADMIN_PASSWORD=correct horse battery", "HUBLEDGER_SERVER=", "HUBLEDGER_DATA=")
		return c
	}
	serve := hub("serve", "--listen", "127.0.0.1:0", "--reserve=-1")
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		serve.Process.Signal(os.Interrupt)
		serve.Wait()
	}()
	shows := func(want string, args ...string) {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			out, err := hub(args...).CombinedOutput()
			if err == nil && strings.Contains(string(out), want) {
				return
			}
			if time.Since(begun) > time.Minute {
				t.Fatalf("%v: %v\n%s\nlacks %q", args, err, out, want)
			}
		}
	}
	shows("greeter", "status")
	shows("Greeted admin (event ", "greet", "admin", "Good morning")
	shows("greeted admin: Good morning", "events", "ls")
	shows("answered a greeting: Hello", "events", "ls") // by the process manager
	shows("Good morning", "greetings")
	shows("greetings", "projections", "ls")
}
