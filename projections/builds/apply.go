package builds

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hubledger/events"
	"hubledger/projections"
)

var (
	num  = projections.IntValue
	raw  = projections.BytesValue
	text = projections.TextValue
)

func apply(e *events.Event, ops *projections.Ops) error {
	p, err := events.Decode(e)
	if err != nil {
		return err
	}
	a := &applier{event: e, ops: ops, seq: num(int64(e.Seq)), time: num(e.Time().UnixMicro())}
	switch p := p.(type) {
	case events.SourceLinked:
		a.source(p.Namespace, p.Source, p.Name, p.Settings, true)
		if p.Settings.Status {
			a.write(reports, a.id(p.Source), flag(true), a.seq)
		}
	case events.SourceChanged:
		a.source(p.Namespace, p.Source, p.Name, p.Settings, true)
		if slices.Contains(p.Changed, events.ChangedStatus) {
			a.write(reports, a.id(p.Source), flag(p.Settings.Status), a.seq)
		}
	case events.SourceUnlinked:
		a.source(p.Namespace, p.Source, p.Name, events.SourceSettings{}, false)
	case events.RefsRecorded:
		a.write(recorded, a.id(p.Source), num(int64(p.Refs)), a.time)
	case events.RefMoved:
		a.moved(p, "")
	case events.PullRequestChanged:
		a.moved(events.RefMoved{Source: p.Source, Ref: p.Ref, Kind: PullRequest, New: p.New, Old: p.Old, Initial: p.Initial}, a.encoded(p.PullRequest))
	case events.PullRequestsWatched:
		a.write(watched, a.id(p.Source), flag(p.On), a.seq)
	case events.HookReceived:
		a.write(deliveries, a.id(p.Source), text(p.Delivery), text(e.ID()), text(p.Event), flag(p.Ping), a.json(p.Refs), num(int64(p.More)), text(p.Repository), optional(a, p.PullRequest), a.json(p.Headers),
			text(p.Digest), num(p.Size), a.time, a.seq)
		if p.PullRequest != nil {
			a.write(told, a.id(p.Source), num(int64(p.PullRequest.Number)), a.json(p.PullRequest), a.seq)
		}
	case events.HookRedelivered:
		a.write(redeliveries, a.id(p.Source), text(p.Delivery), num(1))
	case events.HookRefused:
		a.write(refusals, a.id(p.Source), num(p.Until.UnixMicro()), text(p.Node), num(p.Requests), num(p.Addresses))
	case events.RulesSet:
		source := raw([]byte{})
		if p.Source != "" {
			source = a.id(p.Source)
		}
		a.write(rules, a.id(p.Repository), a.id(p.Namespace), text(p.Name), source, a.json(p.Rules), flag(p.FromFile), flag(looks(p)), flag(p.TestsPullRequests()), a.time, text(e.Actor()), text(e.ID()), a.seq)
		a.write(rulesets, text(e.ID()), a.json(p.Rules))
		if !p.SameSource {
			a.write(feeds, a.id(p.Repository), source, a.seq)
		}
		if p.TestsPullRequests() && !p.SameTests {
			a.write(testing, a.id(p.Repository), source, a.seq)
		}
	case events.PushEvaluated:
		a.write(pushes, a.id(p.Repository), a.id(p.Source), text(p.Ref), text(p.Commit), text(cmp.Or(p.Move, e.Cause())), text(p.RulesEvent), a.json(p.Verdicts), optional(a, p.File), optional(a, p.PullRequest), a.id(p.Namespace), a.time, text(e.ID()), text(e.Correlation()), a.seq)
		if n := wanted(p.Verdicts); n > 0 {
			a.write(asked, text(e.ID()), num(int64(n)))
		}
		if p.After != "" {
			a.write(asked, text(p.After), num(-replaced))
		}
	case events.PushRequested:
		a.write(requests, a.id(p.Repository), a.id(p.Source), text(p.Ref), text(e.ID()), text(e.Correlation()), a.seq)
	case events.TriggerCreated:
		a.write(triggers, a.id(p.Trigger), a.id(p.Namespace), a.id(p.Repository), text(p.Name), raw(p.Hash), flag(true), a.time, text(e.Actor()), a.seq)
	case events.TriggerDeleted:
		a.write(triggers, a.id(p.Trigger), a.id(p.Namespace), a.id(p.Repository), text(""), raw([]byte{}), flag(false), a.time, text(e.Actor()), a.seq)
	case events.RepositoryDeleted:
		a.write(repositories, a.id(p.Repository), flag(false), a.time, a.seq)
	case events.RepositoryRestored:
		a.write(repositories, a.id(p.Repository), flag(true), a.time, a.seq)
	case events.BuildSecretSet:
		a.secret(p.Repository, p.Secret, p.Record, p.ForFile)
	case events.BuildSecretRemoved:
		a.secret(p.Repository, p.Secret, "", false)
	case events.BuildQueued:
		a.queued(p)
	case events.BuildClaimed:
		a.write(claims, a.id(p.Build), num(int64(p.Epoch)), text(p.Builder), text(p.Scanner), a.time)
		a.state(p.Build, Running, p.Epoch, events.BuildFinished{})
	case events.BuildStepEnded:
		a.write(steps, a.id(p.Build), num(int64(p.Epoch)), num(int64(p.Step)), text(p.Kind), text(p.Name), num(p.Began.UnixMicro()), num(p.Took),
			flag(p.Cached), flag(p.Failed), a.seq)
		if p.Hooks {
			a.write(hooked, a.id(p.Build), a.seq)
		}
	case events.BuildPushed:
		a.state(p.Build, Pushed, p.Epoch, events.BuildFinished{Digest: p.Digest})
		for k, of := range p.Bases {
			a.write(bases, a.id(p.Build), num(int64(k+1)), text(of.Name), text(of.Digest), text(of.Platform), text(of.Repository), text(of.Tag))
		}
	case events.BuildLost:
		a.state(p.Build, Waiting, p.Epoch, events.BuildFinished{})
		if !p.Released {
			a.write(losses, a.id(p.Build), num(1))
		}
		if p.Lacks == events.LacksHooks {
			a.write(hooked, a.id(p.Build), a.seq)
		}
	case events.BuildFinished:
		a.state(p.Build, Ended, p.Epoch, p)
		a.write(unsealed, a.id(p.Build), a.time)
	case events.BuildLogSealed:
		a.write(logs, a.id(p.Build), text(p.Digest), num(p.Size), num(p.Written), a.time)
		a.ops.Delete(unsealed, a.id(p.Build))
	case events.StatusSent:
		a.settled(p.Source, p.Settles)
	case events.StatusGivenUp:
		a.settled(p.Source, p.Settles)
	default:
		return fmt.Errorf("event %d: %s is listed but not handled", e.Seq, e.Type())
	}
	return errors.Join(a.errs...)
}

