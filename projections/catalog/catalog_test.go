package catalog_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/catalog"
	"hubledger/projections/pgtest"
	"hubledger/projections/projectiontest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { os.Exit(postgres.Main(m)) }

// storages are both kinds of store.
var storages = projectiontest.Kinds(&postgres)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// idFor makes the same id of the same name.
func idFor(name string) string {
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(name))
	id[6] = 0x70 | id[6]&0x0f
	return id.String()
}

func namespaceOf(name string) string {
	first, _, nested := strings.Cut(name, "/")
	if !nested {
		first = "library"
	}
	return idFor("namespace " + first)
}

// A history is a log in memory; each event is a minute later than the one before.
type history struct {
	t   testing.TB
	log projectiontest.Log
	n   int
}

func (h *history) add(list ...events.Payload) {
	h.t.Helper()
	for _, p := range list {
		h.n++
		e, err := events.New(p, events.Meta{ID: uuid.NewString(), Source: "/test", Actor: "tester"})
		check(h.t, err)
		e.Set(events.AttrTime, noon.Add(time.Duration(h.n)*time.Minute).Format(events.TimeLayout))
		h.log.Append(e)
	}
}

func (h *history) create(name, visibility string) {
	h.t.Helper()
	h.add(events.RepositoryCreated{Namespace: namespaceOf(name), Repository: idFor(name), Name: name, Visibility: visibility})
}

func (h *history) describe(name, description string, topics ...string) {
	h.t.Helper()
	h.add(events.RepositoryDescribed{Namespace: namespaceOf(name), Repository: idFor(name), Name: name,
		Description: description, Readme: "# " + name, Topics: topics})
}

func (h *history) star(name string, n int) {
	h.t.Helper()
	for k := range n {
		h.add(events.StarGiven{Namespace: namespaceOf(name), Repository: idFor(name), User: idFor(fmt.Sprint("user ", k))})
	}
}

func (h *history) pull(name string, n int64) {
	h.t.Helper()
	at := noon.Add(time.Duration(n) * time.Second)
	h.add(events.PullsCounted{Node: "n1", From: noon, Repositories: []events.RepositoryPulls{{Repository: idFor(name), Pulls: n,
		LastPulled: at, Tags: []events.TagPulls{{Tag: "latest", Pulls: n - 1, LastPulled: at}},
		Manifests: []events.ManifestPulls{{Digest: digest.FromString(fmt.Sprint(n % 2)), Pulls: n, LastPulled: at}}}}})
}

func (h *history) push(name, tag string) {
	h.t.Helper()
	h.add(events.ImagePushed{Namespace: namespaceOf(name), Repository: idFor(name), Tag: tag,
		Digest: digest.FromString(tag), MediaType: "x", Manifest: []byte("{}")})
}

// onEach reads what a history comes to on either store, row by row and rebuilt.
func onEach(t *testing.T, h *history, test func(t *testing.T, r catalog.Reader)) {
	t.Helper()
	ctx := t.Context()
	last, err := h.log.LastSeq(ctx)
	check(t, err)
	for _, p := range storages {
		t.Run(p.Name, func(t *testing.T) {
			store, err := p.New(t).Open(ctx, &catalog.Projection, projections.Options{})
			check(t, err)
			defer store.Close()
			check(t, projections.CatchUp(ctx, store, &h.log, last, nil))
			test(t, catalog.Reader{DB: store.DB(), Dialect: store.Dialect()})
		})
		t.Run(p.Name+" rebuilt", func(t *testing.T) {
			storage := p.New(t)
			check(t, bulk.Rebuild(ctx, bulk.Config{Projection: &catalog.Projection, Storage: storage, Source: &h.log}, nil))
			store, err := storage.Open(ctx, &catalog.Projection, projections.Options{})
			check(t, err)
			defer store.Close()
			test(t, catalog.Reader{DB: store.DB(), Dialect: store.Dialect()})
		})
	}
}

var everything = catalog.Visible{All: true}

// names are those of entries, in their order.
func names(list []catalog.Entry) string {
	var all []string
	for _, e := range list {
		all = append(all, e.Name)
	}
	return strings.Join(all, " ")
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
