package rules

import (
	"context"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

// Where no node can look at commits, a push whose rules depend on its commit waits for two
// hours, and for as long after a start; then every file counts as changed, a file of rules
// is taken for a broken one, and both say why. Killed at any step, it ends with one
// evaluation. One that needs no look is none of its business.
func TestUnseenPushesDoNotWaitForEver(t *testing.T) {
	docs := onBranch("docs", "main", "docs")
	docs.Paths = []string{"docs/**"}
	var end string
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			s := story{t, l}
			s.link(gitID, false)
			s.rules(appID, gitID, docs)
			s.append(events.RulesSet{Namespace: acme, Repository: otherID, Name: "acme/3", Source: gitID, FromFile: true})
			s.append(events.PushEvaluated{Namespace: acme, Repository: appID, Name: "acme/2", Source: gitID, Ref: "refs/heads/main", Commit: "c0", RulesEvent: "r"})
			s.move(gitID, "refs/heads/main", "c1", false)
			s.rules(wholeID, gitID, onBranch("edge", "main", "edge")) // needs no look
			l.ReadModel(&builds.Projection)
		},
		Manager: func(t testing.TB, l *processtest.Life) process.Manager {
			db, view := l.ReadModel(&builds.Projection)
			began := time.Now()
			s := &Rules{Config: Config{Read: builds.Reader{DB: db}, View: view}}
			m := s.unseen(began)
			due := m.Due
			if early, err := due(t.Context(), began.Add(time.Hour)); len(early) > 0 || err != nil {
				t.Errorf("due an hour after the start: %v, %v", early, err)
			}
			if early, err := s.unseen(began.Add(-24*time.Hour)).Due(t.Context(), began); len(early) > 0 || err != nil {
				t.Errorf("due at once: %v, %v", early, err)
			}
			m.Due = func(ctx context.Context, now time.Time) ([]process.Task, error) {
				return due(ctx, now.Add(3*time.Hour))
			}
			return m
		},
		State: func(t testing.TB, l *processtest.Life) string {
			end = strings.TrimSpace(recorded(t, l))
			return end
		},
	})
	lines := strings.Split(end, "\n")
	if len(lines) != 2 || lines[0] != "acme/2 refs/heads/main c1: to build docs (1)" || !strings.HasPrefix(lines[1], "acme/3 refs/heads/main c1: ") || !strings.Contains(lines[1], "none of its nodes can fetch") {
		t.Errorf("%s", end)
	}
}
