package pulls_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"hubledger/events"
	"hubledger/services/internal/operations"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
	"hubledger/services/registry/pulls"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, l *processtest.Life) *pulls.Store {
	t.Helper()
	s, err := pulls.Open(context.Background(), l.Store)
	check(t, err)
	return s
}

// hours counts pulls in so many hours that have ended.
func hours(n int) func(t testing.TB, l *processtest.Life) {
	return func(t testing.TB, l *processtest.Life) {
		for i := range n {
			hour := noon.Add(time.Duration(i) * time.Hour)
			check(t, open(t, l).Count(context.Background(), []pulls.Pull{{Hour: hour, Repository: "r1", Tag: "latest", N: 2, Latest: hour},
				{Hour: hour, Repository: "r1", N: 3, Latest: hour.Add(time.Minute)}, {Hour: hour, Repository: "r0", N: 1, Latest: hour}}))
		}
	}
}

func manager(t testing.TB, l *processtest.Life) process.Manager { return pulls.Manager(open(t, l)) }

func TestKilledAtEveryStep(t *testing.T) {
	processtest.KillAtEveryStep(t, processtest.World{Prepare: hours(2), Manager: manager, State: left})
}

func TestKilledProcess(t *testing.T) {
	processtest.KillProcess(t, processtest.World{Prepare: hours(30), Manager: manager, State: left}, 8)
}

// left is what is not in the log, and so many hours that are.
func left(t testing.TB, l *processtest.Life) string {
	list, err := open(t, l).Of(context.Background(), "")
	check(t, err)
	last, err := l.Log.LastSeq(context.Background())
	check(t, err)
	return fmt.Sprintf("%d counts, %d events", len(list), last)
}

// What one hour's event says.
func TestEventOfAnHour(t *testing.T) {
	processtest.KillAtEveryStep(t, processtest.World{Prepare: hours(1), Manager: manager,
		State: func(t testing.TB, l *processtest.Life) string {
			e, err := l.Log.Get(context.Background(), 1)
			if err != nil {
				return "no event"
			}
			p, err := events.Decode(e)
			check(t, err)
			got, ok := p.(events.PullsCounted)
			if !ok || got.Node != l.Store.Node() || !got.From.Equal(noon) || len(got.Repositories) != 2 || got.Repositories[0].Pulls != 1 ||
				got.Repositories[1].Pulls != 5 || len(got.Repositories[1].Tags) != 1 || !got.Repositories[1].LastPulled.Equal(noon.Add(time.Minute)) {
				t.Errorf("the event says %+v", p)
			}
			return "an event"
		}})
}

// An hour whose event an earlier version has given an id, and may have
// appended, keeps the id.
func TestHourOfAnEarlierVersion(t *testing.T) {
	id := uuid.NewString()
	for _, appended := range []bool{false, true} {
		processtest.KillAtEveryStep(t, processtest.World{
			Prepare: func(t testing.TB, l *processtest.Life) {
				hours(1)(t, l)
				check(t, l.Store.Change(context.Background(), operations.NoLock, func(tx *operations.Tx) error {
					_, err := tx.Exec(`INSERT INTO pull_hours (hour, event) VALUES ($1, $2)`, operations.Micros(noon), id)
					return err
				}))
				if appended {
					e, err := events.New(events.PullsCounted{Node: l.Store.Node(), From: noon}, events.Meta{ID: id, Source: "/registry/pulls", Actor: "system"})
					check(t, err)
					_, err = l.Log.Append(context.Background(), e, 0)
					check(t, err)
				}
			},
			Manager: manager,
			State: func(t testing.TB, l *processtest.Life) string {
				last, err := l.Log.Last(context.Background(), events.PullsSubject(l.Store.Node()))
				check(t, err)
				if last != nil && last.ID() != id {
					t.Errorf("the event's id is %s, not %s", last.ID(), id)
				}
				return left(t, l)
			}})
	}
}
