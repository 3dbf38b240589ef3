package gitremote

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"hubledger/events"
)

// MaxPulls bounds the pull requests of a repository: those with the highest numbers are
// listed.
const MaxPulls = 20_000

// PullRefs are the names by which a kind of git host shows pull requests: the number is
// between Prefix and Suffix. The zero value is of hosts that show none, such as Bitbucket
// Cloud.
type PullRefs struct{ Prefix, Suffix string }

var pullRefs = map[string]PullRefs{
	events.HostGitHub:          {"refs/pull/", "/head"},
	events.HostGitea:           {"refs/pull/", "/head"},
	events.HostGit:             {"refs/pull/", "/head"},
	events.HostGitLab:          {"refs/merge-requests/", "/head"},
	events.HostBitbucketServer: {"refs/pull-requests/", "/from"},
}

// PullRefsOf are those of a kind of git host.
func PullRefsOf(host string) PullRefs { return pullRefs[host] }

// Number is that of a pull request by the full name of its ref, 0 for any other ref.
func (p PullRefs) Number(ref string) int {
	rest, ok := strings.CutPrefix(ref, p.Prefix)
	if !ok || p.Prefix == "" {
		return 0
	}
	digits, ok := strings.CutSuffix(rest, p.Suffix)
	n, err := strconv.ParseInt(digits, 10, 32)
	if !ok || err != nil || n <= 0 || strconv.FormatInt(n, 10) != digits {
		return 0
	}
	return int(n)
}

// A Pull is where a pull request stands.
type Pull struct {
	Ref    string // full name
	Number int
	Commit string // its id
}

// addPull takes a pull request among those with the highest numbers.
func (a *Advertisement) addPull(p Pull) {
	if a.Pulls = append(a.Pulls, p); len(a.Pulls) > 2*MaxPulls {
		a.dropPulls()
	}
}

// dropPulls leaves at most MaxPulls pull requests.
func (a *Advertisement) dropPulls() {
	if len(a.Pulls) <= MaxPulls {
		return
	}
	slices.SortFunc(a.Pulls, func(x, y Pull) int { return cmp.Compare(y.Number, x.Number) })
	a.PullsFrom = a.Pulls[MaxPulls-1].Number
	a.Pulls = a.Pulls[:MaxPulls]
}
