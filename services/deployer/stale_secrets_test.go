package deployer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/projections/deploys"
	"hubledger/services/internal/application"
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

func (k kept) Get(context.Context, string) ([]byte, uint64, error) {
	return nil, 0, errors.New("nothing is to be read")
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

// Records go that neither the configuration of now nor a kept release needs, and all of
// what was deleted, but not those that were just written.
func TestStaleSecrets(t *testing.T) {
	const acme, shop, production, staging, old = "0191d1a0-0000-7000-8000-000000000001", "0191d1a0-0000-7000-8000-000000000002", "0191d1a0-0000-7000-8000-000000000003",
		"0191d1a0-0000-7000-8000-000000000004", "0191d1a0-0000-7000-8000-0000000000a"
	fresh, err := command.NewID()
	if err != nil {
		t.Fatal(err)
	}
	name := application.RecordName
	set := func(environment string, version int, record string) events.ConfigurationSet {
		return events.ConfigurationSet{Namespace: acme, Application: shop, Name: "acme/shop", Environment: environment, Called: "x", Version: version, Changed: []string{"A"}, Secrets: []events.ConfigurationRecord{{Name: "A", Record: record}}}
	}
	shown := set(production, 5, old+"4")
	shown.Values = []events.ConfigurationRecord{{Name: "B", Record: old + "6"}}
	made := func(number, version int) events.ReleaseMade {
		return events.ReleaseMade{Namespace: acme, Application: shop, Name: "acme/shop", Number: number, Configurations: []events.ReleaseConfiguration{{Environment: production, Called: "production", Version: version}}}
	}
	story := []events.Payload{
		events.ApplicationCreated{Namespace: acme, Application: shop, Name: "acme/shop", Settings: events.ApplicationSettings{Digest: "sha256:x", Compose: "x", Keep: 2}},
		events.EnvironmentCreated{Namespace: acme, Application: shop, Name: "acme/shop", Environment: production, Called: "production"},
		events.EnvironmentCreated{Namespace: acme, Application: shop, Name: "acme/shop", Environment: staging, Called: "staging"},
		set(production, 1, old+"1"), made(1, 1), set(production, 2, old+"2"), made(2, 2), made(3, 2), set(production, 3, old+"3"), set(production, 4, old+"4"),
		shown, set(staging, 1, old+"5"), events.EnvironmentDeleted{Namespace: acme, Application: shop, Name: "acme/shop", Environment: staging, Called: "staging"},
	}
	all := []string{name(production, old+"1"), name(production, old+"2"), name(production, old+"3"), name(production, old+"4"), name(production, old+"6"), name(production, fresh), name(staging, old+"5")}
	var end []string
	processtest.KillAtEveryStep(t, processtest.World{
		Prepare: func(t testing.TB, l *processtest.Life) {
			if err := (kept{l}).write(all); err != nil {
				t.Fatal(err)
			}
			for _, p := range story {
				if _, err := command.Append(t.Context(), l.Log, command.By{Source: "/test", Actor: "tester"}, p, events.AnySeq); err != nil {
					t.Fatal(err)
				}
			}
			l.ReadModel(&deploys.Projection)
		},
		Manager: func(_ testing.TB, l *processtest.Life) process.Manager {
			db, view := l.ReadModel(&deploys.Projection)
			return newDeployer(Config{Read: deploys.Reader{DB: db}, View: view, Secrets: kept{l}}).staleSecrets()
		},
		State: func(t testing.TB, l *processtest.Life) string {
			end, err = kept{l}.Keys(context.Background(), "")
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(end, " ")
		},
	})
	if want := []string{name(production, old+"2"), name(production, old+"4"), name(production, old+"6"), name(production, fresh)}; !slices.Equal(end, want) {
		t.Errorf("kept are %q, want %q", end, want)
	}
}
