package sources

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/buildrule"
	"hubledger/services/internal/command"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
	"hubledger/services/internal/repository"
	src "hubledger/services/internal/source"
	"hubledger/streams"
	store "hubledger/streams/secrets"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// steps makes the destruction of a secret a step.
type steps struct {
	*store.Bucket
	life *processtest.Life
}

func (s steps) Destroy(ctx context.Context, key string) error {
	return s.life.Step(func() error { return s.Bucket.Destroy(ctx, key) })
}

// live is the service in a life that may be killed, with the read model up to date.
func live(t testing.TB, l *processtest.Life) *Sources {
	t.Helper()
	ctx := context.Background()
	bucket, err := streams.OpenSecrets(ctx, l.Log.Log, filepath.Join(l.Dir, "secrets.key"))
	check(t, err)
	db, view := l.ReadModel(&builds.Projection)
	guard, err := egress.NewGuard([]string{"127.0.0.1"})
	check(t, err)
	s := &Sources{Config: Config{Log: l.Log, Read: builds.Reader{DB: db}, View: view, Store: l.Store, Secrets: steps{bucket, l},
		Git: gitremote.NewClient(guard), Every: time.Hour, Logger: slog.New(slog.DiscardHandler)}, sweeps: sweepStore{l.Store}, told: toldStore{l.Store}, lines: lines{seed: maphash.MakeSeed()}, counts: newCounts()}
	l.Cleanup(s.Git.Close)
	check(t, s.define(ctx))
	return s
}

var tester = command.By{Source: "/test", Actor: "tester"}

var someSource = src.ID{Namespace: "0191d1a0-0000-7000-8000-000000000001", Source: "0191d1a0-0000-7000-8000-000000000002"}

// linkIt links a repository of git to someSource.
func linkIt(t testing.TB, l *processtest.Life, url string) {
	seq, err := src.Link(t.Context(), l.Log, tester, someSource, "acme/app", events.SourceSettings{URL: url, Host: events.HostGit, HookSecret: "0191d1a0-0000-7000-8000-000000000003"})
	check(t, err)
	check(t, live(t, l).View.Wait(t.Context(), seq))
}

// A first sweep that is killed anywhere ends with every ref recorded once, as one
// that was there before; a later one with every move recorded once.
func TestSweepKilledAtEveryStep(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	host := w.ServeHTTP(true)
	swept := func(t testing.TB, l *processtest.Life) string {
		row, ok, err := live(t, l).sweeps.of(t.Context(), someSource.Source)
		check(t, err)
		return fmt.Sprintf("swept %t, %d refs, failures %d %q", ok, row.Refs, row.Failures, row.Error)
	}
	manager := func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).sweeper() }
	processtest.KillAtEveryStep(t, processtest.World{NewIDs: true, Manager: manager, State: swept,
		Prepare: func(t testing.TB, l *processtest.Life) { linkIt(t, l, host.URL+"/app.git") }})
	processtest.KillAtEveryStep(t, processtest.World{NewIDs: true, Manager: manager, State: swept,
		Prepare: func(t testing.TB, l *processtest.Life) {
			linkIt(t, l, host.URL+"/app.git")
			s := live(t, l)
			check(t, s.sweep(t.Context(), someSource.Source))
			check(t, s.sweeps.ask(t.Context(), someSource.Source, ""))
			w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "more")
			w.Git(w.Work, "tag", "-f", "v2")
			w.Push("-f", "main", "v2")
		}})
}

// The pull requests of a source, of which there is a first look and then a later one: each
// change is recorded once, and what was there at the first look as such.
func TestPullsKilledAtEveryStep(t *testing.T) {
	w := gitremotetest.New(t, "sha1")
	host := w.ServeHTTP(true)
	w.Push("main:refs/pull/1/head", "main:refs/pull/2/head")
	prepare := func(t testing.TB, l *processtest.Life) *Sources {
		linkIt(t, l, host.URL+"/app.git")
		s := live(t, l)
		check(t, s.sweep(t.Context(), someSource.Source))
		seq, err := buildrule.Save(t.Context(), l.Log, tester, repository.ID{Namespace: someSource.Namespace, Repository: someSource.Source}, "acme/app",
			buildrule.Saved{Source: someSource.Source, Rules: []buildrule.Rule{{Name: "edge", Branch: "main", Tags: []string{"edge"}, Autotest: "all"}}}, nil)
		check(t, err)
		check(t, s.View.Wait(t.Context(), seq))
		return s
	}
	manager := func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).sweeper() }
	state := func(t testing.TB, l *processtest.Life) string {
		at, err := live(t, l).Read.PullsAt(t.Context(), someSource.Source)
		check(t, err)
		return fmt.Sprint(at)
	}
	processtest.KillAtEveryStep(t, processtest.World{NewIDs: true, Manager: manager, State: state,
		Prepare: func(t testing.TB, l *processtest.Life) { prepare(t, l) }})
	processtest.KillAtEveryStep(t, processtest.World{NewIDs: true, Manager: manager, State: state,
		Prepare: func(t testing.TB, l *processtest.Life) {
			s := prepare(t, l)
			check(t, s.sweep(t.Context(), someSource.Source))
			check(t, s.sweeps.ask(t.Context(), someSource.Source, ""))
			w.Git(w.Work, "commit", "-q", "--allow-empty", "-m", "more")
			w.Push("-f", "HEAD:refs/pull/1/head", "HEAD:refs/heads/topic", ":refs/pull/2/head", "main:refs/pull/3/head")
		}})
}

// Secrets of a source that was unlinked go, whenever the process dies; those of
// another one stay, and so does one that was written a moment ago.
func TestStaleSecretsKilledAtEveryStep(t *testing.T) {
	other := src.ID{Namespace: someSource.Namespace, Source: "0191d1a0-0000-7000-8000-000000000004"}
	var end string // what is left
	fresh, err := command.NewID()
	check(t, err)
	const used, hook, replaced = "0191d1a0-0000-7000-8000-000000000005", "0191d1a0-0000-7000-8000-000000000006", "0191d1a0-0000-7000-8000-000000000007"
	processtest.KillAtEveryStep(t, processtest.World{NewIDs: true,
		Prepare: func(t testing.TB, l *processtest.Life) {
			s, ctx := live(t, l), t.Context()
			settings := events.SourceSettings{URL: "https://git.example.com/app", Host: events.HostGit, Credentials: events.CredentialsToken, User: "git", Secret: used, HookSecret: hook}
			for _, id := range []src.ID{someSource, other} {
				for _, record := range []string{used, hook, replaced, fresh} {
					check(t, s.Secrets.Put(ctx, secretName(id.Source, record), []byte("x")))
				}
				_, err := src.Link(ctx, l.Log, tester, id, "acme/"+id.Source[len(id.Source)-1:], settings)
				check(t, err)
			}
			seq, err := src.Unlink(ctx, l.Log, tester, someSource, "acme/2")
			check(t, err)
			check(t, s.View.Wait(ctx, seq))
		},
		Manager: func(t testing.TB, l *processtest.Life) process.Manager { return live(t, l).staleSecrets() },
		State: func(t testing.TB, l *processtest.Life) string {
			keys, err := live(t, l).Secrets.Keys(t.Context(), secretsPrefix)
			check(t, err)
			slices.Sort(keys)
			end = strings.Join(keys, " ")
			return end
		}})
	if want := strings.Join([]string{secretName(other.Source, used), secretName(other.Source, hook), secretName(other.Source, fresh)}, " "); end != want {
		t.Errorf("the secrets at the end are %s, want %s", end, want)
	}
}
