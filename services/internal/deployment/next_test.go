package deployment

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/hosting"
)

// columns are the events of the table, as they are about the deployment d2 that replaces blue.
func columns(s State) []struct {
	name string
	p    events.Payload
} {
	d := of("d2")
	colour := hosting.Green
	if s.Step == Returning {
		colour = hosting.Blue
	}
	outcome := events.DeploymentWasRolledBack
	if s.Step == Draining {
		outcome = events.DeploymentWasPromoted
	}
	return []struct {
		name string
		p    events.Payload
	}{
		{"requested", events.DeploymentRequested{DeploymentOf: of("d3"), Kind: events.DeployForward, Release: 3, Colour: hosting.Green, Placement: two}},
		{"admitted", events.DeploymentAdmitted{DeploymentOf: d}},
		{"refused", events.DeploymentRefused{DeploymentOf: d, Reasons: []string{"x"}}},
		{"pulled", events.DeploymentPulled{DeploymentOf: d, Hosts: both}},
		{"healthy", events.DeploymentHealthy{DeploymentOf: d, Colour: colour, Hosts: both}},
		{"shifted", events.DeploymentShifted{DeploymentOf: d, Share: 20}},
		{"held", events.DeploymentShifted{DeploymentOf: d, Share: 50, Held: true}},
		{"gate", events.DeploymentGateChanged{DeploymentOf: d, Gate: "g", Verdict: events.GatePass}},
		{"promoted", events.DeploymentPromoted{DeploymentOf: d}},
		{"rolled_back", events.DeploymentRolledBack{DeploymentOf: d}},
		{"cancelled", events.DeploymentCancelled{DeploymentOf: d}},
		{"failed", events.DeploymentFailed{DeploymentOf: d, Host: w1}},
		{"excluded", events.DeploymentHostExcluded{DeploymentOf: d, Host: w2}},
		{"overdue", events.DeploymentOverdue{DeploymentOf: d, Step: string(s.Step)}},
		{"finished", events.DeploymentFinished{DeploymentOf: d, Outcome: outcome}},
		{"torn_down", events.DeploymentTornDown{DeploymentOf: d, Colour: hosting.Green}},
		{"deleted", events.EnvironmentDeleted{Namespace: "ns", Application: "app", Name: "acme/shop", Environment: environment, Called: "production"}},
	}
}

// The table of all steps and all events. "-": it may not be there.
const table = `
            requested admitted refused pulled   healthy shifted  held gate      promoted rolled_back cancelled failed  excluded  overdue   finished torn_down deleted
idle        requested -        -       -        -       -        -    -         -        -           -         -       -         -         -        -         absent
requested   -         pulling  ended   -        -       -        -    -         -        ended       ended     -       -         requested -        -         -
pulling     -         -        -       starting -       -        -    -         -        ended       ended     ended   pulling   pulling   -        -         -
starting    -         -        -       -        ready   -        -    -         -        leaving     leaving   leaving starting  starting  -        -         -
ready       -         -        -       -        -       shifting held ready     -        leaving     leaving   leaving ready     ready     -        -         -
shifting    -         -        -       -        -       shifting held shifting  draining leaving     leaving   -       shifting  shifting  -        -         -
held        -         -        -       -        -       -        -    held      draining leaving     leaving   -       held      held      -        -         -
draining    -         -        -       -        -       -        -    draining  -        returning   returning -       draining  draining  ended    -         -
returning   -         -        -       -        leaving -        -    returning draining -           -         -       returning returning -        -         -
leaving     -         -        -       -        -       -        -    -         -        -           -         -       leaving   leaving   ended    -         -
ended       requested -        -       -        -       -        -    -         -        -           -         -       -         -         -        ended     absent
`

