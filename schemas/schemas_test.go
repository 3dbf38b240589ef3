package schemas_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/schemas"
	"hubledger/schemas/gen"
)

func TestSchemasAreGenerated(t *testing.T) {
	want := map[string]bool{}
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		want[name+".json"] = true
		text, err := gen.Schema(typ.Prototype)
		if err != nil {
			t.Fatal(err)
		}
		have, err := schemas.Of(name)
		if err != nil {
			t.Errorf("%s has no schema; run `task gen`", name)
		} else if !bytes.Equal(text, have) {
			t.Errorf("the schema of %s is not what its Go type says; run `task gen`", name)
		}
	}
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if !want[f] {
			t.Errorf("%s belongs to no registered type", f)
		}
	}
}

// A released type never changes its meaning. When it gains an optional field,
// its line in released.sums is changed by hand, after a look at the diff of
// the schema; anything else is a new version of the type.
func TestReleasedTypesStay(t *testing.T) {
	f, err := os.Open("released.sums")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	released := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			t.Fatalf("released.sums: %q is not <sha256>  <type>", lines.Text())
		}
		released[name] = sum
	}
	for _, typ := range events.Types {
		name := typ.Prototype.EventType()
		text, err := schemas.Of(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); released[name] == "" {
			t.Errorf("%s is not in released.sums; add\n%s  %s", name, sum, name)
		} else if released[name] != sum {
			t.Errorf("%s was released and has changed: only an optional field may be added (then its sum is %s)", name, sum)
		}
		delete(released, name)
	}
	for name := range released {
		t.Errorf("%s was released and is gone; logs that have it can no longer be read", name)
	}
}