// An applier writes the rows of one event and collects its errors.
type applier struct {
	event     *events.Event
	ops       *projections.Ops
	seq, time projections.Value
	errs      []error
}

func (a *applier) id(s string) projections.Value {
	id, err := projections.IDBytes(s)
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return raw(id)
}

func (a *applier) json(v any) projections.Value { return text(a.encoded(v)) }

func (a *applier) encoded(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		a.errs = append(a.errs, err)
	}
	return string(encoded)
}

// optional is a value as JSON, empty for none.
func optional[T any](a *applier, v *T) projections.Value {
	if v == nil {
		return text("")
	}
	return a.json(v)
}

func (a *applier) write(t *projections.Table, row ...projections.Value) { a.ops.Write(t, row...) }

func (a *applier) source(namespace, source, name string, s events.SourceSettings, live bool) {
	a.write(sources, a.id(source), a.id(namespace), text(name), flag(live), text(s.URL), text(s.Host), text(s.Credentials), text(s.Secret), text(s.User),
		text(s.DeployKey), text(s.HostKey), text(s.HookSecret), flag(s.BuildExisting), flag(s.Status), text(s.StatusSecret), a.time, text(a.event.Actor()), a.seq)
}

// settled: nothing is sent any more of the builds that these events queued.
func (a *applier) settled(source string, queued []uint64) {
	for _, seq := range queued {
		a.write(unreported, a.id(source), num(int64(seq)), num(-1))
	}
}