// Every step with every event leads where the table says, and nowhere else.
func TestEveryStepWithEveryEvent(t *testing.T) {
	rows := strings.Split(strings.Trim(table, "\n"), "\n")
	head := strings.Fields(rows[0])
	if len(rows) != len(Steps)+1 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for k, row := range rows[1:] {
		cells := strings.Fields(row)
		if cells[0] != string(Steps[k]) {
			t.Fatalf("the row of %s is that of %s", cells[0], Steps[k])
		}
		l := at(t, Steps[k], events.DeployPolicy{})
		before := fmt.Sprintf("%+v", l.State)
		for c, column := range columns(l.State) {
			if head[c] != column.name {
				t.Fatalf("the column of %s is that of %s", head[c], column.name)
			}
			n, err := Next(l.State, Event{Payload: column.p, Seq: l.Seq + 1})
			got := string(n.Step)
			if n.Step == Absent {
				got = "absent"
			}
			if err != nil {
				got = "-"
				if !errors.Is(err, ErrNotNow) && !errors.Is(err, ErrBusy) && !(Steps[k] == Idle && errors.Is(err, ErrOther)) {
					t.Errorf("%s in %s: %v", column.name, Steps[k], err)
				}
			}
			if got != cells[c+1] {
				t.Errorf("%s in %s leads to %s (%v), not to %s", column.name, Steps[k], got, err, cells[c+1])
			}
		}
		if after := fmt.Sprintf("%+v", l.State); after != before {
			t.Errorf("Next has changed the state that it got:\n%s\n%s", before, after)
		}
	}
}

// Going back and cancelling are there in every step that is not final, with a colour to go
// back to or without one.
func TestGivingUpIsAlwaysThere(t *testing.T) {
	for _, step := range Steps {
		if step.Final() {
			continue
		}
		l := at(t, step, events.DeployPolicy{})
		for _, give := range []func(State, string) (events.Payload, error){RollBack, Cancel} {
			p, err := give(l.State, "why")
			if err != nil || p == nil && step != Returning && step != Leaving {
				t.Errorf("in %s: %v, %v", step, p, err)
			}
		}
	}
	for _, steps := range [][]events.Payload{nil, {events.DeploymentAdmitted{DeploymentOf: of("d1")}}, {events.DeploymentAdmitted{DeploymentOf: of("d1")}, events.DeploymentPulled{DeploymentOf: of("d1"), Hosts: both}}} {
		l := created(t).request("d1", 1, events.DeployForward, events.DeployPolicy{}).must(steps...)
		if p, err := Cancel(l.State, ""); err != nil || p == nil {
			t.Errorf("the first deployment in %s: %v", l.Step, err)
		}
	}
}

// The latest deployment's request and what follows say all: nothing before is needed.
func TestFoldFromTheRequest(t *testing.T) {
	for _, step := range Steps[1:] {
		l := at(t, step, events.DeployPolicy{})
		from := 0
		for k, e := range l.list {
			if _, ok := e.Payload.(events.DeploymentRequested); ok {
				from = k
			}
		}
		if got := Fold(l.list[from:]); !reflect.DeepEqual(got, l.State) {
			t.Errorf("%s:\n%+v\n%+v", step, got, l.State)
		}
	}
}

func TestAnotherDeploymentsEventsCountForNothing(t *testing.T) {
	l := at(t, Held, events.DeployPolicy{Gates: []events.DeployGate{{Name: "g", Kind: events.GateManual}}})
	for _, p := range []events.Payload{events.DeploymentPromoted{DeploymentOf: of("d1"), Reason: "x"}, events.DeploymentGateChanged{DeploymentOf: of("d1"), Gate: "g", Verdict: events.GatePass}} {
		if err := l.next(p); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", p.EventType(), err)
		}
	}
	l.must(events.DeploymentGateChanged{DeploymentOf: of("d2"), Gate: "g", Verdict: events.GatePass}, events.DeploymentPromoted{DeploymentOf: of("d2")},
		events.DeploymentFinished{DeploymentOf: of("d2"), Outcome: events.DeploymentWasPromoted})
	l.request("d3", 3, events.DeployForward, l.Request.Policy)
	if len(l.Gates) != 0 || !slices.Equal(l.Open(), []string{"g"}) {
		t.Errorf("it inherits %v", l.Gates)
	}
}

