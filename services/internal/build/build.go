// Package build holds what may be decided about builds: how they are queued, claimed,
// reported on and ended. The latest event of a build says enough to decide the next.
package build

import (
	"context"
	"errors"
	"fmt"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/command"
)

var (
	// ErrUnknown: there is no such build.
	ErrUnknown = errors.New("no such build")
	// ErrEnded: the build has ended.
	ErrEnded = errors.New("the build has ended")
	// ErrNotEnded: the build has not ended.
	ErrNotEnded = errors.New("the build has not ended yet: cancel it first")
	// ErrTooMany: MaxWaiting builds of the namespace wait.
	ErrTooMany = fmt.Errorf("%d builds of the namespace wait already: cancel some, or wait", MaxWaiting)
	// ErrNotWaiting: the build does not wait for a builder.
	ErrNotWaiting = errors.New("the build does not wait for a builder")
	// ErrEpoch: the builder does not have the build, or no longer.
	ErrEpoch = errors.New("the build was given to another builder")
	// ErrUpload: the uploaded directory cannot be built so; the error's text says why.
	ErrUpload = errors.New("this cannot be built")
	// ErrReport: what a builder says of a build cannot be.
	ErrReport = errors.New("the builder says what cannot be")
)

// MaxWaiting is how many builds of one namespace wait at most. What rules ask for
// beyond that is queued when there is room.
const MaxWaiting = 1000

// MaxLosses is how often a build may be lost with its builder before it is given up.
const MaxLosses = 2

// MaxAttempts is how often a build is given to builders at most. One that is broken or
// hostile may give it back at once, for ever, and each time is in the log.
const MaxAttempts = 50

// An ID is what the subject of a build's events is made of, and the id of the repository
// of its image, which the events name.
type ID struct{ Namespace, Build, Repository string }

// about is a payload of that build, with its repository.
func (id ID) about(p events.Payload) events.Payload {
	switch p := p.(type) {
	case events.BuildClaimed:
		p.Repository = id.Repository
		return p
	case events.BuildStepEnded:
		p.Repository = id.Repository
		return p
	case events.BuildPushed:
		p.Repository = id.Repository
		return p
	case events.BuildLost:
		p.Repository = id.Repository
		return p
	case events.BuildFinished:
		p.Repository = id.Repository
		return p
	}
	return p
}

// stateOf tells from the latest event where a build is, and the epoch of its latest
// claim, 0 for none. The state of no build is "".
func stateOf(last events.Payload) (state string, epoch int) {
	switch p := last.(type) {
	case events.BuildQueued:
		return builds.Waiting, 0
	case events.BuildLost:
		return builds.Waiting, p.Epoch
	case events.BuildClaimed:
		return builds.Running, p.Epoch
	case events.BuildStepEnded:
		return builds.Running, p.Epoch
	case events.BuildPushed:
		return builds.Pushed, p.Epoch
	case events.BuildFinished:
		return builds.Ended, p.Epoch
	case events.BuildLogSealed:
		return builds.Ended, 0 // nothing is decided by an epoch any more
	}
	return "", 0
}

// Queue makes a build. Its id is derived from what asked for it: doing it again finds
// it there.
func Queue(ctx context.Context, log command.Log, by command.By, b events.BuildQueued) (uint64, error) {
	return command.Decide(ctx, log, by, b.Subject(), func(last events.Payload, _ uint64) (events.Payload, error) {
		if last != nil {
			return nil, nil
		}
		return b, nil
	})
}

// Claim gives a waiting build to a builder, with a new epoch. scanner is as in
// events.BuildClaimed. ErrUnknown, ErrEnded, ErrNotWaiting.
func Claim(ctx context.Context, log command.Log, by command.By, id ID, builder, scanner string) (epoch int, seq uint64, err error) {
	seq, err = decide(ctx, log, by, id, func(state string, last int) (events.Payload, error) {
		if state != builds.Waiting {
			return nil, ErrNotWaiting
		}
		epoch = last + 1
		return events.BuildClaimed{Namespace: id.Namespace, Build: id.Build, Builder: builder, Epoch: epoch, Scanner: scanner}, nil
	})
	return epoch, seq, err
}

