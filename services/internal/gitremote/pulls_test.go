package gitremote

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/events"
)

// Each kind of host shows pull requests by names of its own.
func TestPullRefs(t *testing.T) {
	for _, c := range []struct {
		host, ref string
		want      int
	}{
		{events.HostGitHub, "refs/pull/12/head", 12},
		{events.HostGitea, "refs/pull/1/head", 1},
		{events.HostGit, "refs/pull/7/head", 7},
		{events.HostGitLab, "refs/merge-requests/12/head", 12},
		{events.HostBitbucketServer, "refs/pull-requests/12/from", 12},
		{events.HostGitHub, "refs/pull/12/merge", 0},
		{events.HostGitHub, "refs/merge-requests/12/head", 0},
		{events.HostGitLab, "refs/merge-requests/12/train", 0},
		{events.HostBitbucket, "refs/pull/12/head", 0},
		{events.HostGitHub, "refs/pull/012/head", 0},
		{events.HostGitHub, "refs/pull/0/head", 0},
		{events.HostGitHub, "refs/pull/-1/head", 0},
		{events.HostGitHub, "refs/pull/+1/head", 0},
		{events.HostGitHub, "refs/pull/1/x/head", 0},
		{events.HostGitHub, "refs/pull/99999999999/head", 0},
		{events.HostGitHub, "refs/heads/pull/1/head", 0},
	} {
		if got := PullRefsOf(c.host).Number(c.ref); got != c.want {
			t.Errorf("%s of %s is %d, want %d", c.ref, c.host, got, c.want)
		}
	}
}

// Pull requests are read when they are asked for, and never among branches and tags.
// Of very many those with the highest numbers are.
func TestReadPulls(t *testing.T) {
	text := pkt(idA+" refs/heads/main\x00x", idA+" refs/heads/x", idB+" refs/pull/3/head", idA+" refs/pull/3/merge", "")
	for _, c := range []struct {
		host string
		want string
	}{{events.HostGitHub, "[{refs/pull/3/head 3 " + idB + "}]"}, {events.HostGitLab, "[]"}, {"", "[]"}} {
		a, err := readAdvertisement(strings.NewReader(text), false, PullRefsOf(c.host))
		if err != nil || fmt.Sprint(a.Pulls) != c.want || len(a.Refs) != 2 || a.PullsFrom != 0 {
			t.Errorf("%q: %+v, %v", c.host, a, err)
		}
	}
	const n = 3*MaxPulls + 7
	var many strings.Builder
	for k := range n {
		line := fmt.Sprintf("%s refs/pull/%d/head", idA, 1+(k*7919)%n) // in no order
		fmt.Fprintf(&many, "%04x%s", len(line)+4, line)
	}
	a, err := readAdvertisement(strings.NewReader(many.String()+"0000"), false, PullRefsOf(events.HostGit))
	if err != nil || len(a.Pulls) != MaxPulls || a.PullsFrom != n-MaxPulls+1 {
		t.Fatalf("%d of %d, from %d, %v", len(a.Pulls), n, a.PullsFrom, err)
	}
	seen := map[int]bool{}
	for _, p := range a.Pulls {
		if seen[p.Number] || p.Number < a.PullsFrom {
			t.Fatalf("%+v", p)
		}
		seen[p.Number] = true
	}
}
