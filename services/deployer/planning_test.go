package deployer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/deploys"
	"hubledger/projections/images"
	"hubledger/services/internal/application"
	"hubledger/services/internal/command"
	"hubledger/services/internal/compose"
	"hubledger/services/internal/deployment"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/process"
	"hubledger/services/internal/process/processtest"
)

// numbered is an id of these tests.
func numbered(n int) string { return fmt.Sprintf("0191d1a0-0000-7000-8000-%012d", n) }

// toldSecrets are secrets that all have one value, or cannot be read.
type toldSecrets struct {
	Secrets
	value string
	err   error
}

func (k *toldSecrets) Get(context.Context, string) ([]byte, uint64, error) {
	return []byte(k.value), 1, k.err
}

// watched is a read model that says when a query is about to be sent.
type watched struct {
	projections.DB
	before func(query string)
}

func (w *watched) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	w.before(query)
	return w.DB.QueryContext(ctx, query, args...)
}

func (w *watched) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	w.before(query)
	return w.DB.QueryRowContext(ctx, query, args...)
}

// A plain is a deployer with an application that has some environments, each with a deployment
// of release 1 to the same host, which is admitted.
type plain struct {
	*Deployer
	t       *testing.T
	db      *watched
	secrets *toldSecrets
	images  process.View
}

const planHost = "0191d1a0-0000-7000-8000-000000009999"