// decide is command.Decide on a build that has not ended.
func decide(ctx context.Context, log command.Log, by command.By, id ID, next func(state string, epoch int) (events.Payload, error)) (uint64, error) {
	return command.Decide(ctx, log, by, events.BuildSubject(id.Namespace, id.Build), func(last events.Payload, _ uint64) (events.Payload, error) {
		state, epoch := stateOf(last)
		switch state {
		case "":
			return nil, fmt.Errorf("%s: %w", id.Build, ErrUnknown)
		case builds.Ended:
			return nil, ErrEnded
		}
		p, err := next(state, epoch)
		return id.about(p), err
	})
}

// Say records what the builder that has the build says of it: that a step ended, that
// the image was pushed, or, by a failure, that it has ended. epoch is that of its
// claim. ErrUnknown, ErrEnded, ErrEpoch, ErrReport.
func Say(ctx context.Context, log command.Log, by command.By, id ID, epoch int, p events.Payload) (uint64, error) {
	return decide(ctx, log, by, id, func(state string, now int) (events.Payload, error) {
		if state != builds.Running || now != epoch {
			return nil, ErrEpoch
		}
		return p, checkReport(id, epoch, p)
	})
}

// Release gives a build back that a builder has: it waits again, or is given up when
// that was the last of MaxAttempts. lacks is as in events.BuildLost; "" when the builder stops. ErrUnknown,
// ErrEnded, ErrEpoch, ErrReport.
func Release(ctx context.Context, log command.Log, by command.By, id ID, builder string, epoch int, lacks string) (uint64, error) {
	back := events.BuildLost{Namespace: id.Namespace, Build: id.Build, Builder: builder, Epoch: epoch, Released: true, Lacks: lacks}
	return decide(ctx, log, by, id, func(state string, now int) (events.Payload, error) {
		if state != builds.Running || now != epoch {
			return nil, ErrEpoch
		}
		if err := checkReport(id, epoch, back); err != nil || epoch < MaxAttempts {
			return back, err
		}
		return events.BuildFinished{Namespace: id.Namespace, Build: id.Build, Epoch: epoch, Outcome: events.BuildGivenUp,
			Detail: fmt.Sprintf("builders gave it back %d times, the last one was %s", epoch, builder)}, nil
	})
}

// Lose takes a build from a builder of which nothing is heard: it waits again, or is
// given up when that makes MaxLosses. losses is how often it was lost before. ErrUnknown,
// ErrEnded, ErrEpoch.
func Lose(ctx context.Context, log command.Log, by command.By, id ID, builder string, epoch, losses int) (uint64, error) {
	return decide(ctx, log, by, id, func(state string, now int) (events.Payload, error) {
		switch {
		case state != builds.Running || now != epoch:
			return nil, ErrEpoch
		case losses+1 >= MaxLosses:
			return events.BuildFinished{Namespace: id.Namespace, Build: id.Build, Epoch: epoch, Outcome: events.BuildGivenUp,
				Detail: fmt.Sprintf("nothing was heard of its builder %s, as of the one before", builder)}, nil
		}
		return events.BuildLost{Namespace: id.Namespace, Build: id.Build, Builder: builder, Epoch: epoch}, nil
	})
}

// End ends a build from outside: somebody cancels it, a newer commit supersedes it,
// or what it needs has failed. ErrUnknown, ErrEnded.
func End(ctx context.Context, log command.Log, by command.By, id ID, how events.BuildFinished) (uint64, error) {
	return decide(ctx, log, by, id, func(_ string, epoch int) (events.Payload, error) {
		how.Namespace, how.Build, how.Epoch = id.Namespace, id.Build, epoch
		return how, nil
	})
}
