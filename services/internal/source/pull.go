package source

import (
	"context"

	"hubledger/events"
	"hubledger/services/internal/command"
)

// A Pull is a pull request as its git host shows it now.
type Pull struct {
	Ref    string // full name
	Number int
	Commit string // "" when it is closed
	// Tip says that the commit is where a branch of the git repository stands, and so
	// was pushed by somebody who may push there.
	Tip bool
	// Told is what a webhook whose signature was right says; nil: nothing.
	Told *events.HookPullRequest
	// Default is the full name of the default branch, "" when the host does not tell it.
	Default string
}

// A PullState is where a pull request stands in the log. The zero value is that of one
// that was never seen.
type PullState struct {
	Commit string // "" when it is closed
	events.PullRequest
}

// Next is where a pull request stands now, and whether that differs from what is known.
//
// It is taken for own only with a reason: its commit is the tip of a branch when it is
// first seen, or a webhook says of that commit that its branch is one of the git
// repository. A commit that was own stays own; one that was a fork's does not become own
// by a branch, as when it is merged. The target is what a webhook has told, or else what the
// default branch is when the commit is seen.
func (p Pull) Next(before PullState) (now PullState, differs bool) {
	now = PullState{p.Commit, before.PullRequest}
	now.Number = p.Number
	told := p.Told
	if told != nil && told.Head == p.Commit && told.Closed {
		now.Commit = ""
	}
	if now.Commit == "" { // what was known of it stays
		return now, before.Commit != ""
	}
	same := before.Commit == now.Commit
	switch {
	case told != nil && told.Head == now.Commit && told.Own, !same && p.Tip:
		now.From = events.PullOwn
	case !same:
		now.From = events.PullFork
	}
	switch {
	case told != nil && told.Target != "":
		now.Target, now.Assumed = told.Target, false
	case !same && (before.Target == "" || before.Assumed):
		now.Target, now.Assumed = p.Default, p.Default != ""
	}
	return now, !same || before.From != now.From || before.Target != now.Target
}

// ChangePull records where a pull request stands now. It decides by its own latest
// event, so that several sweeps at once record each change once. seq is 0 when there is
// nothing to say.
func ChangePull(ctx context.Context, log command.Log, by command.By, id ID, p Pull, initial bool) (seq uint64, changed bool, err error) {
	now := events.PullRequestChanged{Namespace: id.Namespace, Source: id.Source, Ref: p.Ref, Initial: initial}
	seq, err = command.Decide(ctx, log, by, now.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		before, _ := last.(events.PullRequestChanged)
		var next PullState
		if next, changed = p.Next(PullState{before.New, before.PullRequest}); !changed {
			return nil, nil
		}
		now.Old, now.New, now.PullRequest = before.New, next.Commit, next.PullRequest
		return now, nil
	})
	return seq, changed && err == nil, err
}

// WatchPulls says that the pull requests of a source are watched from now on, after a
// first look that has found so many, or no more.
func WatchPulls(ctx context.Context, log command.Log, by command.By, id ID, on bool, found int) (uint64, error) {
	p := events.PullRequestsWatched{Namespace: id.Namespace, Source: id.Source, On: on, PullRequests: found}
	return command.Decide(ctx, log, by, p.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if before, _ := last.(events.PullRequestsWatched); before.On == on {
			return nil, nil
		}
		return p, nil
	})
}
