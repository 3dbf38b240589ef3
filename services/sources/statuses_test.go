package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/command"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
	src "hubledger/services/internal/source"
	"hubledger/services/sources/hoststatus"
)

// A fakeHost keeps what it is told in a file, as a step of a life that may be killed.
type fakeHost struct {
	life  *processtest.Life
	mu    sync.Mutex
	fails error
}

func (f *fakeHost) Send(_ context.Context, kind string, of gitremote.URL, with hoststatus.Token, s hoststatus.Status) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	return f.life.Step(func() error {
		return f.write(append(f.told(), fmt.Sprintf("%s %s %s %s %s %s %s", kind, of, with.Secret, s.Commit[:4], s.Context, s.State, s.Description)))
	})
}

func (f *fakeHost) file() string { return filepath.Join(f.life.Dir, "host.json") }

func (f *fakeHost) told() (list []string) {
	raw, _ := os.ReadFile(f.file())
	json.Unmarshal(raw, &list)
	return list
}

func (f *fakeHost) write(list []string) error {
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return os.WriteFile(f.file(), raw, 0o600)
}

// telling is the service in a life, with a host that the test looks into.
func telling(t testing.TB, l *processtest.Life) (*Sources, *fakeHost) {
	s, host := live(t, l), &fakeHost{life: l}
	s.Hosts = host
	return s, host
}

const (
	acme, app    = "0191d1a0-0000-7000-8000-000000000001", "0191d1a0-0000-7000-8000-0000000000aa"
	first, other = "5dd6a1c07e2b4d2f9b0c6f6f2f5be2c10a6f2f5b", "6dd6a1c07e2b4d2f9b0c6f6f2f5be2c10a6f2f5b"
)

func buildID(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-000000000b%02d", n) }

// happen appends events, and waits until they can be read.
func happen(t testing.TB, l *processtest.Life, s *Sources, list ...events.Payload) {
	t.Helper()
	for _, p := range list {
		seq, err := command.Append(context.Background(), l.Log, tester, p, events.AnySeq)
		check(t, err)
		check(t, s.View.Wait(context.Background(), seq))
	}
}

// reporting links acme/app so that its host is told, and sets the rules of a repository.
func reporting(t testing.TB, l *processtest.Life, s *Sources, edit func(*events.SourceSettings)) {
	t.Helper()
	const record = "0191d1a0-0000-7000-8000-000000000009"
	check(t, s.Secrets.Put(t.Context(), secretName(someSource.Source, record), []byte("t0ken")))
	settings := events.SourceSettings{URL: "https://git.example.com/acme/app.git", Host: events.HostGitea, Credentials: events.CredentialsToken, User: "git", Secret: record,
		HookSecret: "0191d1a0-0000-7000-8000-000000000003", Status: true}
	if edit != nil {
		edit(&settings)
	}
	_, err := src.Link(t.Context(), l.Log, tester, someSource, "acme/app", settings)
	check(t, err)
	happen(t, l, s, events.RulesSet{Namespace: acme, Repository: app, Name: "acme/image", Source: someSource.Source, Rules: []events.BuildRule{{Name: "edge"}}})
}

func queued(n int, commit string) events.BuildQueued {
	return events.BuildQueued{Namespace: acme, Repository: app, Build: buildID(n), Source: someSource.Source, Ref: "refs/heads/main", Kind: events.RefBranch, Commit: commit, Rule: events.BuildRule{Name: "edge"}, Tags: []string{"edge"}}
}

func claimed(n int) events.BuildClaimed {
	return events.BuildClaimed{Namespace: acme, Build: buildID(n), Builder: "local", Epoch: 1}
}

func finished(n int, outcome, detail string) events.BuildFinished {
	return events.BuildFinished{Namespace: acme, Build: buildID(n), Epoch: 1, Outcome: outcome, Detail: detail}
}

// Wherever the process dies, each host knows the end of each build, the log says so once,
// and of two builds of one commit by one rule the later one counts.
func TestStatusesKilledAtEveryStep(t *testing.T) {
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			s, _ := telling(t, l)
			reporting(t, l, s, nil)
			happen(t, l, s, queued(1, first), finished(1, events.BuildFailed, "no space"), queued(2, first), claimed(2), finished(2, events.BuildSucceeded, ""), queued(3, other), finished(3, events.BuildCancelled, ""))
		},
		Manager: func(t testing.TB, l *processtest.Life) process.Manager {
			s, _ := telling(t, l)
			return s.statuses()
		},
		State: func(t testing.TB, l *processtest.Life) string {
			s, host := telling(t, l)
			_, err := s.unsent(t.Context(), time.Now()) // each look forgets what is settled
			check(t, err)
			kept, err := s.told.all(t.Context())
			check(t, err)
			told := host.told() // the same may be there twice
			slices.Sort(told)
			return strings.Join(slices.Compact(told), "\n") + fmt.Sprint("\nkept: ", len(kept))
		},
	})
}

