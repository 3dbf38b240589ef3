package sources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"strings"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/process"
	"hubledger/services/sources/hoststatus"
)

const (
	statusesName = "commit-statuses"
	// giveUpAfter is how long after the end of a build a git host may fail to take it.
	giveUpAfter = 24 * time.Hour
	// firstPause is how long nothing is sent after a token was refused; it doubles with each
	// further refusal up to maxPause.
	firstPause = 30 * time.Second
	// maxUnreported bounds the builds that are looked at at once.
	maxUnreported = 5000
)

// statuses is the process manager that tells git hosts how builds of their commits go. A
// task is a build; what is sent is where the latest build of the same commit by the same
// rule is at that time, so that nothing old follows something newer. What was sent is in the
// operational store, and for the end of a build in the log (see events.StatusSent).
func (s *Sources) statuses() process.Manager {
	return process.Manager{
		Name:     statusesName,
		Source:   source,
		Wakes:    []string{"build.queued.v1", "build.claimed.v1", "build.lost.v1", "build.finished.v1", "source.changed.v1"},
		Parallel: 4,
		// The end of trying is a time, since a git host may be down or the hub.
		Backoff: process.Backoff{First: 2 * time.Second, Attempts: process.Unlimited},
		View:    s.View,
		Due:     s.unsent,
		Do:      s.tell,
	}
}

// A report is a build, and what its git host is to be told of it.
type report struct {
	*builds.Build
	state   hoststatus.State
	settles []uint64 // sequences of what queued it, and older builds of its line
}

// line is what builds share whose status is the same one at the git host.
func line(b *builds.Build) string {
	return strings.Join([]string{b.Repository, b.Source, b.Commit, b.Rule.Name}, " ")
}

// reports are the latest of each line of builds, which are in the order of the log.
func reports(list []builds.Build) (latest []*report) {
	of := map[string]*report{}
	for k := range list {
		b := &list[k]
		r := of[line(b)]
		if r == nil {
			r = &report{}
			of[line(b)] = r
			latest = append(latest, r)
		}
		r.Build, r.state = b, stateOf(b)
		r.settles = append(r.settles, b.Seq)
	}
	return latest
}

func stateOf(b *builds.Build) hoststatus.State {
	switch {
	case b.State == builds.Waiting:
		return hoststatus.Pending
	case b.State != builds.Ended:
		return hoststatus.Running
	}
	switch b.End.Outcome {
	case events.BuildSucceeded:
		return hoststatus.Success
	case events.BuildFailed:
		return hoststatus.Failure
	case events.BuildCancelled, events.BuildSuperseded:
		return hoststatus.Cancelled
	}
	return hoststatus.Error
}

