// Package queue decides which waiting build is next. It does no I/O: builds, builders
// and limits give an order, and for every build that waits its position and the
// reason why it waits.
package queue

import (
	"cmp"
	"slices"
	"strings"
)

// A Waiting build.
type Waiting struct {
	Build     string
	Namespace string
	Seq       uint64   // of the event that queued it: the order within a namespace
	Untrusted bool     // the test of a fork's pull request, which anybody may open: behind all others of its namespace
	Platforms []string // none: any builder's own
	Hooks     bool     // it has hooks or autotests, as a builder has found
	Needs     []Need   // builds of the same commit that come first
}

// A Need is a build that another one waits for.
type Need struct {
	Build, Rule string
	Ended       bool
	Succeeded   bool
}

// A Running build.
type Running struct {
	Build, Namespace, Builder string
	Untrusted                 bool
}

// A Builder that is connected.
type Builder struct {
	Name      string
	Platforms []string
	Places    int  // builds at once
	Hooks     bool // it runs hooks and autotests
}

func (b Builder) can(w Waiting) bool {
	for _, p := range w.Platforms {
		if !slices.Contains(b.Platforms, p) {
			return false
		}
	}
	return b.Hooks || !w.Hooks
}

// Limits of the queue.
type Limits struct {
	PerNamespace int // builds of one namespace that run at once; 0 for no limit
	Untrusted    int // tests of forks among them; 0 for no limit of their own
}

// A Reason says in one word why a build waits.
type Reason string

// Reasons.
const (
	Next       Reason = "next"        // a builder is about to take it
	NeedsBuild Reason = "needs"       // another rule's build comes first
	NeedFailed Reason = "need-failed" // that one has ended otherwise: this one never runs
	NoBuilder  Reason = "no-builder"
	NoPlatform Reason = "no-platform" // no builder can build for its platforms
	NoHooks    Reason = "no-hooks"    // no builder that can runs its hooks and autotests
	Limit      Reason = "limit"       // of its namespace
	Busy       Reason = "busy"        // the builders that can build it have no place free
)

// A Place is where a build stands in the queue.
type Place struct {
	Waiting
	Position int // from 1, of all that wait
	Reason   Reason
	Text     string // the reason for people: "waits because …"
	Builder  string // that is about to take it, when it is next
}

// Order puts builds in the order in which they are given to builders: fair between
// namespaces, and in the order in which they were queued within one, tests of forks last. A namespace with
// builds that run comes behind one with fewer.
func Order(waiting []Waiting, running []Running, builders []Builder, limits Limits) []Place {
	of := map[string]int{} // namespace: builds that run, and those before in the queue
	now := load{runs: map[string]int{}, forks: map[string]int{}, used: map[string]int{}}
	for _, r := range running {
		of[r.Namespace]++
		now.add(r)
	}
	list := slices.SortedFunc(slices.Values(waiting), byTurn)
	turn := make(map[string]int, len(list))
	for _, w := range list {
		turn[w.Build] = of[w.Namespace]
		of[w.Namespace]++
	}
	slices.SortStableFunc(list, func(a, b Waiting) int {
		return cmp.Or(cmp.Compare(turn[a.Build], turn[b.Build]), byTurn(a, b))
	})
	places := make([]Place, len(list))
	for k, w := range list {
		p := Place{Waiting: w, Position: k + 1}
		p.Reason, p.Text, p.Builder = reason(w, now, builders, limits)
		if p.Reason == Next {
			now.add(Running{w.Build, w.Namespace, p.Builder, w.Untrusted})
		}
		places[k] = p
	}
	return places
}

// byTurn compares builds of one namespace.
func byTurn(a, b Waiting) int {
	if a.Untrusted != b.Untrusted {
		if b.Untrusted {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Seq, b.Seq)
}

// A load counts what runs.
type load struct{ runs, forks, used map[string]int } // builds and tests of forks by namespace; places by builder

func (l load) add(r Running) {
	l.runs[r.Namespace]++
	l.used[r.Builder]++
	if r.Untrusted {
		l.forks[r.Namespace]++
	}
}

// reason says why a build waits, and which builder takes it if it does not.
func reason(w Waiting, now load, builders []Builder, limits Limits) (r Reason, text, builder string) {
	for _, n := range w.Needs {
		switch {
		case !n.Ended:
			return NeedsBuild, "the build of the rule " + n.Rule + " comes first", ""
		case !n.Succeeded:
			return NeedFailed, "the build of the rule " + n.Rule + " did not succeed", ""
		}
	}
	if len(builders) == 0 {
		return NoBuilder, "no builder is connected", ""
	}
	able, free := 0, -1
	plain := w // what it is without hooks
	plain.Hooks = false
	hookless := false
	for k, b := range builders {
		if !b.can(w) {
			hookless = hookless || b.can(plain)
			continue
		}
		able++
		if left := b.Places - now.used[b.Name]; left > 0 && (free < 0 || left > builders[free].Places-now.used[builders[free].Name]) {
			free = k
		}
	}
	switch {
	case able == 0 && hookless:
		return NoHooks, "no builder runs hooks and autotests, and what is built has some: let a builder run them, with --builder-hooks on, or take them out", ""
	case able == 0:
		return NoPlatform, "no builder can build for " + strings.Join(w.Platforms, " and "), ""
	case limits.PerNamespace > 0 && now.runs[w.Namespace] >= limits.PerNamespace:
		return Limit, "its namespace has as many builds running as it may", ""
	case w.Untrusted && limits.Untrusted > 0 && now.forks[w.Namespace] >= limits.Untrusted:
		return Limit, "its namespace has as many tests of forks running as it may", ""
	case free < 0:
		return Busy, "the builders that can build it have other builds", ""
	}
	return Next, "a builder is about to take it", builders[free].Name
}
