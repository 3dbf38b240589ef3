package source

import (
	"testing"

	"hubledger/events"
)

func TestPullNext(t *testing.T) {
	const own, fork, main, old = events.PullOwn, events.PullFork, "refs/heads/main", "refs/heads/old"
	state := func(commit, from, target string, assumed bool) PullState {
		return PullState{commit, events.PullRequest{Number: 1, From: from, Target: target, Assumed: assumed}}
	}
	at := func(commit string) Pull { return Pull{Number: 1, Commit: commit, Default: main} }
	tip := func(commit string) Pull { p := at(commit); p.Tip = true; return p }
	told := func(p Pull, h events.HookPullRequest) Pull { p.Told = &h; return p }
	var never PullState
	for what, c := range map[string]struct {
		before  PullState
		pull    Pull
		want    PullState
		differs bool
	}{
		"new, of a fork":                    {never, at("a"), state("a", fork, main, true), true},
		"new, of a branch":                  {never, tip("a"), state("a", own, main, true), true},
		"new, and the host tells no branch": {never, Pull{Number: 1, Commit: "a"}, state("a", fork, "", false), true},
		"new, told own":                     {never, told(at("a"), events.HookPullRequest{Head: "a", Own: true, Target: old}), state("a", own, old, false), true},
		"new, told own of another commit":   {never, told(at("b"), events.HookPullRequest{Head: "a", Own: true, Target: old}), state("b", fork, old, false), true},
		"new, told without a commit":        {never, told(at("a"), events.HookPullRequest{Own: true}), state("a", fork, main, true), true},
		"new, told of a fork, and a tip":    {never, told(tip("a"), events.HookPullRequest{Head: "a"}), state("a", own, main, true), true},
		"never seen, and closed":            {never, told(at("a"), events.HookPullRequest{Head: "a", Closed: true}), state("", "", "", false), false},
		"nothing new":                       {state("a", fork, main, true), at("a"), state("a", fork, main, true), false},
		"own, and its branch has gone":      {state("a", own, main, true), at("a"), state("a", own, main, true), false},
		"own, and its branch has moved on":  {state("a", own, main, true), tip("b"), state("b", own, main, true), true},
		"own, and a commit of nobody":       {state("a", own, main, true), at("b"), state("b", fork, main, true), true},
		"a fork's that is merged":           {state("a", fork, main, true), tip("a"), state("a", fork, main, true), false},
		"told later that it is own":         {state("a", fork, main, true), told(at("a"), events.HookPullRequest{Head: "a", Own: true}), state("a", own, main, true), true},
		"told later where it goes":          {state("a", fork, main, true), told(at("a"), events.HookPullRequest{Target: old}), state("a", fork, old, false), true},
		"told what was assumed":             {state("a", fork, main, true), told(at("a"), events.HookPullRequest{Target: main}), state("a", fork, main, false), false},
		"another target":                    {state("a", fork, old, false), told(at("a"), events.HookPullRequest{Target: main}), state("a", fork, main, false), true},
		"the default branch changes":        {state("a", fork, old, true), at("a"), state("a", fork, old, true), false},
		"the default branch has changed":    {state("a", fork, old, true), at("b"), state("b", fork, main, true), true},
		"a target that was told stays":      {state("a", fork, old, false), at("b"), state("b", fork, old, false), true},
		"its ref has gone":                  {state("a", own, main, true), at(""), state("", own, main, true), true},
		"its ref is still gone":             {state("", own, main, true), at(""), state("", own, main, true), false},
		"told that it is closed":            {state("a", own, main, true), told(tip("a"), events.HookPullRequest{Head: "a", Closed: true, Own: true}), state("", own, main, true), true},
		"told so of an earlier commit":      {state("a", fork, main, true), told(at("b"), events.HookPullRequest{Head: "a", Closed: true}), state("b", fork, main, true), true},
		"opened again":                      {state("", own, main, true), told(tip("a"), events.HookPullRequest{Head: "a", Own: true}), state("a", own, main, true), true},
	} {
		if now, differs := c.pull.Next(c.before); now != c.want || differs != c.differs {
			t.Errorf("%s: %+v, %t; want %+v, %t", what, now, differs, c.want, c.differs)
		}
	}
}