func planned(t *testing.T, compose string, environments int) *plain {
	t.Helper()
	l := processtest.Alive(t)
	db, view := l.ReadModel(&deploys.Projection)
	stored, imagesView := l.ReadModel(&images.Projection)
	p := &plain{t: t, images: imagesView, db: &watched{DB: db, before: func(string) {}}, secrets: &toldSecrets{value: "hunter2"}}
	p.Deployer = newDeployer(Config{Log: l.Log, Read: deploys.Reader{DB: p.db}, View: view, Images: images.Reader{DB: stored}, Secrets: p.secrets, Generation: func() string { return "g" }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	sum := digest.FromString(compose).String()
	p.add(events.ApplicationCreated{Namespace: numbered(1), Application: numbered(2), Name: "acme/shop", Settings: events.ApplicationSettings{Digest: sum, Compose: compose, Keep: 5}})
	made := events.ReleaseMade{Namespace: numbered(1), Application: numbered(2), Name: "acme/shop", Number: 1, Digest: sum,
		Images: []events.ReleaseImage{{Service: "web", Image: "hub.test/acme/web:1", Name: "acme/web", Repository: numbered(3), Digest: sum, Held: true}}}
	for n := range environments {
		of := p.of(n)
		p.add(events.EnvironmentCreated{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Environment: of.Environment, Called: of.Called})
		p.add(events.ConfigurationSet{Namespace: of.Namespace, Application: of.Application, Name: of.Name, Environment: of.Environment, Called: of.Called, Version: 1, Changed: []string{"PASSWORD"},
			Secrets: []events.ConfigurationRecord{{Name: "PASSWORD", Record: numbered(4)}}})
		made.Configurations = append(made.Configurations, events.ReleaseConfiguration{Environment: of.Environment, Called: of.Called, Version: 1})
	}
	p.add(made)
	on := []events.PlacedHost{{Machine: planHost, Name: "web1"}}
	for n := range environments {
		p.add(events.DeploymentRequested{DeploymentOf: p.of(n), Kind: events.DeployForward, Release: 1, Version: 1, Colour: hosting.Blue, Placement: events.Placement{Web: on}})
		p.add(events.DeploymentAdmitted{DeploymentOf: p.of(n)})
	}
	return p
}

// of is the deployment of an environment.
func (p *plain) of(n int) events.DeploymentOf {
	return events.DeploymentOf{Namespace: numbered(1), Application: numbered(2), Name: "acme/shop", Environment: numbered(100 + n), Called: fmt.Sprint("env", n), Deployment: numbered(200 + n)}
}

func (p *plain) add(e events.Payload) uint64 {
	p.t.Helper()
	seq, err := command.Append(p.t.Context(), p.Log, command.By{Source: "/test", Actor: "alice"}, e, events.AnySeq)
	if err == nil {
		err = errors.Join(p.View.Wait(p.t.Context(), seq), p.images.Wait(p.t.Context(), seq))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return seq
}

const plainFile = `services: {web: {image: "hub.test/acme/web:1", environment: [PASSWORD], x-hubledger: {role: web, port: 8080, blue: 18080, green: 18081}}}`

// A slot that cannot be read for a moment does not fall out of the state, which the host
// would take for the newest; one that cannot run does.
func TestASlotThatCannotBeRead(t *testing.T) {
	p := planned(t, plainFile, 1)
	p.secrets.err = errors.New("the disk is away")
	if s, err := p.Desired(t.Context(), planHost); !errors.Is(err, p.secrets.err) {
		t.Errorf("%+v, %v", s, err)
	}
	p.secrets.err = nil
	if s, err := p.Desired(t.Context(), planHost); err != nil || len(s.Slots) != 1 || s.Slots[0].Services[0].Values["PASSWORD"] != "hunter2" {
		t.Errorf("%+v, %v", s, err)
	}
	p = planned(t, strings.Replace(plainFile, "[PASSWORD]", "[PASSWORD, NEVER_SET]", 1), 1)
	if s, err := p.Desired(t.Context(), planHost); err != nil || len(s.Slots) != 0 || s.Epoch == 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A state has all that has happened up to its epoch, also when something happens while its
// environments are read one after the other.
func TestEpochOfAStateThatIsReadMeanwhile(t *testing.T) {
	p := planned(t, plainFile, 2)
	quiet, err := p.Desired(t.Context(), planHost)
	if err != nil || len(quiet.Slots) != 2 || quiet.Slots[1].Fence != quiet.Epoch {
		t.Fatalf("%+v, %v", quiet, err)
	}
	places, first, second := 0, uint64(0), uint64(0)
	p.db.before = func(query string) {
		if !strings.Contains(query, "FROM environments e") {
			return
		}
		if places++; places == 2 { // the first environment was read
			p.db.before = func(string) {}
			first = p.add(events.DeploymentPulled{DeploymentOf: p.of(0), Hosts: []string{planHost}})
			second = p.add(events.DeploymentPulled{DeploymentOf: p.of(1), Hosts: []string{planHost}})
		}
	}
	s, err := p.Desired(t.Context(), planHost)
	if err != nil || first == 0 || len(s.Slots) != 2 {
		t.Fatalf("%+v, %v, %d", s, err, first)
	}
	if s.Slots[0].Fence < first && s.Epoch >= first {
		t.Errorf("the epoch is %d, and %d is missing: %+v", s.Epoch, first, s.Slots)
	}
	if s, err = p.Desired(t.Context(), planHost); err != nil || s.Epoch != second || s.Slots[0].Fence != first || s.Slots[0].ID != deployment.SlotID(p.of(0).Environment, hosting.Blue) {
		t.Errorf("%+v, %v", s, err)
	}
}

// What is too large for a host is refused when it is asked for, and does not hold up what else
// the host has.
func TestSlotsThatAreTooLarge(t *testing.T) {
	p := planned(t, plainFile, 1)
	place, err := p.Read.Place(t.Context(), p.of(0).Environment)
	if err != nil {
		t.Fatal(err)
	}
	on := []events.PlacedHost{{Machine: planHost, Name: "web1"}}
	sizes := func(web, worker []events.PlacedHost) error {
		what := contents{app: &compose.App{Services: []compose.Service{using("web", compose.Web), using("job", compose.Worker)}}, images: map[string]string{"web": "x", "job": "x"}, secrets: map[string]string{"PASSWORD": strings.Repeat("x", 300<<10)}}
		return p.fitsHosts(place, deployment.Wish{Release: 1, Placement: events.Placement{Web: web, Worker: worker}}, what)
	}
	if err := sizes(on, on); !errors.Is(err, application.ErrInvalid) || !strings.Contains(err.Error(), "more than 512 KiB") {
		t.Errorf("two copies of 300 KiB on one host: %v", err)
	}
	if err := sizes(on, []events.PlacedHost{{Machine: numbered(7), Name: "web2"}}); err != nil {
		t.Errorf("one copy on each of two hosts: %v", err)
	}

	p = planned(t, plainFile, 5)
	p.secrets.value = strings.Repeat("x", 400<<10)
	if s, err := p.Desired(t.Context(), planHost); err != nil || len(s.Slots) != 4 || s.Slots[3].Environment == "" {
		t.Errorf("%d slots of 400 KiB, %v", len(s.Slots), err)
	}
	p.secrets.value = strings.Repeat("x", 600<<10)
	if s, err := p.Desired(t.Context(), planHost); err != nil || len(s.Slots) != 0 {
		t.Errorf("%d slots of 600 KiB, %v", len(s.Slots), err)
	}
}

// A repository that has got the name of one that was deleted is not the one of a release.
func TestPullsOnlyFromTheRepositoryOfARelease(t *testing.T) {
	p := planned(t, plainFile, 1)
	made := events.RepositoryCreated{Repository: numbered(3), Namespace: numbered(1), Name: "acme/web", Visibility: events.Private}
	p.add(made)
	pulls := func(want bool) {
		t.Helper()
		if may, err := p.Pulls(t.Context(), planHost, "acme/web"); err != nil || may != want {
			t.Errorf("it may pull: %t, %v", may, err)
		}
	}
	pulls(true)
	p.add(events.RepositoryDeleted{Repository: made.Repository, Namespace: made.Namespace, Name: made.Name})
	pulls(false)
	made.Repository = numbered(33)
	p.add(made)
	pulls(false)
}

// A deployment whose application is gone is not brought on.
func TestNothingIsDueOfADeletedApplication(t *testing.T) {
	p := planned(t, plainFile, 1)
	p.look = func(_ context.Context, state deployment.State) deployment.Watch {
		return deployment.Watch{Elapsed: func(uint64) time.Duration { return time.Hour }}
	}
	due := func(want int) {
		t.Helper()
		if tasks, err := p.driving().Due(t.Context(), time.Now()); err != nil || len(tasks) != want {
			t.Errorf("%+v, %v", tasks, err)
		}
	}
	due(1)
	p.add(events.ApplicationDeleted{Namespace: numbered(1), Application: numbered(2), Name: "acme/shop"})
	due(0)
}

func using(name, role string) compose.Service {
	return compose.Service{Name: name, Role: compose.Role{Kind: role}, Environment: []compose.Variable{{Name: "PASSWORD", Secret: true}}}
}
