package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/command"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
)

// Defaults of gates that measure, and bounds.
const (
	gateEvery   = 5 * time.Second
	gatePasses  = 3
	gateTimeout = 5 * time.Second
	gateBody    = 1 << 20 // bytes that are read of an answer
)

// A sample is one measurement of a gate.
type sample struct {
	verdict, reason string
	colours         []apitypes.GateColour // what was found of each colour that was asked
}

// A streak is how often in a row a gate has measured the same.
type streak struct {
	deployment string
	sample
	times int
	at    time.Time // of the latest sample
	next  time.Time
	busy  bool
}

// streaks are those of all gates that measure, by environment and gate.
type streaks struct {
	mu  sync.Mutex
	all map[[2]string]*streak
}

// probe measures the gates of all deployments whose new colour has traffic, or is about to
// get it, until ctx ends. Samples are in memory: only a verdict that changes is an event.
func (s *Deployer) probe(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if err := s.probeDue(ctx, &running); err != nil && ctx.Err() == nil {
			s.Logger.Warn("gates cannot be measured; it is tried again", "error", err)
		}
	}
}

// measures says whether gates are measured in a step.
func measures(step deployment.Step) bool {
	return slices.Contains([]deployment.Step{deployment.Shifting, deployment.Held, deployment.Draining}, step)
}

func (s *Deployer) probeDue(ctx context.Context, running *sync.WaitGroup) error {
	latest, err := s.Read.Latest(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	for environment, seq := range latest {
		known, err := s.states.get(ctx, s, environment, seq)
		if err != nil {
			return err
		}
		if !measures(known.State.Step) || len(known.State.Request.Policy.Gates) == 0 {
			continue
		}
		if lives, err := s.lives(ctx, environment); err != nil || !lives {
			if err != nil {
				return err
			}
			continue
		}
		for _, g := range known.State.Request.Policy.Gates {
			if g.Kind == events.GateManual || known.State.Gates[g.Name].Manual {
				continue
			}
			if st := s.streaks.begin(known.State, g, now); st != nil {
				running.Go(func() { s.measure(ctx, known, g, st) })
			}
		}
	}
	return nil
}

// maxStreaks bounds what is kept of gates.
const maxStreaks = 2000

// begin is the streak of a gate whose time has come, nil when it has not.
func (k *streaks) begin(state deployment.State, g events.DeployGate, now time.Time) *streak {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := [2]string{state.Of.Environment, g.Name}
	st := k.all[key]
	if st == nil || st.deployment != state.Of.Deployment {
		if k.all == nil || len(k.all) >= maxStreaks {
			k.all = map[[2]string]*streak{}
		}
		st = &streak{deployment: state.Of.Deployment} // of an earlier deployment nothing counts
		k.all[key] = st
	}
	if st.busy || now.Before(st.next) {
		return nil
	}
	st.busy = true
	return st
}

// latest is what was measured last of the colours of a deployment, and when: nothing where this
// hub has measured nothing since it was started.
func (k *streaks) latest(state deployment.State, gate string) (colours []apitypes.GateColour, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if st := k.all[[2]string{state.Of.Environment, gate}]; st != nil && st.deployment == state.Of.Deployment {
		return st.colours, st.at
	}
	return nil, at
}

// hurry has a gate measured at once.
func (k *streaks) hurry(environment, gate string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if st := k.all[[2]string{environment, gate}]; st != nil {
		st.next = time.Time{}
	}
}

// fresh says whether all gates that measure were measured in a deployment since this hub has
// started: what was found before says nothing of now.
func (k *streaks) fresh(state deployment.State) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, g := range state.Request.Policy.Gates {
		st := k.all[[2]string{state.Of.Environment, g.Name}]
		if g.Kind != events.GateManual && !state.Gates[g.Name].Manual && (st == nil || st.deployment != state.Of.Deployment || st.times == 0) {
			return false
		}
	}
	return true
}

// measure takes one sample of a gate, and says so in the log when that changes its verdict. It
// passes, and fails, only so many times in a row; what is inconclusive is so at once.
func (s *Deployer) measure(ctx context.Context, known knownState, g events.DeployGate, st *streak) {
	state := known.State
	got := s.sample(ctx, known, g)
	if ctx.Err() != nil {
		return
	}
	s.streaks.mu.Lock()
	if got.verdict != st.verdict {
		st.times = 0
	}
	st.times, st.sample, st.busy = st.times+1, got, false
	st.at = time.Now()
	st.next = st.at.Add(secondsOr(g.Every, gateEvery))
	passes := gatePasses
	if g.Kind == events.GateWebhook { // an issue that was reported is one
		passes = 1
	}
	enough := st.times >= cmp.Or(g.Passes, passes) || got.verdict == events.GateInconclusive
	s.streaks.mu.Unlock()
	if !enough || state.Gates[g.Name].Verdict == got.verdict {
		return
	}
	if err := s.say(ctx, state, g.Name, got); err != nil && ctx.Err() == nil {
		s.Logger.Warn("the verdict of a gate cannot be recorded; it is measured again", "gate", g.Name, "error", err)
	}
}

