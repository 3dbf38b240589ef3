package rules

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/service"
)

const (
	// maxCalled bounds the refs of one call.
	maxCalled = 20
	// looksBack is how many builds are looked at for branches.
	looksBack = 100
	// callEvery is how long after a call the next one of a trigger is taken.
	callEvery = 5 * time.Second
)

// callRoute is where triggers are called, in Docker Hub's form. It is no endpoint of the
// API: callers send JSON as any type of content.
func (s *Rules) callRoute() service.Route {
	return service.Route{Method: http.MethodPost, Pattern: "/api/build/v1/source/{source}/trigger/{secret}/call", Permission: access.Open, Cost: budget.Write, Serve: s.serveCall}
}

// errNoTrigger is the answer to a secret that is not known, or that is of another
// repository.
var errNoTrigger = endpoint.Fail(http.StatusNotFound, "there is no build trigger of that URL: it was deleted, or the URL is not whole")

// A called is the body of a call, all of it optional.
type called struct {
	Tag  string `json:"docker_tag"`
	Kind string `json:"source_type"` // Branch or Tag
	Name string `json:"source_name"`
}

func (s *Rules) serveCall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	answer, err := s.call(w, r)
	if err != nil {
		s.API.Problem(r.Context(), r.Pattern, err).Write(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	json.NewEncoder(w).Encode(answer)
}

func (s *Rules) call(w http.ResponseWriter, r *http.Request) (*apitypes.CalledTrigger, error) {
	ctx := r.Context()
	var body called
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&body); err != nil && err != io.EOF {
		return nil, endpoint.Fail(http.StatusBadRequest, `the body has to be JSON: nothing, {"docker_tag": "…"} or {"source_type": "Branch" or "Tag", "source_name": "…"}`).Because(err)
	}
	if err := budget.Of(ctx).Work(ctx); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(r.PathValue("secret")))
	trigger, err := s.Read.TriggerOf(ctx, hash[:])
	if errors.Is(err, builds.ErrNotFound) && s.API.CatchUp(ctx) {
		trigger, err = s.Read.TriggerOf(ctx, hash[:])
	}
	if errors.Is(err, builds.ErrNotFound) || err == nil && trigger.Repository != r.PathValue("source") {
		return nil, errNoTrigger
	}
	if err != nil {
		return nil, err
	}
	// Also a call that asks for nothing: finding that out is most of the work.
	if after := s.calls.wait(trigger.ID); after > 0 {
		return nil, endpoint.Fail(http.StatusTooManyRequests, "this build trigger was called just now").RetryAfter(after)
	}
	rules, err := s.Read.Rules(ctx, trigger.Repository)
	live := false
	if err == nil {
		live, err = s.Read.RepositoryLives(ctx, trigger.Repository)
	}
	if err != nil && !errors.Is(err, builds.ErrNotFound) {
		return nil, err
	}
	if !live || rules.Source == "" {
		return nil, endpoint.Fail(http.StatusConflict, "the repository has no automated builds now: set rules for it first")
	}
	refs, err := s.calledRefs(ctx, rules, body)
	if err != nil {
		return nil, err
	}
	answer := &apitypes.CalledTrigger{Requested: []string{}, Waiting: []string{}}
	for _, ref := range refs {
		waits, err := s.waits(ctx, rules, ref)
		if err != nil {
			return nil, err
		}
		if waits { // it would build the same twice
			answer.Waiting = append(answer.Waiting, ref.Name)
			continue
		}
		if answer.Seq, err = command.Append(ctx, s.Log, command.By{Source: "/rules", Actor: "system"}, events.PushRequested{Namespace: trigger.Namespace, Repository: trigger.Repository,
			Name: rules.Name, Source: rules.Source, Ref: ref.Name, Trigger: trigger.ID}, events.AnySeq); err != nil {
			return nil, err
		}
		answer.Requested = append(answer.Requested, ref.Name)
	}
	return answer, nil
}

// waits says whether a build of a ref's commit waits already that the present rules asked
// for.
func (s *Rules) waits(ctx context.Context, rules *builds.Rules, ref builds.Ref) (bool, error) {
	push, err := s.Read.PushOf(ctx, rules.Repository, rules.Source, ref.Name)
	if errors.Is(err, builds.ErrNotFound) || err == nil && push.RulesEvent != rules.Event {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return s.Read.IsWaiting(ctx, rules.Repository, rules.Source, ref.Name, ref.Commit)
}

// calledRefs are the refs that a call means. One without a body means the branches and
// tags that a rule names, and the branches that were built last.
func (s *Rules) calledRefs(ctx context.Context, rules *builds.Rules, body called) ([]builds.Ref, error) {
	var names []string
	switch {
	case body.Name != "":
		prefix := map[string]string{"": "refs/heads/", "Branch": "refs/heads/", "branch": "refs/heads/", "Tag": "refs/tags/", "tag": "refs/tags/"}[body.Kind]
		if prefix == "" {
			return nil, endpoint.Invalid("body.source_type", "has to be Branch or Tag")
		}
		names = []string{prefix + body.Name}
	case body.Tag != "":
		name, err := s.refOfTag(ctx, rules, body.Tag)
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
		latest, err := s.Read.Builds(ctx, rules.Repository, 0, looksBack)
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
		ref, err := s.Read.Ref(ctx, rules.Source, name)
		if err != nil && !errors.Is(err, builds.ErrNotFound) {
			return nil, err
		}
		if err == nil && ref.Commit != "" {
			refs = append(refs, *ref)
		}
	}
	if len(refs) == 0 {
		what := "there is nothing to build: no rule names a branch or tag that is there, and none was built before. Say which one in the body"
		if len(names) == 1 && (body.Name != "" || body.Tag != "") {
			what = names[0] + " is not there"
		}
		return nil, endpoint.Fail(http.StatusUnprocessableEntity, what)
	}
	return refs, nil
}

// refOfTag is the ref that gave a tag of the image last, or that would give it.
func (s *Rules) refOfTag(ctx context.Context, rules *builds.Rules, tag string) (string, error) {
	pushes, err := s.Read.Pushes(ctx, rules.Repository, 0, looksBack)
	if err != nil {
		return "", err
	}
	for _, p := range pushes {
		if p.Source == rules.Source && asksForBuild(p.Verdicts, tag) {
			return p.Ref, nil
		}
	}
	refs, err := s.Read.Refs(ctx, rules.Source, 0, buildrule.MaxSimulated)
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
	return "", endpoint.Invalid("body.docker_tag", fmt.Sprintf("%s the tag %.150s", why, tag))
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

// calls remembers when triggers were called last.
type calls struct {
	mu   sync.Mutex
	last map[string]time.Time // by the id of the trigger
}

// wait is how long a call has to wait; 0 takes it.
func (c *calls) wait(trigger string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for id, at := range c.last {
		if now.Sub(at) >= callEvery {
			delete(c.last, id)
		}
	}
	if at, ok := c.last[trigger]; ok {
		return callEvery - now.Sub(at)
	}
	if c.last == nil {
		c.last = map[string]time.Time{}
	}
	c.last[trigger] = now
	return 0
}
