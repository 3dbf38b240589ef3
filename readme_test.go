package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"hubledger/services/server"
)

// The README shows what `projections ls` prints; this holds the versions in it to
// the program's.
func TestVersionsInREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    ([a-z]+) +([0-9]+) +[0-9]+ +[0-9]+ +[0-9]+$`).FindAllStringSubmatch(string(text), -1) {
		shown[m[1]] = m[2]
	}
	known := 0
	for _, p := range server.ReadModels() {
		if version, ok := shown[p.Name]; ok {
			known++
			if version != fmt.Sprint(p.Version) {
				t.Errorf("the README shows version %s of the projection %s, which has version %d", version, p.Name, p.Version)
			}
		}
	}
	if known < 4 || known < len(shown) {
		t.Errorf("the README shows %v, of which the program has %d", shown, known)
	}
}
