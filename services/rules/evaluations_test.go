package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
	"hubledger/services/internal/repository"
	"hubledger/services/internal/source"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const (
	acme           = "0191d1a0-0000-7000-8000-000000000001"
	appID, otherID = "0191d1a0-0000-7000-8000-000000000002", "0191d1a0-0000-7000-8000-000000000003"
	gitID, wholeID = "0191d1a0-0000-7000-8000-000000000004", "0191d1a0-0000-7000-8000-000000000005"
	begin          = "0191d1a0-0000-7000-8000-000000000006" // the event with which the moves correlate
)

var tester = command.By{Source: "/test", Actor: "tester", Correlation: begin}

// A story appends events in its order.
type story struct {
	t testing.TB
	l *processtest.Life
}

func (s story) link(id string, existing bool) {
	s.t.Helper()
	_, err := source.Link(context.Background(), s.l.Log, tester, source.ID{Namespace: acme, Source: id}, "acme/"+id[len(id)-1:],
		events.SourceSettings{URL: "https://git.invalid/app.git", Host: events.HostGit, HookSecret: begin, BuildExisting: existing})
	check(s.t, err)
}

func (s story) rules(repo, src string, rules ...buildrule.Rule) {
	s.t.Helper()
	_, err := buildrule.Save(context.Background(), s.l.Log, tester, repository.ID{Namespace: acme, Repository: repo}, "acme/"+repo[len(repo)-1:],
		buildrule.Saved{Source: src, Rules: rules}, nil)
	check(s.t, err)
}

func (s story) move(src, ref, commit string, initial bool) {
	s.t.Helper()
	kind := events.RefBranch
	if strings.HasPrefix(ref, "refs/tags/") {
		kind = events.RefTag
	}
	s.append(events.RefMoved{Namespace: acme, Source: src, Ref: ref, Kind: kind, New: commit, Initial: initial})
}

func (s story) append(p events.Payload) {
	s.t.Helper()
	_, err := command.Append(context.Background(), s.l.Log, tester, p, events.AnySeq)
	check(s.t, err)
}

func onTag(name, pattern string, tags ...string) buildrule.Rule {
	r := events.DefaultBuildRule()
	r.Name, r.Tag, r.Tags = name, pattern, tags
	return r
}

func onBranch(name, branch string, tags ...string) buildrule.Rule {
	r := events.DefaultBuildRule()
	r.Name, r.Branch, r.Tags = name, branch, tags
	return r
}

