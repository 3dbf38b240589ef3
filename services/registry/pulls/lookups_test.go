package pulls

import (
	"fmt"
	"testing"
	"time"
)

// A look at a tag is remembered for a while, and not more than so many are.
func TestLookUpsAreBounded(t *testing.T) {
	var l lookedUp
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	key := func(k int) lookUp { return lookUp{Client{Account: fmt.Sprint(k)}, "repo", "digest"} }
	l.add(now, key(0), "v1")
	l.add(now, key(0), "v2")
	for age, want := range map[time.Duration]string{0: "v2", lookUpTerm: "v2", 4 * lookUpTerm: ""} {
		copied := l
		if got := copied.tag(now.Add(age), key(0)); got != want {
			t.Errorf("after %s the tag is %q, want %q", age, got, want)
		}
	}
	for k := range 3 * maxLookUps {
		l.add(now, key(k), "v1")
		if n := len(l.newer) + len(l.older); n > maxLookUps {
			t.Fatalf("%d are remembered", n)
		}
	}
	if got := l.tag(now, key(3*maxLookUps-1)); got != "v1" {
		t.Errorf("the last one is %q", got)
	}
	l.forget(key(3*maxLookUps - 1))
	if got := l.tag(now, key(3*maxLookUps-1)); got != "" {
		t.Errorf("the forgotten one is %q", got)
	}
}
