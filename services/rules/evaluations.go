package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/process"
)

// Names of the process managers. Ids of events derive from that of the first.
const (
	evaluationsName = "push-evaluations"
	looksName       = "push-looks"
)

// wakes: rules and settings make refs due that were there when their source was linked.
var wakes = []string{"ref.moved.v1", "pull_request.changed.v1", "push.requested.v1", "rules.set.v1", "source.changed.v1", "repository.restored.v1"}

// evaluations is the process manager that records what the rules of repositories make of
// each ref that moved: one push.evaluated of the ref and the repository. Of moves
// that followed each other before it came to them only the last one counts, as for a
// sweep. Those whose commit has to be looked at are left to looks.
func (s *Rules) evaluations() process.Manager {
	return process.Manager{
		Name:   evaluationsName,
		Source: "/rules",
		Wakes:  wakes,
		View:   s.View,
		Due:    func(ctx context.Context, _ time.Time) ([]process.Task, error) { return s.due.list(ctx, s.Read, false) },
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			p, ref, err := s.duePush(ctx, t)
			if p == nil || err != nil || buildrule.Compile(p.Rules).NeedsLook(p.FromFile, ref) { // then they were changed meanwhile
				return nil, err
			}
			verdicts, file := buildrule.EvaluateLook(p.Rules, p.FromFile, ref, buildrule.Look{}) // which nothing depends on
			return evaluated(t, p, verdicts, file), nil
		},
	}
}

// looks is the process manager that does the same where the verdicts depend on the files
// of the commit: it looks at it first. When that fails for too long every file counts as
// changed, and a file of rules in it is taken for a broken one.
func (s *Rules) looks() process.Manager {
	return process.Manager{
		Name:     looksName,
		Source:   "/rules",
		Wakes:    wakes,
		Parallel: 4,
		View:     s.View,
		Due:      func(ctx context.Context, _ time.Time) ([]process.Task, error) { return s.due.list(ctx, s.Read, true) },
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			p, ref, err := s.duePush(ctx, t)
			if p == nil || err != nil {
				return nil, err
			}
			var seen buildrule.Look
			if buildrule.Compile(p.Rules).NeedsLook(p.FromFile, ref) {
				if seen, err = s.Look(ctx, uuid.NewSHA1(uuid.Nil, []byte(t.Key)).String(), p, p.FromFile); err != nil {
					return nil, err
				}
			}
			verdicts, file := buildrule.EvaluateLook(p.Rules, p.FromFile, ref, seen)
			return evaluated(t, p, verdicts, file), nil
		},
		GiveUp: func(ctx context.Context, t process.Task, why string) (*process.Completion, error) {
			p, ref, err := s.duePush(ctx, t)
			if p == nil || err != nil {
				return nil, err
			}
			why = "the commit could not be looked at: " + why
			verdicts, file := buildrule.EvaluateLook(p.Rules, p.FromFile, ref, buildrule.Look{Every: why, BadFile: why})
			return evaluated(t, p, verdicts, file), nil
		},
	}
}

// duePush is what a task is about, nil when it is no longer due: the ref has moved
// again, or the rules are for another source.
func (s *Rules) duePush(ctx context.Context, t process.Task) (*builds.DuePush, buildrule.Ref, error) {
	repository, cause, ok := strings.Cut(t.Key, "/")
	if !ok {
		return nil, buildrule.Ref{}, fmt.Errorf("%q names no push", t.Key)
	}
	p, err := s.Read.DuePush(ctx, repository, cause)
	if errors.Is(err, builds.ErrNotFound) {
		return nil, buildrule.Ref{}, nil
	}
	if err != nil {
		return nil, buildrule.Ref{}, err
	}
	ref, err := refOf(p.Ref, p.Pull, p.After == "", p.Cause != p.Move)
	ref.Commit = p.Commit
	return p, ref, err
}

// refOf is a ref by its full name, or that of a pull request; first says that rules were
// never evaluated for it, requested that somebody asked for the evaluation. Then every
// file counts.
func refOf(name string, pull *events.PullRequest, first, requested bool) (ref buildrule.Ref, err error) {
	if pull != nil {
		ref = buildrule.PullRef(pull, "")
	} else {
		ref, err = buildrule.ParseRef(name)
	}
	switch {
	case requested:
		ref.Every, ref.ChangesKnown = buildrule.Requested, true
	case first:
		ref.Every, ref.ChangesKnown = buildrule.FirstTime, true
	}
	return ref, err
}

// evaluated is the event of an evaluation. Its id is the same by whichever manager it
// is, so that a push has one even when its rules go from one to the other.
func evaluated(t process.Task, p *builds.DuePush, verdicts []buildrule.Verdict, file *events.RulesFile) *process.Completion {
	e := events.PushEvaluated{Namespace: p.Namespace, Repository: p.Repository, Name: p.Name, Source: p.Source,
		Ref: p.Ref, Commit: p.Commit, Previous: p.Previous, After: p.After, RulesEvent: p.RulesEvent, File: file, Verdicts: verdicts, PullRequest: p.Pull}
	if p.Cause != p.Move {
		e.Previous, e.Move = "", p.Move
	}
	return &process.Completion{ID: process.EventID(evaluationsName, t), Event: e}
}