// moved writes where a ref is; pull is what is known of a pull request, as JSON.
func (a *applier) moved(p events.RefMoved, pull string) {
	a.write(refs, a.id(p.Source), text(p.Ref), text(p.Kind), text(p.New), text(p.Old), text(p.Annotated), flag(p.Initial), text(pull), a.time, text(a.event.ID()), text(a.event.Correlation()), a.seq)
	if a.event.Cause() != "" {
		a.write(moves, a.id(p.Source), text(a.event.Cause()), text(p.Ref), text(p.Old), text(p.New), a.seq)
	}
}

func (a *applier) secret(repository, name, record string, forFile bool) {
	a.write(secrets, a.id(repository), text(name), text(record), flag(forFile), a.time, text(a.event.Actor()), a.seq)
}

func (a *applier) queued(p events.BuildQueued) {
	again := raw([]byte{})
	if p.Rebuild != nil {
		again = a.id(p.RetryOf)
	}
	from := raw([]byte{})
	if p.Upload == nil {
		from = a.id(p.Source)
	}
	if !p.Test && p.Upload == nil {
		a.write(lines, a.id(p.Repository), from, text(p.Ref), text(p.Rule.Name), a.id(p.Build), flag(p.Rule.Rebuild == "base"), a.seq)
	}
	a.write(queued, a.id(p.Build), a.id(p.Namespace), a.id(p.Repository), from, text(p.Ref), text(p.Kind), text(p.Commit), text(p.Rule.Name), a.json(p.Rule),
		a.json(p.Tags), flag(p.Test), flag(p.Untrusted), flag(p.FromFile), optional(a, p.PullRequest), text(p.RetryOf), again, optional(a, p.Rebuild), optional(a, p.Upload), flag(p.Hooks), text(a.event.Cause()), text(a.event.Correlation()), text(a.event.ID()), text(a.event.Actor()), a.time, a.seq)
	a.state(p.Build, Waiting, 0, events.BuildFinished{})
	if p.Upload == nil {
		a.write(unreported, from, a.seq, num(1))
	}
	if p.RetryOf == "" && a.event.Cause() != "" {
		a.write(asked, text(a.event.Cause()), num(-1))
	}
}

// replaced is more than the builds that an evaluation may ask for.
const replaced = 1_000_000

// looks says whether what rules make of a ref may depend on the files of its commit.
func looks(p events.RulesSet) bool {
	return p.FromFile || slices.ContainsFunc(p.Rules, func(r events.BuildRule) bool { return len(r.Paths) > 0 })
}

// state writes where a build is; how has what is known of its end.
func (a *applier) state(build, state string, epoch int, how events.BuildFinished) {
	a.write(states, a.id(build), text(state), num(int64(epoch)), text(how.Digest), text(how.Outcome), text(how.Reason), text(how.Detail), a.json(how.Tags), a.json(how.Refused), text(how.Provenance),
		a.time, a.seq)
}

// wanted counts the builds that verdicts ask for.
func wanted(verdicts []events.RuleVerdict) (n int) {
	for _, v := range verdicts {
		if v.Outcome != events.OutcomeSkip {
			n++
		}
	}
	return n
}

func flag(on bool) projections.Value {
	if on {
		return num(1)
	}
	return num(0)
}
