package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/trail"
	"hubledger/services/server"
)

// ARCHITECTURE.md says who writes and who reads each type of event; this holds
// it to the code.
func TestEventTable(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ writer, readers string }
	table := map[string]row{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+\\.v[0-9]+)` \\| `([a-z/]+(?:`, `[a-z/]+)*)` \\| ([a-z, ]+) \\|$").FindAllStringSubmatch(string(text), -1) {
		table[m[1]] = row{strings.ReplaceAll(m[2], "`, `", ", "), m[3]}
	}
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		have, ok := table[name]
		if !ok {
			t.Errorf("ARCHITECTURE.md has no row for %s", name)
			continue
		}
		delete(table, name)
		var readers []string
		for _, p := range server.ReadModels() {
			if p == &trail.Projection { // which takes every event, as the page says above the table
				continue
			}
			if p.Types == nil || slices.Contains(p.Types, name) {
				readers = append(readers, p.Name)
			}
		}
		if want := strings.Join(readers, ", "); have.readers != want {
			t.Errorf("%s is read by %s, ARCHITECTURE.md says %s", name, want, have.readers)
		}
		if writers := writersOf(t, reflect.TypeOf(typ.Prototype).Name()); strings.Join(writers, ", ") != have.writer {
			t.Errorf("%s is written by %q, ARCHITECTURE.md says %s", name, strings.Join(writers, ", "), have.writer)
		}
	}
	for name := range table {
		t.Errorf("ARCHITECTURE.md has a row for %s, which is no event type", name)
	}
}

// writersOf finds the folders whose product code makes a value of an event's struct.
func writersOf(t *testing.T, name string) []string {
	t.Helper()
	makes := regexp.MustCompile(`events\.` + name + `(\{|$)`)
	var found []string
	err := filepath.WalkDir("services", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if strings.Contains(path, "test/") {
			return nil // a test kit
		}
		raw, err := os.ReadFile(path)
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimRight(line, "\n")
			embedded := strings.TrimSpace(line) == "events."+name
			declared := strings.HasPrefix(strings.TrimSpace(line), "var e events."+name)
			if (makes.MatchString(line) || embedded || declared) && !strings.Contains(line, "func ") {
				if dir := filepath.ToSlash(filepath.Dir(path)); !slices.Contains(found, dir) {
					found = append(found, dir)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
