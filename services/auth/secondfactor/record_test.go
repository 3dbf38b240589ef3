package secondfactor_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/services/auth/secondfactor"
	"hubledger/services/internal/totp"
)

var begin = time.Unix(1_700_000_010, 0) // in the middle of a step

func made(t *testing.T) (r *secondfactor.Record, code func(at time.Time) string, recovery []string) {
	t.Helper()
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	code = func(at time.Time) string { return totp.Code(raw, totp.Step(at)) }
	if _, _, err := secondfactor.New(key, wrong(code(begin)), begin); !errors.Is(err, totp.ErrCode) {
		t.Fatalf("a wrong code confirms the key: %v", err)
	}
	r, recovery, err = secondfactor.New(key, code(begin), begin)
	if err != nil {
		t.Fatal(err)
	}
	return r, code, recovery
}

// wrong is a code of six digits that is none of those near it.
func wrong(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

// A code is good once, for its own step and the ones beside it, and never after a later one.
func TestCodesOfTheTime(t *testing.T) {
	r, code, _ := made(t)
	at := func(steps int) time.Time { return begin.Add(time.Duration(steps) * totp.Period) }
	for _, row := range []struct {
		what string
		now  int    // in steps
		code string // what is typed
		good bool
	}{
		{"the one that confirmed the key", 0, code(at(0)), false},
		{"two steps ahead", 0, code(at(2)), false},
		{"none", 0, "", false},
		{"another number of digits", 1, code(at(1)) + "0", false},
		{"two steps late", 4, code(at(2)), false},
		{"one step late", 4, code(at(3)), true},
		{"again", 4, code(at(3)), false},
		{"one step ahead", 4, code(at(5)), true},
		{"an earlier one, after it", 4, code(at(4)), false},
		{"as it is written", 9, code(at(9))[:3] + " " + code(at(9))[3:], true},
	} {
		if good := r.Use(row.code, at(row.now)); good != row.good {
			t.Errorf("%s: good is %v", row.what, good)
		}
	}
}

// A renewed record takes codes of the same authenticator that come later, and of recovery
// codes the new ones only.
func TestRenewed(t *testing.T) {
	r, code, recovery := made(t)
	next, codes := r.Renewed(begin)
	if len(codes) != 10 || slices.Contains(codes, recovery[0]) {
		t.Errorf("new recovery codes %q", codes)
	}
	if next.Use(code(begin), begin) || next.Use(recovery[0], begin) {
		t.Error("what was good before is good again")
	}
	later := begin.Add(time.Minute)
	if !next.Use(code(later), later) || !next.Use(codes[9], later) || next.Use(codes[9], later) {
		t.Error("a code of the authenticator or a new one is not good once")
	}
}

func TestRecoveryCodes(t *testing.T) {
	r, _, recovery := made(t)
	seen := map[string]bool{}
	for _, code := range recovery {
		seen[code] = true
	}
	if len(seen) != 10 {
		t.Fatalf("%d recovery codes", len(seen))
	}
	kept, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range recovery {
		if strings.Contains(string(kept), code) || strings.Contains(string(kept), strings.ReplaceAll(code, "-", "")) {
			t.Fatal("a recovery code is kept as it is")
		}
	}
	r = &secondfactor.Record{}
	if err := json.Unmarshal(kept, r); err != nil {
		t.Fatal(err)
	}
	if r.Use(recovery[0][:15], begin) || r.Use("aaaa-aaaa-aaaa-aaaa", begin) {
		t.Error("a wrong recovery code is good")
	}
	if !r.Use(" "+strings.ToUpper(recovery[3]), begin) || r.Use(recovery[3], begin) || len(r.Recovery) != 9 || !r.Use(recovery[0], begin) {
		t.Errorf("a recovery code is not good exactly once: %d are left", len(r.Recovery))
	}
}

// Five codes may be wrong, then ever fewer may be tried; a right one ends that, and no
// other account waits with it.
func TestTries(t *testing.T) {
	tries, now := secondfactor.NewTries(), begin
	for k := range 5 {
		if wait := tries.Begin("alice", now); wait != 0 {
			t.Fatalf("try %d has to wait %v", k, wait)
		}
	}
	var waits []time.Duration
	for range 9 {
		wait := tries.Begin("alice", now)
		if wait == 0 {
			t.Fatal("there is no wait")
		}
		waits = append(waits, wait)
		now = now.Add(wait)
		if tries.Begin("alice", now) != 0 {
			t.Fatal("the wait is longer than it was said to be")
		}
	}
	if waits[0] != 30*time.Second || waits[1] != time.Minute || waits[8] != time.Hour {
		t.Errorf("the waits are %v", waits)
	}
	if tries.Begin("bob", now) != 0 {
		t.Error("another account waits, too")
	}
	tries.Good("alice")
	if tries.Begin("alice", now) != 0 {
		t.Error("after a right code there is a wait")
	}
}

// However many accounts are tried, those that have to wait go on waiting.
func TestTriesAreBounded(t *testing.T) {
	tries, now := secondfactor.NewTries(), begin
	for range 5 {
		tries.Begin("alice", now)
	}
	for k := range 30_000 {
		tries.Begin(strings.Repeat("x", k%7)+time.Duration(k).String(), now)
	}
	if tries.Begin("alice", now) == 0 {
		t.Error("alice need not wait any more")
	}
	if n := tries.Len(); n > 10_000 {
		t.Errorf("%d accounts are kept", n)
	}
}