// recorded are all evaluations in the log, one a line: repository, ref and commit, and
// what it comes to. Each has its move for its cause.
func recorded(t testing.TB, l *processtest.Life) string {
	t.Helper()
	ctx := context.Background()
	last, err := l.Log.LastSeq(ctx)
	check(t, err)
	moves := map[string]events.RefMoved{}
	var lines []string
	for seq := uint64(1); seq <= last; seq++ {
		e, err := l.Log.Get(ctx, seq)
		check(t, err)
		p, err := events.Decode(e)
		check(t, err)
		switch p := p.(type) {
		case events.RefMoved:
			moves[e.ID()] = p
		case events.PullRequestChanged:
			moves[e.ID()] = events.RefMoved{Ref: p.Ref, New: p.New, Source: p.Source}
		case events.PushEvaluated:
			if p.RulesEvent == "r" {
				lines = append(lines, "") // of the story
				continue
			}
			if m := moves[e.Cause()]; m.Ref != p.Ref || m.New != p.Commit || m.Source != p.Source || e.Correlation() != begin || e.Actor() != "system" || p.RulesEvent == "" {
				t.Errorf("%+v of the move %+v, correlation %s", p, m, e.Correlation())
			}
			line := fmt.Sprintf("%s %s %s: %s (%d)", p.Name, p.Ref, p.Commit, buildrule.Summary(p.Verdicts), len(p.Verdicts))
			if p.File != nil {
				line += " by the file " + p.File.Problem
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines) // those of several repositories come in any order
	return strings.Join(lines, "\n")
}

// Killed at any step, the manager ends with one evaluation of each ref and repository:
// of what moved while the rules were for its source.
func TestEvaluationsKilledAtEveryStep(t *testing.T) {
	var end string
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			s := story{t, l}
			s.link(gitID, false)
			edge := onBranch("edge", "main", "edge")
			edge.Autotest = buildrule.AutotestOwn
			s.move(gitID, "refs/heads/main", "c1", true) // there at the first sweep
			s.move(gitID, "refs/heads/old", "c1", false) // before there were rules
			s.rules(appID, gitID, onTag("release", "/^v(.*)$/", `{\1}`), edge)
			s.rules(otherID, gitID, onBranch("main", "main", "latest"))
			s.move(gitID, "refs/tags/v1", "c2", false)
			s.move(gitID, "refs/heads/gone", "c2", false)
			s.move(gitID, "refs/heads/gone", "", false)
			s.append(events.PullRequestChanged{Namespace: acme, Source: gitID, Ref: "refs/pull/1/head", New: "c3", PullRequest: events.PullRequest{Number: 1, From: events.PullOwn, Target: "refs/heads/main"}})
			s.rules(appID, gitID, onTag("release", "/^v(.*)$/", `{\1}`, "latest"), edge) // the move before is still theirs
			l.ReadModel(&builds.Projection)                                              // has all of this when the manager starts
		},
		Manager: func(_ testing.TB, l *processtest.Life) process.Manager {
			db, view := l.ReadModel(&builds.Projection)
			return (&Rules{Config: Config{Read: builds.Reader{DB: db}, View: view}}).evaluations()
		},
		State: func(t testing.TB, l *processtest.Life) string { end = recorded(t, l); return end },
	})
	if want := "acme/2 refs/pull/1/head c3: to test by rule edge (2)\nacme/2 refs/tags/v1 c2: to build 1 and latest (2)\nacme/3 refs/tags/v1 c2: nothing to build (1)"; end != want {
		t.Errorf("%s\nwant\n%s", end, want)
	}
}

// Killed at any step, a push whose rules depend on its commit ends with one evaluation
// by what was seen there.
func TestLooksKilledAtEveryStep(t *testing.T) {
	var end string
	docs := onBranch("docs", "main", "docs")
	docs.Paths = []string{"docs/**"}
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			s := story{t, l}
			s.link(gitID, false)
			s.rules(appID, gitID, docs, onBranch("edge", "main", "edge"))
			s.append(events.RulesSet{Namespace: acme, Repository: otherID, Name: "acme/3", Source: gitID, FromFile: true})
			s.move(gitID, "refs/heads/main", "c1", false)
			s.append(events.PushEvaluated{Namespace: acme, Repository: appID, Name: "acme/2", Source: gitID, Ref: "refs/heads/main", Commit: "c0", RulesEvent: "r"})
			s.move(gitID, "refs/heads/main", "c2", false)
			l.ReadModel(&builds.Projection)
		},
		Manager: func(_ testing.TB, l *processtest.Life) process.Manager {
			db, view := l.ReadModel(&builds.Projection)
			look := func(_ context.Context, _ string, p *builds.DuePush, file bool) (seen buildrule.Look, err error) {
				err = l.Step(func() error { return nil })
				if seen.Changed = []string{"src/" + p.Previous}; file {
					seen.File = []byte("version: 1\nrules:\n  - name: own\n    branch: main\n    tags: [own]\n")
				}
				return seen, err
			}
			return (&Rules{Config: Config{Read: builds.Reader{DB: db}, View: view, Look: look}}).looks()
		},
		State: func(t testing.TB, l *processtest.Life) string {
			_, lines, _ := strings.Cut(recorded(t, l), "\n") // without that of the story
			sorted := strings.Split(lines, "\n")
			slices.Sort(sorted)
			end = strings.Join(sorted, "\n")
			return end
		},
	})
	if want := "acme/2 refs/heads/main c2: to build edge (2)\nacme/3 refs/heads/main c2: to build own (1) by the file "; end != want {
		t.Errorf("%s\nwant\n%s", end, want)
	}
}
