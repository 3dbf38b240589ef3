package trigger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/secret"
)

const (
	// maxCalled bounds the refs of one call.
	maxCalled = 20
	// looksBack is how many builds are looked at for branches.
	looksBack = 100
)

var (
	// ErrURL: no trigger has that secret, or it is one of another repository.
	ErrURL = errors.New("there is no build trigger of that URL: it was deleted, or the URL is not whole")
	// ErrNoBuilds: the repository is gone, or no rules are set for it.
	ErrNoBuilds = errors.New("the repository has no automated builds now: set rules for it first")
	// ErrKind: a kind of ref is neither a branch nor a tag.
	ErrKind = errors.New("has to be Branch or Tag")
	// ErrTag: nothing gives a tag of the image; the error's text says what was looked at.
	ErrTag = errors.New("unknown tag")
	// ErrNothing: a call means no ref that is there; the error's text says which.
	ErrNothing = errors.New("there is nothing to build")
)

// A Called says which refs a call means. With nothing it means the branches and tags that a
// rule names, and the branches that were built last.
type Called struct {
	Tag  string // of the image: the ref that gave it last, or would give it
	Kind string // Branch or Tag, of Name; "" for a branch
	Name string // of a branch or git tag, short
}

// Find is the trigger of a repository, by its id, that has a secret; ErrURL.
func Find(ctx context.Context, read builds.Reader, repository string, of secret.Secret) (*builds.Trigger, error) {
	t, err := read.TriggerOf(ctx, of.Hash())
	if errors.Is(err, builds.ErrNotFound) || err == nil && t.Repository != repository {
		return nil, ErrURL
	}
	return t, err
}

// A Call is what came of calling a trigger: full names of refs.
type Call struct {
	Requested []string // for which the rules are evaluated again
	Waiting   []string // of whose commit a build by the present rules waits: it would build the same twice
	Seq       uint64   // of the last event, 0 for none
}

// Make asks for the rules of the trigger's repository to be evaluated again, for what was
// called. ErrNoBuilds, ErrKind, ErrTag, ErrNothing.
func Make(ctx context.Context, log command.Log, by command.By, read builds.Reader, t *builds.Trigger, what Called) (*Call, error) {
	rules, err := read.Rules(ctx, t.Repository)
	live := false
	if err == nil {
		live, err = read.RepositoryLives(ctx, t.Repository)
	}
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return nil, err
	}
	if !live || rules.Source == "" {
		return nil, ErrNoBuilds
	}
	refs, err := calledRefs(ctx, read, rules, what)
	if err != nil {
		return nil, err
	}
	c := &Call{Requested: []string{}, Waiting: []string{}}
	for _, ref := range refs {
		waits, err := waits(ctx, read, rules, ref)
		if err != nil {
			return nil, err
		}
		if waits {
			c.Waiting = append(c.Waiting, ref.Name)
			continue
		}
		if c.Seq, err = command.Append(ctx, log, by, events.PushRequested{Namespace: t.Namespace, Repository: t.Repository,
			Name: rules.Name, Source: rules.Source, Ref: ref.Name, Trigger: t.ID}, events.AnySeq); err != nil {
			return nil, err
		}
		c.Requested = append(c.Requested, ref.Name)
	}
	return c, nil
}

// waits says whether a build of a ref's commit waits already that the present rules asked
// for.
func waits(ctx context.Context, read builds.Reader, rules *builds.Rules, ref builds.Ref) (bool, error) {
	push, err := read.PushOf(ctx, rules.Repository, rules.Source, ref.Name)
	if errors.Is(err, builds.ErrNotFound) || err == nil && push.RulesEvent != rules.Event {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return read.IsWaiting(ctx, rules.Repository, rules.Source, ref.Name, ref.Commit)
}

// calledRefs are the refs that a call means. One without a body means the branches and
// tags that a rule names, and the branches that were built last.
func calledRefs(ctx context.Context, read builds.Reader, rules *builds.Rules, what Called) ([]builds.Ref, error) {
	var names []string
	switch {
	case what.Name != "":
		prefix := map[string]string{"": "refs/heads/", "Branch": "refs/heads/", "branch": "refs/heads/", "Tag": "refs/tags/", "tag": "refs/tags/"}[what.Kind]
		if prefix == "" {
			return nil, ErrKind
		}
		names = []string{prefix + what.Name}
	case what.Tag != "":
		name, err := refOfTag(ctx, read, rules, what.Tag)
		if err != nil {
			return nil, err
		}
		names = []string{name}
	default:
		for _, r := range rules.Rules {
			if name, exact := buildrule.ExactRef(r); exact && r.Autobuild {
				names = append(names, name)
			}
		}
		latest, err := read.Builds(ctx, rules.Repository, 0, looksBack)
		if err != nil {
			return nil, err
		}
		for _, b := range latest {
			if b.Kind == events.RefBranch && b.Source == rules.Source && !b.Test {
				names = append(names, b.Ref)
			}
		}
		names = firstOf(names, maxCalled)
	}
	var refs []builds.Ref
	for _, name := range names {
		ref, err := read.Ref(ctx, rules.Source, name)
		if err != nil && !errors.Is(err, builds.ErrNotFound) {
			return nil, err
		}
		if err == nil && ref.Commit != "" {
			refs = append(refs, *ref)
		}
	}
	if len(refs) == 0 {
		if len(names) == 1 && (what.Name != "" || what.Tag != "") {
			return nil, fmt.Errorf("%w: %s is not there", ErrNothing, names[0])
		}
		return nil, fmt.Errorf("%w: no rule names a branch or tag that is there, and none was built before. Say which one in the body", ErrNothing)
	}
	return refs, nil
}

// refOfTag is the ref that gave a tag of the image last, or that would give it.
func refOfTag(ctx context.Context, read builds.Reader, rules *builds.Rules, tag string) (string, error) {
	pushes, err := read.Pushes(ctx, rules.Repository, 0, looksBack)
	if err != nil {
		return "", err
	}
	for _, p := range pushes {
		if p.Source == rules.Source && asksForBuild(p.Verdicts, tag) {
			return p.Ref, nil
		}
	}
	refs, err := read.Refs(ctx, rules.Source, 0, buildrule.MaxSimulated)
	if err != nil {
		return "", err
	}
	var names []string
	var there []buildrule.Ref
	for _, r := range refs {
		if ref, err := buildrule.ParseRef(r.Name); err == nil && r.Commit != "" {
			names, there = append(names, r.Name), append(there, ref)
		}
	}
	// The simulation bounds the work: it may leave out the last ones.
	for k, would := range buildrule.Simulate(rules.Rules, there).Refs {
		if asksForBuild(would.Verdicts, tag) {
			return names[k], nil
		}
	}
	why := "no branch or git tag of the git source gives"
	if len(refs) == buildrule.MaxSimulated {
		why = fmt.Sprintf("none of the %d branches and git tags that moved last gives", len(refs))
	}
	return "", fmt.Errorf("%w: %s the tag %.150s", ErrTag, why, tag)
}

// firstOf is the first n different ones of a list.
func firstOf(list []string, n int) (first []string) {
	for _, one := range list {
		if len(first) < n && !slices.Contains(first, one) {
			first = append(first, one)
		}
	}
	return first
}

// asksForBuild says whether verdicts ask for a build, with a tag unless it is "".
func asksForBuild(verdicts []events.RuleVerdict, tag string) bool {
	return slices.ContainsFunc(verdicts, func(v events.RuleVerdict) bool {
		return v.Outcome == events.OutcomeBuild && (tag == "" || slices.Contains(v.Tags, tag))
	})
}
