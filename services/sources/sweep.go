package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/process"
	src "hubledger/services/internal/source"
)

const (
	listWithin = time.Minute // a git host tells its refs in this time
	atOnce     = 4           // sources
	writers    = 16          // refs of one source: appends that wait for the disk together
)

// sweeper is the process manager that looks at the refs of each source: after it was
// linked or changed, when rules test its pull requests, after a webhook, when somebody
// asks, and by a timer. What moved
// is recorded, decided on each ref's own subject, so that doing it again records
// nothing twice. Nothing completes a sweep but the time of the next one.
func (s *Sources) sweeper() process.Manager {
	return process.Manager{
		Name:     "sweeps",
		Source:   source,
		Wakes:    []string{"source.linked.v1", "source.changed.v1", "hook.received.v1", "rules.set.v1"},
		Every:    2 * time.Second, // the button and the timer are seen in this time
		Parallel: atOnce,
		Backoff:  process.Backoff{Attempts: process.Unlimited},
		View:     s.View,
		Due:      s.due,
		Do: func(ctx context.Context, t process.Task) (*process.Completion, error) {
			return nil, s.sweep(ctx, t.Key)
		},
	}
}

// due lists the sources that are to be swept, those that wait longest first.
func (s *Sources) due(ctx context.Context, now time.Time) ([]process.Task, error) {
	watched, err := s.Read.Watched(ctx)
	if err != nil {
		return nil, err
	}
	sweeps, err := s.sweeps.all(ctx)
	if err != nil {
		return nil, err
	}
	type waiting struct {
		id    string
		since time.Time
	}
	var list []waiting
	for _, w := range watched {
		last, ok := sweeps[w.ID]
		if at := dueAt(w, last, ok, now); !at.After(now) {
			list = append(list, waiting{w.ID, at})
		}
		delete(sweeps, w.ID)
	}
	for id := range sweeps { // of sources that were unlinked
		list = append(list, waiting{id, now})
	}
	slices.SortFunc(list, func(a, b waiting) int { return a.since.Compare(b.since) })
	tasks := make([]process.Task, 0, min(len(list), process.MaxDue+1))
	for _, w := range list[:cap(tasks)] {
		tasks = append(tasks, process.Task{Key: w.id})
	}
	return tasks, nil
}

// sweep looks at the refs of one source once and notes how it went. A git host that
// does not answer is no error of ours: the source shows it.
func (s *Sources) sweep(ctx context.Context, id string) error {
	of, err := s.Read.SourceByID(ctx, id)
	if errors.Is(err, builds.ErrNotFound) {
		return errors.Join(s.told.forgetHost(ctx, id), s.sweeps.forget(ctx, id))
	}
	if err != nil {
		return err
	}
	w, _, err := s.sweeps.of(ctx, id)
	if err != nil {
		return err
	}
	by := command.By{Source: source, Actor: "system"}
	if w.Asked > w.Answered {
		by.Cause = w.Cause
	}
	pulls, err := s.Read.Pulls(ctx, id)
	if err != nil {
		return err
	}
	w.Settings, w.Answered, w.Moved = max(of.Seq, pulls.Rules), w.Asked, 0
	if hook, err := s.Read.LatestHook(ctx, id); err == nil && hook.Seq > w.Hook {
		w.Hook, by.Cause = hook.Seq, hook.Event
	} else if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return err
	}
	by.Correlation = by.Cause // a webhook begins a chain
	began := time.Now()
	at := pullRefs(of, pulls)
	listing, err := s.ask(ctx, of, at)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		w.Failures, w.Error = w.Failures+1, err.Error()
	} else {
		if w.Moved, err = s.record(ctx, by, of, listing); err != nil {
			return err
		}
		changed, err := s.recordPulls(ctx, by, of, listing, pulls.Watched, at != gitremote.PullRefs{})
		if err != nil {
			return err
		}
		w.Refs, w.Failures, w.Error = len(listing.Refs), 0, ""
		if w.Quiet++; w.Moved+changed > 0 {
			w.Quiet = 0
		}
	}
	s.counts.swept(w, time.Since(began))
	w.At = time.Now()
	w.Next = w.At.Add(jittered(pauseAfter(w, s.Every)))
	return s.sweeps.keep(ctx, id, w)
}

