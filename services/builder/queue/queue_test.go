package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var one = Builder{Name: "one", Platforms: []string{"linux/amd64"}, Places: 1}

func TestOrder(t *testing.T) {
	big := Builder{Name: "big", Platforms: []string{"linux/amd64", "linux/arm64"}, Places: 3}
	w := func(build, namespace string, seq uint64, platforms ...string) Waiting {
		return Waiting{Build: build, Namespace: namespace, Seq: seq, Platforms: platforms}
	}
	fork := func(w Waiting) Waiting { w.Untrusted = true; return w }
	needing := func(w Waiting, needs ...Need) Waiting { w.Needs = needs; return w }
	hooks := func(w Waiting) Waiting { w.Hooks = true; return w }
	docker := one
	docker.Name, docker.Hooks = "docker", true
	for name, c := range map[string]struct {
		waiting  []Waiting
		running  []Running
		builders []Builder
		limits   Limits
		want     string // build, reason and builder, in order
	}{
		"nothing":                         {want: ""},
		"no builder":                      {waiting: []Waiting{w("a", "x", 1)}, want: "a no-builder"},
		"next":                            {waiting: []Waiting{w("a", "x", 1)}, builders: []Builder{one}, want: "a next one"},
		"in order":                        {waiting: []Waiting{w("b", "x", 2), w("a", "x", 1)}, builders: []Builder{one}, want: "a next one, b busy"},
		"fair":                            {waiting: []Waiting{w("a", "x", 1), w("b", "x", 2), w("c", "x", 3), w("d", "y", 4)}, builders: []Builder{big}, want: "a next big, d next big, b next big, c busy"},
		"fair to what runs":               {waiting: []Waiting{w("a", "x", 1), w("d", "y", 4)}, running: []Running{{Build: "r", Namespace: "x", Builder: "big"}}, builders: []Builder{big}, want: "d next big, a next big"},
		"busy":                            {waiting: []Waiting{w("a", "x", 1)}, running: []Running{{Build: "r", Namespace: "y", Builder: "one"}}, builders: []Builder{one}, want: "a busy"},
		"the freer builder":               {waiting: []Waiting{w("a", "x", 1)}, builders: []Builder{one, big}, want: "a next big"},
		"platform":                        {waiting: []Waiting{w("a", "x", 1, "linux/s390x"), w("b", "x", 2, "linux/arm64")}, builders: []Builder{one, big}, want: "a no-platform, b next big"},
		"hooks":                           {waiting: []Waiting{hooks(w("a", "x", 1)), w("b", "x", 2)}, builders: []Builder{big, docker}, want: "a next docker, b next big"},
		"hooks, and no builder runs them": {waiting: []Waiting{hooks(w("a", "x", 1)), w("b", "x", 2)}, builders: []Builder{big}, want: "a no-hooks, b next big"},
		"hooks for another platform":      {waiting: []Waiting{hooks(w("a", "x", 1, "linux/s390x"))}, builders: []Builder{one, docker}, want: "a no-platform"},
		"limit":                           {waiting: []Waiting{w("a", "x", 1), w("b", "x", 2), w("c", "y", 3)}, builders: []Builder{big}, limits: Limits{PerNamespace: 1}, want: "a next big, c next big, b limit"},
		"limit of what runs":              {waiting: []Waiting{w("a", "x", 1)}, running: []Running{{Build: "r", Namespace: "x", Builder: "big"}}, builders: []Builder{big}, limits: Limits{PerNamespace: 1}, want: "a limit"},
		"needs":                           {waiting: []Waiting{needing(w("a", "x", 1), Need{Rule: "base"})}, builders: []Builder{one}, want: "a needs"},
		"needs, and it is":                {waiting: []Waiting{needing(w("a", "x", 1), Need{Rule: "base", Ended: true, Succeeded: true})}, builders: []Builder{one}, want: "a next one"},
		"needs, and it fails":             {waiting: []Waiting{needing(w("a", "x", 1), Need{Rule: "base", Ended: true})}, builders: []Builder{one}, want: "a need-failed"},
		"forks come last":                 {waiting: []Waiting{fork(w("a", "x", 1)), w("b", "x", 2), w("c", "y", 3)}, builders: []Builder{one}, want: "b next one, c busy, a busy"},
		"limit of forks": {waiting: []Waiting{fork(w("a", "x", 1)), fork(w("b", "x", 2)), w("c", "x", 3), fork(w("d", "y", 4))}, builders: []Builder{big, one}, limits: Limits{PerNamespace: 4, Untrusted: 1},
			want: "c next big, d next big, a next big, b limit"},
		"limit of forks that run": {waiting: []Waiting{fork(w("a", "x", 1)), w("b", "x", 2)}, running: []Running{{"r", "x", "big", true}}, builders: []Builder{big}, limits: Limits{Untrusted: 1}, want: "b next big, a limit"},
		"who needs takes no place": {waiting: []Waiting{needing(w("a", "x", 1), Need{Rule: "base"}), w("b", "x", 2)}, builders: []Builder{one},
			want: "a needs, b next one"},
	} {
		var got []string
		for k, p := range Order(c.waiting, c.running, c.builders, c.limits) {
			got = append(got, strings.TrimSpace(fmt.Sprint(p.Build, " ", p.Reason, " ", p.Builder)))
			if p.Position != k+1 || p.Text == "" {
				t.Errorf("%s: %+v has no position or reason", name, p)
			}
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

// Whatever waits and runs: every build has one position and a true reason, nobody gets
// more than they may, and no place stays free that somebody could have.
func TestOrderHolds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	platforms := []string{"linux/amd64", "linux/arm64", "linux/s390x"}
	some := func() (list []string) {
		for _, p := range platforms {
			if rng.IntN(3) == 0 {
				list = append(list, p)
			}
		}
		return list
	}
	for round := range 2000 {
		var waiting []Waiting
		var running []Running
		var builders []Builder
		for k := range rng.IntN(4) {
			builders = append(builders, Builder{Name: fmt.Sprint("b", k), Platforms: some(), Places: rng.IntN(3)})
		}
		for k := range rng.IntN(20) {
			w := Waiting{Build: fmt.Sprint("w", k), Namespace: fmt.Sprint("n", rng.IntN(4)), Seq: uint64(rng.IntN(1000)*100 + k), Platforms: some(), Untrusted: rng.IntN(3) == 0}
			if rng.IntN(4) == 0 {
				w.Needs = []Need{{Rule: "base", Ended: rng.IntN(2) == 0, Succeeded: rng.IntN(2) == 0}}
			}
			waiting = append(waiting, w)
		}
		for k := range rng.IntN(4) {
			running = append(running, Running{fmt.Sprint("r", k), fmt.Sprint("n", rng.IntN(4)), fmt.Sprint("b", rng.IntN(4)), rng.IntN(3) == 0})
		}
		limits := Limits{PerNamespace: rng.IntN(3), Untrusted: rng.IntN(3)}
		before := slices.Clone(waiting)
		places := Order(waiting, running, builders, limits)
		if !slices.EqualFunc(before, waiting, func(a, b Waiting) bool { return a.Build == b.Build }) || len(places) != len(waiting) {
			t.Fatalf("seed %d round %d: builds are lost, or the caller's list was changed", seed, round)
		}
		runs, forks, had, used := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
		add := func(namespace, builder string, untrusted bool) {
			runs[namespace]++
			used[builder]++
			if untrusted {
				forks[namespace]++
			}
		}
		for _, r := range running {
			add(r.Namespace, r.Builder, r.Untrusted)
			had[r.Namespace] = forks[r.Namespace]
		}
		for _, p := range places {
			if p.Reason == Next {
				add(p.Namespace, p.Builder, p.Untrusted)
			}
		}
		for ns, n := range forks {
			if limits.Untrusted > 0 && n > max(limits.Untrusted, had[ns]) {
				t.Fatalf("seed %d round %d: %d tests of forks run in %s", seed, round, n, ns)
			}
		}
		latest := map[string]Waiting{}
		for _, p := range places {
			if last, ok := latest[p.Namespace]; ok && (last.Untrusted && !p.Untrusted || last.Untrusted == p.Untrusted && p.Seq < last.Seq) {
				t.Fatalf("seed %d round %d: %s overtakes one of its namespace", seed, round, p.Build)
			}
			latest[p.Namespace] = p.Waiting
			free, able := 0, 0
			for _, b := range builders {
				if b.can(p.Waiting) {
					able++
					free += max(0, b.Places-used[b.Name])
				}
			}
			over := limits.PerNamespace > 0 && runs[p.Namespace] >= limits.PerNamespace || p.Untrusted && limits.Untrusted > 0 && forks[p.Namespace] >= limits.Untrusted
			true := map[Reason]bool{
				Next:       able > 0 && !(limits.PerNamespace > 0 && runs[p.Namespace] > max(limits.PerNamespace, count(running, p.Namespace))),
				NeedsBuild: len(p.Needs) > 0 && !p.Needs[0].Ended,
				NeedFailed: len(p.Needs) > 0 && p.Needs[0].Ended && !p.Needs[0].Succeeded,
				NoBuilder:  len(builders) == 0,
				NoPlatform: able == 0 && len(builders) > 0,
				Limit:      over,
				Busy:       free == 0 && able > 0,
			}
			if !true[p.Reason] {
				t.Fatalf("seed %d round %d: %s is said to wait for %q, which is not so", seed, round, p.Build, p.Reason)
			}
		}
		for _, b := range builders {
			if used[b.Name] > max(b.Places, countAt(running, b.Name)) {
				t.Fatalf("seed %d round %d: builder %s gets %d builds, it has %d places", seed, round, b.Name, used[b.Name], b.Places)
			}
		}
	}
}

func count(running []Running, namespace string) (n int) {
	for _, r := range running {
		if r.Namespace == namespace {
			n++
		}
	}
	return n
}

func countAt(running []Running, builder string) (n int) {
	for _, r := range running {
		if r.Builder == builder {
			n++
		}
	}
	return n
}

func TestSuperseded(t *testing.T) {
	got := Superseded([]Candidate{{"a", 1, "main"}, {"b", 2, "main"}, {"c", 3, "other"}, {"d", 4, "main"}, {"e", 5, "tag"}})
	if len(got) != 2 || got["a"] != "d" || got["b"] != "d" {
		t.Errorf("superseded are %v", got)
	}
}

func BenchmarkOrder(b *testing.B) {
	var waiting []Waiting
	for k := range 10_000 {
		waiting = append(waiting, Waiting{Build: fmt.Sprint(k), Namespace: fmt.Sprint("n", k%97), Seq: uint64(k)})
	}
	for b.Loop() {
		Order(waiting, nil, []Builder{one}, Limits{PerNamespace: 2})
	}
}
