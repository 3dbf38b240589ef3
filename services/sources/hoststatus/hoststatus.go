// Package hoststatus tells git hosts how builds of their commits go, by the API that each
// kind of host has for that.
package hoststatus

import (
	"slices"

	"hubledger/events"
)

// A State is where a build is, as git hosts are told. Its end is one of events.Status….
type State string

const (
	Pending   State = "pending" // it waits
	Running   State = "running"
	Success   State = events.StatusSuccess
	Failure   State = events.StatusFailure
	Error     State = events.StatusError
	Cancelled State = events.StatusCancelled
)

// Final says whether the build has ended.
func (s State) Final() bool { return s != Pending && s != Running }

// A Status is what a git host is told of one commit. A later one of the same Context takes
// its place.
type Status struct {
	Commit      string // id, in hex
	Ref         string // full name of the branch or tag; another ref is not told
	State       State
	Context     string // what it is called, such as hubledger/acme/app/release
	Description string // one line for people; it is cut to what the host takes
	URL         string // of the build, for people
}

// A Token is what a git host is shown.
type Token struct {
	User   string // that goes with Secret as a password; "" for a token that stands alone
	Secret string
}

// Hosts are the kinds of git hosts that take statuses.
var Hosts = []string{events.HostGitHub, events.HostGitLab, events.HostBitbucket, events.HostBitbucketServer, events.HostGitea}

// Takes says whether a kind of git host takes statuses.
func Takes(kind string) bool { return slices.Contains(Hosts, kind) }
