package rules

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections/builds"
	"hubledger/services/internal/buildsecret"
	"hubledger/services/internal/command"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

// kept are secrets in a file of a life, with their names alone. Destroying one is a step.
type kept struct{ l *processtest.Life }

func (k kept) file() string { return filepath.Join(k.l.Dir, "kept") }

func (k kept) write(names []string) error {
	return os.WriteFile(k.file(), []byte(strings.Join(names, "\n")), 0o600)
}

func (k kept) Put(context.Context, string, []byte) error {
	return errors.New("nothing is to be written")
}

func (k kept) Destroy(ctx context.Context, name string) error {
	names, err := k.Keys(ctx, "")
	if err != nil {
		return err
	}
	return k.l.Step(func() error { return k.write(slices.DeleteFunc(names, func(n string) bool { return n == name })) })
}

func (k kept) Keys(context.Context, string) ([]string, error) {
	text, err := os.ReadFile(k.file())
	return strings.Split(string(text), "\n"), err
}

// Records go that no secret has, but not those that were just written; those of a
// deleted repository when it cannot be restored any more.
func TestStaleSecrets(t *testing.T) {
	const old = "0191d1a0-0000-7000-8000-0000000000a"
	fresh, err := command.NewID()
	check(t, err)
	var end []string
	all := []string{"build." + appID + "." + old + "1", "build." + appID + "." + old + "2", "build." + appID + "." + fresh, "build." + otherID + "." + old + "3",
		"build." + wholeID + "." + old + "4"}
	set := func(repository, secret, record string) events.BuildSecretSet {
		return events.BuildSecretSet{Namespace: acme, Repository: repository, Name: "acme/x", Secret: secret, Record: record}
	}
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			s := story{t, l}
			check(t, kept{l}.write(all))
			s.append(set(appID, "A", old+"1"))
			s.append(set(appID, "A", old+"2")) // replaced the one before
			s.append(set(otherID, "A", old+"3"))
			s.append(set(wholeID, "A", old+"4"))
			s.append(events.BuildSecretRemoved{Namespace: acme, Repository: wholeID, Name: "acme/x", Secret: "A"})
			s.append(events.RepositoryDeleted{Namespace: acme, Repository: otherID, Name: "acme/3"})
			l.ReadModel(&builds.Projection)
		},
		Manager: func(_ testing.TB, l *processtest.Life) process.Manager {
			db, view := l.ReadModel(&builds.Projection)
			return (&Rules{Config: Config{Read: builds.Reader{DB: db}, View: view, Secrets: kept{l}, UndeleteWindow: time.Hour}}).staleSecrets()
		},
		State: func(t testing.TB, l *processtest.Life) string {
			db, _ := l.ReadModel(&builds.Projection)
			later := &Rules{Config: Config{Read: builds.Reader{DB: db}, Secrets: kept{l}, UndeleteWindow: time.Hour}}
			due, err := later.stale(context.Background(), time.Now().Add(2*time.Hour))
			check(t, err)
			var keys []string
			for _, task := range due {
				keys = append(keys, task.Key)
			}
			end, err = kept{l}.Keys(context.Background(), "")
			check(t, err)
			return strings.Join(end, " ") + " then " + strings.Join(keys, " ")
		},
	})
	want := []string{buildsecret.RecordName(appID, old+"2"), buildsecret.RecordName(appID, fresh), buildsecret.RecordName(otherID, old+"3")}
	if !slices.Equal(end, want) {
		t.Errorf("kept are %q, want %q", end, want)
	}
}