// Whatever happens, in whatever order, as long as each event may be there: the rules hold.
func TestNever(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	reached := map[Step]int{}
	for range 300 {
		l := created(t)
		for n := range 120 {
			s := l.State
			id, d := fmt.Sprint("d", n), s.Of
			hosts := both
			if rng.IntN(4) == 0 {
				hosts = both[:rng.IntN(3)]
			}
			colour := []string{hosting.Blue, hosting.Green}[rng.IntN(2)]
			host := []events.PlacedHost{w1, w2}[rng.IntN(2)]
			var p events.Payload
			which := rng.IntN(16)
			if natural, ok := map[Step]int{Idle: 0, Requested: 1, Pulling: 2, Starting: 3, Ready: 6, Shifting: 6, Held: 9, Draining: 14, Returning: 3, Leaving: 14, Ended: 0}[s.Step]; ok && rng.IntN(3) > 0 {
				which = natural
			}
			switch which {
			case 0:
				r, err := Request(s, id, Wish{Kind: []string{events.DeployForward, events.DeployRollback}[rng.IntN(2)], Release: n, Placement: two,
					Policy: events.DeployPolicy{Gates: []events.DeployGate{{Name: "g"}}[:rng.IntN(2)]}})
				if err != nil {
					continue
				}
				p = r
			case 1:
				p = events.DeploymentAdmitted{DeploymentOf: d}
			case 2:
				p = events.DeploymentPulled{DeploymentOf: d, Hosts: hosts}
			case 3, 4, 5:
				p = events.DeploymentHealthy{DeploymentOf: d, Colour: colour, Hosts: hosts}
			case 6, 7:
				p = events.DeploymentShifted{DeploymentOf: d, Share: rng.IntN(120) - 10, Held: rng.IntN(2) == 0}
			case 8:
				p = events.DeploymentGateChanged{DeploymentOf: d, Gate: "g", Verdict: events.GatePass}
			case 9, 10:
				p = events.DeploymentPromoted{DeploymentOf: d, Reason: []string{"", "x"}[rng.IntN(2)]}
			case 11:
				p = events.DeploymentRolledBack{DeploymentOf: d}
			case 12:
				p = events.DeploymentHostExcluded{DeploymentOf: d, Host: host}
			case 13:
				p = events.DeploymentFailed{DeploymentOf: d, Host: host}
			case 14:
				p = events.DeploymentFinished{DeploymentOf: d, Outcome: s.Outcome}
				if s.Step == Draining {
					p = events.DeploymentFinished{DeploymentOf: d, Outcome: events.DeploymentWasPromoted}
				}
			case 15:
				p = events.DeploymentTornDown{DeploymentOf: d, Colour: colour}
			}
			if l.next(p) == nil {
				reached[l.Step]++
				never(t, s, l.State, p)
			}
		}
	}
	for _, step := range Steps[1:] {
		if reached[step] == 0 {
			t.Errorf("%s was never reached", step)
		}
	}
}

// never fails if the way from one state to the next breaks a rule.
func never(t *testing.T, before, after State, p events.Payload) {
	t.Helper()
	all, run := 0, false
	for colour, side := range after.Sides {
		if colour == "" {
			continue
		}
		if side.Share > 0 && side.Phase != hosting.Run {
			t.Fatalf("%s: %s is in %s and has %d %% of the traffic", p.EventType(), colour, side.Phase, side.Share)
		}
		all, run = all+side.Share, run || side.Phase == hosting.Run && side.Share > 0
		was := before.Sides[colour]
		if side.Share > was.Share && was.Share == 0 {
			switch {
			case before.Step == Ready || before.Step == Returning: // it was healthy on all hosts, or is now
			default:
				t.Fatalf("%s in %s: %s gets traffic", p.EventType(), before.Step, colour)
			}
		}
		side.Began, was.Began = 0, 0 // a request begins it anew
		if side.Fence < was.Fence || side.Fence == was.Fence && !reflect.DeepEqual(side, was) {
			t.Fatalf("%s: %s has changed without a new fence", p.EventType(), colour)
		}
	}
	if before.Live() != "" && (all != 100 || !run) {
		t.Fatalf("%s in %s: %d %% of the traffic have a colour that runs: %+v", p.EventType(), before.Step, all, after.Sides)
	}
	if h, ok := p.(events.DeploymentHealthy); ok {
		for _, host := range Coloured(after.Sides[h.Colour].Placement) {
			if !slices.Contains(h.Hosts, host.Machine) && !slices.Contains(after.Excluded, host) {
				t.Fatalf("%s is not healthy on %s", h.Colour, host.Name)
			}
		}
	}
	if _, ok := p.(events.DeploymentPromoted); ok && len(before.Open()) > 0 && p.(events.DeploymentPromoted).Reason == "" && before.Step != Ready {
		t.Fatal("it was promoted over gates without a reason")
	}
	if after.Of.Deployment != before.Of.Deployment && len(after.Gates) > 0 {
		t.Fatal("verdicts are inherited")
	}
}