// A life of the manager's functions, without a runner: each call of step does what is due.
func oneLife(t *testing.T) (*processtest.Life, *Sources, *fakeHost) {
	t.Helper()
	l := processtest.Alive(t)
	s, host := telling(t, l)
	return l, s, host
}

// step does what is due once, and appends what completes it.
func step(t *testing.T, l *processtest.Life, s *Sources) (errs []error) {
	t.Helper()
	tasks, err := s.unsent(t.Context(), time.Now())
	check(t, err)
	for _, task := range tasks {
		c, err := s.tell(t.Context(), task)
		errs = append(errs, err)
		if c != nil {
			happen(t, l, s, c.Event)
		}
	}
	return errs
}

// The host is told what is true when it is told: a state that was skipped does not follow.
func TestOnlyWhatIsTrueNow(t *testing.T) {
	l, s, host := oneLife(t)
	reporting(t, l, s, nil)
	happen(t, l, s, queued(1, first))
	waits, err := s.unsent(t.Context(), time.Now())
	check(t, err)
	happen(t, l, s, claimed(1), finished(1, events.BuildFailed, "step 2 failed\nand more"))
	c, err := s.tell(t.Context(), waits[0]) // of the time when it waited
	check(t, err)
	if sent, ok := c.Event.(events.StatusSent); !ok || sent.State != events.StatusFailure || sent.Context != "hubledger/acme/image/edge" || len(sent.Settles) != 1 {
		t.Fatalf("completed by %+v", c)
	}
	happen(t, l, s, c.Event)
	if _, err := s.tell(t.Context(), waits[0]); err != nil {
		t.Error(err)
	}
	happen(t, l, s, queued(2, first)) // again
	step(t, l, s)
	step(t, l, s)
	happen(t, l, s, claimed(2), events.BuildLost{Namespace: acme, Build: buildID(2), Builder: "local", Epoch: 1})
	step(t, l, s)
	happen(t, l, s, queued(3, first))
	step(t, l, s)
	old := process.Task{Key: buildID(2) + " 1"}
	if c, err := s.tell(t.Context(), old); c != nil || err != nil {
		t.Errorf("a build that is not the latest of its line: %+v, %v", c, err)
	}
	happen(t, l, s, events.BuildClaimed{Namespace: acme, Build: buildID(2), Builder: "local", Epoch: 2}, events.BuildFinished{Namespace: acme, Build: buildID(2), Epoch: 2, Outcome: events.BuildSucceeded})
	step(t, l, s) // the older one has ended: nothing to say
	happen(t, l, s, claimed(3))
	step(t, l, s)
	happen(t, l, s, events.BuildFinished{Namespace: acme, Build: buildID(3), Epoch: 1, Outcome: events.BuildSucceeded, Tags: []string{"edge", "latest"}})
	step(t, l, s)
	if errs := step(t, l, s); len(errs) != 0 {
		t.Errorf("there is something left: %v", errs)
	}
	const to = "gitea https://git.example.com/acme/app.git t0ken 5dd6 hubledger/acme/image/edge "
	want := to + strings.Join([]string{"failure step 2 failed", "pending Waits for a builder", "pending Waits for a builder", "running Is being built", "success Built edge, latest"}, "\n"+to)
	if got := strings.Join(host.told(), "\n"); got != want {
		t.Errorf("the host was told\n%s\nwant\n%s", got, want)
	}
}

// Nothing is sent of a source that does not want it, of builds from before it did, and of
// one that was unlinked.
func TestOnlyWhoWantsIt(t *testing.T) {
	l, s, host := oneLife(t)
	reporting(t, l, s, func(settings *events.SourceSettings) { settings.Status = false })
	happen(t, l, s, queued(1, first))
	if errs := step(t, l, s); len(errs) != 0 {
		t.Error(errs)
	}
	wants := func(on bool) {
		seq, err := src.Set(t.Context(), l.Log, tester, someSource, "acme/app", nil, func(now events.SourceSettings) (events.SourceSettings, error) {
			now.Status = on
			return now, nil
		})
		check(t, err)
		check(t, s.View.Wait(t.Context(), seq))
	}
	wants(true)
	if errs := step(t, l, s); len(errs) != 0 {
		t.Error(errs)
	}
	happen(t, l, s, queued(2, other))
	step(t, l, s)
	wants(false)
	happen(t, l, s, finished(2, events.BuildSucceeded, ""))
	if errs := step(t, l, s); len(errs) != 0 {
		t.Error(errs)
	}
	wants(true)
	happen(t, l, s, queued(3, other))
	seq, err := src.Unlink(t.Context(), l.Log, tester, someSource, "acme/app")
	check(t, err)
	check(t, s.View.Wait(t.Context(), seq))
	if errs := step(t, l, s); len(errs) != 0 {
		t.Error(errs)
	}
	if told := host.told(); len(told) != 1 || !strings.Contains(told[0], "6dd6 hubledger/acme/image/edge pending") {
		t.Errorf("the host was told %q", told)
	}
	if kept, err := s.told.all(t.Context()); err != nil || len(kept) != 0 {
		t.Errorf("kept is %v, %v", kept, err)
	}
}

