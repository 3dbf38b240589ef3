package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A goPackage is what go list says of a package of ours.
type goPackage struct {
	ImportPath string
	Imports    []string
	GoFiles    []string // of the product
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles", "hubledger/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("go list found %d packages only", len(list))
	}
	return list
}

func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

// service is the name of the service that a package belongs to, "" for none.
func service(path string) string {
	rest, ok := strings.CutPrefix(path, "hubledger/services/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// allowed says whether one of our packages may import another; the rules are
// those of ARCHITECTURE.md.
func allowed(from, to string) bool {
	upward := from != to && within(from, to) // a package of a service stands below what uses it
	switch {
	case from == "hubledger":
		return to == "hubledger/services/cmd"
	case within(from, "hubledger/events"):
		return within(to, "hubledger/events") && !upward
	case within(from, "hubledger/schemas"):
		return within(to, "hubledger/events") || within(to, "hubledger/schemas")
	case within(from, "hubledger/streams"):
		return to == "hubledger/events" || within(to, "hubledger/streams")
	case within(from, "hubledger/projections"):
		return within(to, "hubledger/events") || within(to, "hubledger/projections")
	case from == "hubledger/services/cmd/client":
		return service(to) == "internal"
	case from == "hubledger/services/cmd/console":
		return service(to) == "internal" || to == "hubledger/services/cmd/client"
	case service(from) == "cmd":
		return true
	case service(from) == "server":
		return service(to) != "cmd" && !upward
	case service(from) == "internal":
		return to == "hubledger/events" || within(to, "hubledger/projections") || service(to) == "internal"
	case service(from) != "":
		return to == "hubledger/events" || within(to, "hubledger/projections") ||
			service(to) == "internal" || service(to) == service(from) && !upward
	}
	return false
}

// testKits are packages that only tests import; they may wire things together.
func testKit(path string) bool {
	last := path[strings.LastIndex(path, "/")+1:]
	return strings.HasSuffix(last, "test") || last == "faultfs"
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		for _, to := range p.Imports {
			if within(to, "hubledger") && !testKit(p.ImportPath) && !allowed(p.ImportPath, to) {
				t.Errorf("%s imports %s, which the rules of ARCHITECTURE.md forbid", p.ImportPath, to)
			}
			if testKit(to) && !testKit(p.ImportPath) {
				t.Errorf("%s imports the test kit %s", p.ImportPath, to)
			}
		}
	}
}

// A folder with more files than these holds more than one thing.
const maxFiles = 25

func TestFoldersAreSmall(t *testing.T) {
	for _, p := range packages(t) {
		if n := len(p.GoFiles); n > maxFiles {
			t.Errorf("%s has %d files: at most %d, give it packages of its own", p.ImportPath, n, maxFiles)
		}
	}
}

// Of all that is built into the product, only streams knows NATS.
func TestOnlyStreamsKnowsNATS(t *testing.T) {
	for _, p := range packages(t) {
		for _, to := range p.Imports {
			if strings.HasPrefix(to, "github.com/nats-io/") && !within(p.ImportPath, "hubledger/streams") {
				t.Errorf("%s imports %s", p.ImportPath, to)
			}
		}
	}
}

// Events are data: whoever reads a log needs nothing else of ours.
func TestEventsAreDataOnly(t *testing.T) {
	may := []string{"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec/specs-go/v1"}
	for _, p := range packages(t) {
		if p.ImportPath != "hubledger/events" {
			continue
		}
		for _, to := range p.Imports {
			if strings.Contains(to, ".") && !slices.Contains(may, to) {
				t.Errorf("events imports %s", to)
			}
		}
	}
}

// The rules themselves must be able to fail.
func TestRulesForbid(t *testing.T) {
	for _, pair := range [][2]string{
		{"hubledger/events", "hubledger/streams"},
		{"hubledger/streams", "hubledger/projections"},
		{"hubledger/projections/images", "hubledger/streams"},
		{"hubledger/services/registry", "hubledger/streams"},
		{"hubledger/services/registry", "hubledger/services/api"},
		{"hubledger/services/registry/blobs", "hubledger/services/cmd"},
		{"hubledger/services/api/people", "hubledger/services/api"},
		{"hubledger/services/server/listen", "hubledger/services/server"},
		{"hubledger/services/internal/image", "hubledger/services/registry"},
		{"hubledger/services/cmd/client", "hubledger/services/cmd/console"},
		{"hubledger/services/cmd/console", "hubledger/services/cmd/accounts"},
		{"hubledger/services/cmd/console", "hubledger/services/server"},
		{"hubledger", "hubledger/streams"},
	} {
		if allowed(pair[0], pair[1]) {
			t.Errorf("%s may import %s", pair[0], pair[1])
		}
	}
	if !allowed("hubledger/services/registry", "hubledger/services/registry/blobs") {
		t.Error("a service may not import its own packages")
	}
}