// ask lists the refs at the git host, and pull requests by their names.
func (s *Sources) ask(ctx context.Context, of *builds.Source, pulls gitremote.PullRefs) (gitremote.Listing, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, listWithin, fmt.Errorf("the git host did not answer within %s", listWithin))
	defer cancel()
	with, err := s.Credentials(ctx, of)
	if err != nil {
		return gitremote.Listing{}, err
	}
	u, err := gitremote.ParseURL(of.Settings.URL)
	if err != nil {
		return gitremote.Listing{}, err
	}
	return s.Git.List(ctx, u, with, pulls)
}

// record appends what differs from what is known, and returns how many refs moved.
func (s *Sources) record(ctx context.Context, by command.By, of *builds.Source, l gitremote.Listing) (moved int, err error) {
	id := src.ID{Namespace: of.Namespace, Source: of.ID}
	if l.HostKey != "" && of.Settings.HostKey == "" {
		if err := s.pin(ctx, id, of, l.HostKey); err != nil {
			return 0, err
		}
	}
	known, err := s.Read.Places(ctx, of.ID)
	if err != nil {
		return 0, err
	}
	list := differences(known, l.Refs, events.RefMoved{Namespace: of.Namespace, Source: of.ID, Initial: !of.Recorded})
	moved, err = appendEach(ctx, s.View, list, func(m events.RefMoved) (uint64, bool, error) { return src.Move(ctx, s.Log, by, m) })
	if err != nil || of.Recorded {
		return moved, err
	}
	seq, err := src.Record(ctx, s.Log, by, id, len(l.Refs))
	if err == nil {
		err = s.View.Wait(ctx, seq) // the next sweep finds new refs
	}
	return moved, err
}

// differences are the moves that lead from what is known to what there is.
func differences(known map[string]builds.Place, now []gitremote.Ref, as events.RefMoved) []events.RefMoved {
	var list []events.RefMoved
	for _, r := range now {
		place := builds.Place{Commit: r.Commit()}
		if r.Peeled != "" {
			place.Annotated = r.Object
		}
		before, ok := known[r.Name]
		delete(known, r.Name)
		if ok && before == place {
			continue
		}
		as.Ref, as.Kind, as.New, as.Annotated = r.Name, kindOf(r.Name), place.Commit, place.Annotated
		list = append(list, as)
	}
	for name := range known {
		as.Ref, as.Kind, as.New, as.Annotated = name, kindOf(name), "", ""
		list = append(list, as)
	}
	return list
}

func kindOf(ref string) string {
	if strings.HasPrefix(ref, "refs/tags/") {
		return events.RefTag
	}
	return events.RefBranch
}

// appendEach records each of a list, several at a time, and waits until they can be
// read. one says whether there was something to record.
func appendEach[T any](ctx context.Context, view process.View, list []T, one func(T) (seq uint64, did bool, err error)) (moved int, err error) {
	var work sync.WaitGroup
	var mu sync.Mutex
	var last uint64
	next := make(chan T)
	for range min(writers, len(list)) {
		work.Go(func() {
			for m := range next {
				seq, did, failed := one(m)
				mu.Lock()
				if did {
					moved++
				}
				last, err = max(last, seq), errors.Join(err, failed)
				mu.Unlock()
			}
		})
	}
	for _, m := range list {
		mu.Lock()
		failed := err != nil
		mu.Unlock()
		if failed {
			break
		}
		next <- m
	}
	close(next)
	work.Wait()
	if err == nil && last > 0 {
		err = view.Wait(ctx, last)
	}
	return moved, err
}

// pin keeps the key that an SSH host has shown first.
func (s *Sources) pin(ctx context.Context, id src.ID, of *builds.Source, key string) error {
	_, err := src.Set(ctx, s.Log, command.By{Source: source, Actor: "system"}, id, of.Name, nil,
		func(now events.SourceSettings) (events.SourceSettings, error) {
			if now.URL == of.Settings.URL && now.HostKey == "" {
				now.HostKey = key
			}
			return now, nil
		})
	if errors.Is(err, src.ErrUnknown) {
		return nil // it was unlinked meanwhile
	}
	return err
}