// After a token was refused, or a limit was named, the host is left alone until then; other
// settings end that. A host that fails is asked again by the manager's back-off.
func TestHostIsLeftAlone(t *testing.T) {
	l, s, host := oneLife(t)
	reporting(t, l, s, nil)
	happen(t, l, s, queued(1, first), queued(2, other))
	host.fails = fmt.Errorf("send: %w", &hoststatus.Refused{Code: http.StatusForbidden, Why: "no", Do: "scope", Token: true})
	errs := step(t, l, s)
	var later *process.Later
	if len(errs) != 2 || !errors.As(errs[0], &later) || !errors.As(errs[1], &later) {
		t.Fatalf("refused: %v", errs)
	}
	of, err := s.Read.SourceByID(t.Context(), someSource.Source)
	check(t, err)
	sent, err := s.statusSent(t.Context(), of)
	check(t, err)
	if sent == nil || sent.Next == nil || !strings.Contains(sent.Error, "403: no; scope") || time.Until(*sent.Next) > firstPause {
		t.Errorf("shown is %+v", sent)
	}
	h, err := s.told.host(t.Context(), someSource.Source)
	check(t, err)
	if h.Failures != 1 { // the second build was not sent at all
		t.Errorf("sent %d times", h.Failures)
	}
	for range 10 { // the pauses grow up to an hour
		h.Until = time.Now().Add(-time.Second)
		check(t, s.told.keepHost(t.Context(), someSource.Source, h))
		step(t, l, s)
		h, err = s.told.host(t.Context(), someSource.Source)
		check(t, err)
	}
	if pause := h.Until.Sub(h.At); pause != maxPause {
		t.Errorf("the pause is %s", pause)
	}
	before, err := s.unsent(t.Context(), time.Now())
	check(t, err)
	seq, err := src.Set(t.Context(), l.Log, tester, someSource, "acme/app", nil, func(now events.SourceSettings) (events.SourceSettings, error) {
		now.BuildExisting = true
		return now, nil
	})
	check(t, err)
	check(t, s.View.Wait(t.Context(), seq))
	after, err := s.unsent(t.Context(), time.Now())
	check(t, err)
	if before[0].Key == after[0].Key {
		t.Error("with other settings it is the same task, which waits")
	}
	until := time.Now().Add(20 * time.Minute)
	host.fails = &hoststatus.Refused{Code: http.StatusTooManyRequests, Until: until}
	if errs := step(t, l, s); len(errs) != 2 || !errors.As(errs[1], &later) || !later.At.Round(time.Millisecond).Equal(until.Round(time.Millisecond)) {
		t.Errorf("limited: %v", errs)
	}
	h, err = s.told.host(t.Context(), someSource.Source)
	check(t, err)
	h.Until = time.Time{}
	check(t, s.told.keepHost(t.Context(), someSource.Source, h))
	host.fails = errors.New("connection refused")
	if errs := step(t, l, s); len(errs) != 2 || errors.As(errs[0], &later) || errors.As(errs[1], &later) {
		t.Errorf("a host that is down: %v", errs)
	}
	host.fails = nil
	step(t, l, s)
	of, err = s.Read.SourceByID(t.Context(), someSource.Source)
	check(t, err)
	if sent, err := s.statusSent(t.Context(), of); err != nil || sent == nil || sent.Error != "" || sent.Next != nil || len(host.told()) != 2 {
		t.Errorf("shown is %+v, %v, told %q", sent, err, host.told())
	}
}

// What a host does not take for a day after the end of the build is given up, with the
// reason; what goes on is not.
func TestStatusIsGivenUp(t *testing.T) {
	ended := time.Now()
	r := report{Build: &builds.Build{ID: buildID(1), Namespace: acme, Source: someSource.Source, Commit: first, Changed: ended}, state: hoststatus.Success, settles: []uint64{7}}
	why := errors.New("it answers 404: token=planted")
	for after, want := range map[time.Duration]bool{giveUpAfter - time.Second: false, giveUpAfter: true} {
		c, err := r.givenUp("x", why, ended.Add(after))
		if (c != nil) != want || (err == nil) != want {
			t.Errorf("after %s: %+v, %v", after, c, err)
		}
		if c != nil {
			if e := c.Event.(events.StatusGivenUp); e.State != events.StatusSuccess || !strings.Contains(e.Why, "404") || strings.Contains(e.Why, "planted") || len(e.Settles) != 1 {
				t.Errorf("%+v", e)
			}
		}
	}
	if c, err := r.givenUp("x", fmt.Errorf("secrets: %w", events.ErrReadOnly), ended.Add(2*giveUpAfter)); c != nil || err == nil {
		t.Errorf("while the log is read-only: %+v, %v", c, err)
	}
	r.state = hoststatus.Running
	if c, err := r.givenUp("x", why, ended.Add(2*giveUpAfter)); c != nil || err == nil {
		t.Errorf("a build that goes on: %+v, %v", c, err)
	}
}