func secondsOr(n int, otherwise time.Duration) time.Duration {
	if n > 0 {
		return time.Duration(n) * time.Second
	}
	return otherwise
}

// say records a verdict of the gate of a deployment, if that is still the latest one.
func (s *Deployer) say(ctx context.Context, then deployment.State, gate string, got sample) error {
	_, err := command.Decide(ctx, s.Log, system(then), events.EnvironmentSubject(then.Of.Namespace, then.Of.Application, then.Of.Called), func(_ events.Payload, seq uint64) (events.Payload, error) {
		now, err := s.stateAt(ctx, then.Of.Environment, seq)
		if err != nil || now.Of.Deployment != then.Of.Deployment {
			return nil, err
		}
		return deployment.Judge(now, gate, got.verdict, got.reason, false)
	})
	if errors.Is(err, deployment.ErrNotNow) {
		return nil
	}
	return err
}

func (s *Deployer) sample(ctx context.Context, known knownState, g events.DeployGate) sample {
	ctx, cancel := context.WithTimeout(ctx, 4*gateTimeout)
	defer cancel()
	switch g.Kind {
	case events.GatePrometheus:
		return s.compared(ctx, known.State, g)
	case events.GateWebhook:
		return s.reported(ctx, known.State, g, known.since(known.State.Traffic, time.Now()))
	}
	return s.asked(ctx, known.State, g)
}

// asked is what an HTTP gate finds. Where it asks the new colour and that fails, it says what the
// other one answers, too: what fails in both is not of the release.
func (s *Deployer) asked(ctx context.Context, state deployment.State, g events.DeployGate) sample {
	got := s.askedOf(ctx, state, state.In(), g)
	got.colours = []apitypes.GateColour{{Colour: state.In(), Found: got.reason}}
	if got.verdict == events.GateFail && state.Replaces() && (strings.Contains(g.URL, "{port}") || strings.Contains(g.URL, "{colour}")) {
		other := s.askedOf(ctx, state, state.Out(), g).reason
		got.reason = fmt.Sprintf("%s: %s; %s: %s", state.In(), got.reason, state.Out(), other)
		got.colours = append(got.colours, apitypes.GateColour{Colour: state.Out(), Found: other})
	}
	return got
}

// askedOf is what it finds of a colour: each of its hosts has to answer 2xx; a redirect is none.
func (s *Deployer) askedOf(ctx context.Context, state deployment.State, colour string, g events.DeployGate) sample {
	hosts := state.Sides[colour].Placement.Web
	if !strings.Contains(g.URL, "{host}") {
		hosts = []events.PlacedHost{{Name: ""}}
	}
	port := s.portOf(ctx, state, colour)
	for _, h := range hosts {
		address := strings.NewReplacer("{host}", h.Name, "{port}", strconv.Itoa(port), "{colour}", colour).Replace(g.URL)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return sample{verdict: events.GateInconclusive, reason: "this is no address: " + address}
		}
		r.Host = g.Host
		status, _, err := s.fetch(r)
		where := cmp.Or(h.Name, r.URL.Host)
		switch {
		case err != nil:
			return sample{verdict: events.GateFail, reason: where + " does not answer: " + bounded(err.Error())}
		case status < 200 || status > 299:
			return sample{verdict: events.GateFail, reason: fmt.Sprintf("%s answers %d", where, status)}
		}
	}
	return sample{verdict: events.GatePass, reason: fmt.Sprintf("%d of %d hosts answer", len(hosts), len(hosts))}
}

// portOf is the port of a colour's first web service on its hosts.
func (s *Deployer) portOf(ctx context.Context, state deployment.State, colour string) int {
	for _, role := range s.rolesOf(ctx, state.Of.Environment, state.Sides[colour].Release) {
		if role.Blue != 0 {
			if colour == hosting.Blue {
				return role.Blue
			}
			return role.Green
		}
	}
	return 80
}

// fetch sends a request by the hub's rules for connections that people name.
func (s *Deployer) fetch(r *http.Request) (status int, body []byte, err error) {
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, gateBody))
	return answer.StatusCode, body, err
}

func bounded(text string) string { return strings.ToValidUTF8(fmt.Sprintf("%.300s", text), "") }