// unsent lists the builds of which something is to be sent. What was sent of others is
// forgotten.
func (s *Sources) unsent(ctx context.Context, _ time.Time) ([]process.Task, error) {
	sent, err := s.told.all(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.Read.Unreported(ctx, maxUnreported)
	if err != nil {
		return nil, err
	}
	settings := map[string]uint64{}
	watched, err := s.Read.Watched(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range watched {
		settings[w.ID] = w.Seq
	}
	var tasks []process.Task
	for _, r := range reports(list) {
		was, ok := sent[line(r.Build)]
		delete(sent, line(r.Build))
		if !ok || was != (told{r.ID, r.state}) || r.state.Final() {
			// With other settings it is another task, which does not wait as the one before did.
			tasks = append(tasks, process.Task{Key: fmt.Sprint(r.ID, " ", settings[r.Source]), Cause: r.Event, Correlation: r.Correlation})
		}
	}
	if len(list) < maxUnreported {
		for line := range sent {
			if err := s.told.forget(ctx, line); err != nil {
				return nil, err
			}
		}
	}
	return tasks, nil
}

// tell sends what is true now of a build, if it is the latest of its line.
func (s *Sources) tell(ctx context.Context, t process.Task) (*process.Completion, error) {
	id, _, _ := strings.Cut(t.Key, " ")
	b, err := s.Read.Build(ctx, id)
	if err != nil {
		return nil, err
	}
	defer s.oneOf(line(b))()
	list, err := s.Read.UnreportedOf(ctx, b.Repository, b.Source, b.Commit, b.Rule.Name)
	if err != nil || len(list) == 0 || list[len(list)-1].ID != id {
		return nil, err // its turn is over: the task is no longer due
	}
	r := reports(list)[0]
	of, err := s.Read.SourceByID(ctx, r.Source)
	if errors.Is(err, builds.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rules, err := s.Read.Rules(ctx, r.Repository)
	if err != nil {
		return nil, err
	}
	name := "hubledger/" + rules.Name + "/" + r.Rule.Name
	was, err := s.told.of(ctx, line(r.Build))
	if err != nil {
		return nil, err
	}
	if was != (told{r.ID, r.state}) {
		if err := s.send(ctx, of, r, name); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return r.givenUp(name, err, time.Now())
		}
		if err := s.told.keep(ctx, line(r.Build), told{r.ID, r.state}); err != nil {
			return nil, err
		}
	}
	if !r.state.Final() {
		return nil, nil
	}
	return r.completion(events.StatusSent{Namespace: r.Namespace, Build: r.ID, Source: r.Source, Commit: r.Commit, Context: name, State: string(r.state), Settles: r.settles}), nil
}

// completion is the event that settles a report. Its id is the same whatever it says, so
// that there is one of a build.
func (r *report) completion(p events.Payload) *process.Completion {
	return &process.Completion{Event: p, ID: process.EventID(statusesName, process.Task{Key: r.ID, Cause: r.Event})}
}

// givenUp ends what could not be sent for long enough; before that it is the error.
func (r *report) givenUp(name string, err error, now time.Time) (*process.Completion, error) {
	if !r.state.Final() || now.Sub(r.Changed) < giveUpAfter || errors.Is(err, events.ErrReadOnly) {
		return nil, err
	}
	return r.completion(events.StatusGivenUp{Namespace: r.Namespace, Build: r.ID, Source: r.Source, Commit: r.Commit, Context: name, State: string(r.state),
		Why: process.ErrorText(err), Settles: r.settles}), nil
}

// send sends a report unless the host of its source wants to be left alone, and notes how
// that went.
func (s *Sources) send(ctx context.Context, of *builds.Source, r *report, name string) error {
	h, err := s.told.host(ctx, of.ID)
	if err != nil {
		return err
	}
	if h.Settings != of.Seq {
		h = hostRow{Settings: of.Seq}
	}
	if time.Now().Before(h.Until) {
		return &process.Later{At: h.Until, Err: errors.New(h.Error)}
	}
	err = s.post(ctx, of, hoststatus.Status{Commit: r.Commit, Ref: r.Ref, State: r.state, Context: name,
		Description: describe(r.Build), URL: strings.TrimSuffix(s.URL, "/") + "/builds/" + r.ID})
	if ctx.Err() != nil {
		return err
	}
	h.At, h.Until = time.Now(), time.Time{}
	var refused *hoststatus.Refused
	switch {
	case err == nil:
		h.Failures, h.Error = 0, ""
	case errors.As(err, &refused) && !refused.Until.IsZero():
		h.Until, h.Error = earlier(refused.Until, h.At.Add(giveUpAfter)), process.ErrorText(err)
	case refused != nil && refused.Token:
		h.Until = h.At.Add(min(firstPause<<min(h.Failures, 10), maxPause))
		h.Failures, h.Error = h.Failures+1, process.ErrorText(err)
	default:
		h.Error = process.ErrorText(err)
	}
	s.counts.told(err)
	if kept := s.told.keepHost(ctx, of.ID, h); kept != nil {
		return cmp.Or(err, kept)
	}
	if !h.Until.IsZero() {
		return &process.Later{At: h.Until, Err: err}
	}
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// post sends a status with the token that the source has for that.
func (s *Sources) post(ctx context.Context, of *builds.Source, status hoststatus.Status) error {
	with, err := s.statusToken(ctx, of)
	if err != nil {
		return err
	}
	u, err := gitremote.ParseURL(of.Settings.URL)
	if err != nil {
		return err
	}
	return s.Hosts.Send(ctx, of.Settings.Host, u, with, status)
}

func (s *Sources) statusToken(ctx context.Context, of *builds.Source) (with hoststatus.Token, err error) {
	if of.Settings.StatusSecret == "" {
		c, err := s.Credentials(ctx, of)
		return hoststatus.Token{User: c.User, Secret: c.Password}, err
	}
	if s.Secrets == nil {
		return with, errNoSecrets
	}
	secret, _, err := s.Secrets.Get(ctx, secretName(of.ID, of.Settings.StatusSecret))
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("the token for statuses is lost: set it again")
	}
	return hoststatus.Token{Secret: string(secret)}, err
}

// statusSent is how it went to tell the git host of a source with its settings of now; nil
// when nothing was sent.
func (s *Sources) statusSent(ctx context.Context, of *builds.Source) (*apitypes.StatusSent, error) {
	h, err := s.told.host(ctx, of.ID)
	if err != nil || h.Settings != of.Seq || !of.Settings.Status {
		return nil, err
	}
	sent := &apitypes.StatusSent{At: h.At, Error: h.Error}
	if time.Now().Before(h.Until) {
		sent.Next = &h.Until
	}
	return sent, nil
}

// describe says in one line where a build is.
func describe(b *builds.Build) string {
	switch stateOf(b) {
	case hoststatus.Pending:
		return "Waits for a builder"
	case hoststatus.Running:
		return "Is being built"
	case hoststatus.Success:
		switch {
		case b.Test:
			return "The test has succeeded"
		case len(b.End.Tags) > 0:
			return "Built " + strings.Join(b.End.Tags, ", ")
		}
		return "Built"
	}
	return cmp.Or(firstLine(b.End.Detail), "The build has ended: "+b.End.Outcome)
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(text)
}

// lines lets one report of a line be sent at a time: what is read and what is sent belong
// together. A lock stands for many lines.
type lines struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
}

func (s *Sources) oneOf(line string) (unlock func()) {
	l := &s.lines.locks[maphash.String(s.lines.seed, line)%uint64(len(s.lines.locks))]
	l.Lock()
	return l.Unlock
}
