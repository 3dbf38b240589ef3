package catalog_test

import (
	"errors"
	"testing"

	"hubledger/events"
	"hubledger/projections/catalog"
)

// library is a small hub, public but for one repository.
func library(t *testing.T) *history {
	h := &history{t: t}
	for _, name := range []string{"postgres", "bitnami/postgresql", "alice/postgres", "postgres/tools", "bob/my-postgres",
		"nginx", "bitnami/nginx", "alice/web", "alice/redis-cache", "bob/cache", "carol/app", "carol/app-two", "carol/api",
		"dave/exporter", "dave/z"} {
		h.create(name, events.Public)
	}
	h.create("secret/postgres", events.Private)
	h.push("carol/api", "v1")
	h.push("nginx", "v1")
	h.star("bitnami/postgresql", 3)
	h.star("bob/my-postgres", 5)
	h.star("carol/app-two", 1)
	h.pull("alice/postgres", 10)
	h.pull("carol/app", 100)
	h.describe("dave/exporter", "Metrics of a Postgres server, for Prometheus", "monitoring", "time-series")
	h.describe("alice/web", "A web server in Go", "web")
	h.describe("bob/cache", "Redis, but smaller; 100% Go", "go", "time-series")
	return h
}

// Order is the same on both stores: the table is.
func TestOrder(t *testing.T) {
	onEach(t, library(t), func(t *testing.T, r catalog.Reader) {
		for text, want := range map[string]string{
			"postgres":         "postgres postgres/tools bitnami/postgresql alice/postgres bob/my-postgres dave/exporter",
			"POSTGRES ":        "postgres postgres/tools bitnami/postgresql alice/postgres bob/my-postgres dave/exporter",
			"library/postgres": "postgres postgres/tools bitnami/postgresql alice/postgres bob/my-postgres dave/exporter",
			"postgers":         "bob/my-postgres bitnami/postgresql alice/postgres postgres postgres/tools",
			"ngnix":            "bitnami/nginx nginx",
			"nginx":            "nginx bitnami/nginx",
			"bitnami/":         "bitnami/postgresql bitnami/nginx",
			"carol/ap":         "carol/app-two carol/app carol/api",
			"ap":               "carol/app-two carol/app carol/api",
			"a":                "alice/postgres alice/redis-cache alice/web carol/app-two carol/app carol/api dave/exporter",
			"z":                "dave/z",
			"redis cache":      "alice/redis-cache bob/cache",
			"cache go":         "bob/cache",
			"prometheus":       "dave/exporter",
			"server":           "alice/web dave/exporter",
			"go":               "alice/web bob/cache",
			"time-series":      "bob/cache dave/exporter",
			"nothing-of-this":  "",
			"":                 "bob/my-postgres bitnami/postgresql carol/app-two carol/app alice/postgres alice/redis-cache alice/web bitnami/nginx bob/cache carol/api dave/exporter dave/z nginx postgres postgres/tools",
		} {
			list, total, err := r.Search(t.Context(), catalog.Query{Text: text, Visible: catalog.Visible{Public: true}})
			if got := names(list); err != nil || got != want || total != len(list) {
				t.Errorf("%q finds %d: %s\nnot %s %v", text, total, got, want, err)
			}
		}
	})
}

func TestPagesTopicsAndSort(t *testing.T) {
	onEach(t, library(t), func(t *testing.T, r catalog.Reader) {
		for _, c := range []struct {
			query catalog.Query
			want  string
			total int
		}{
			{catalog.Query{Text: "postgres", Offset: 1, Limit: 2}, "postgres/tools bitnami/postgresql", 7},
			{catalog.Query{Text: "postgres", Offset: 6, Limit: 2}, "dave/exporter", 7},
			{catalog.Query{Text: "postgres", Offset: 900, Limit: 100}, "", 7},
			{catalog.Query{Topic: "time-series"}, "bob/cache dave/exporter", 2},
			{catalog.Query{Topic: "time"}, "", 0},
			{catalog.Query{Topic: "time-series", Text: "exp"}, "dave/exporter", 1},
			{catalog.Query{Topic: "time-series", Text: "postgres"}, "dave/exporter", 1},
			{catalog.Query{Sort: catalog.ByUpdated, Limit: 4}, "nginx carol/api secret/postgres dave/z", 16},
			{catalog.Query{Sort: catalog.ByUpdated, Topic: "time-series"}, "dave/exporter bob/cache", 2},
			{catalog.Query{Sort: catalog.ByStars, Limit: 2}, "bob/my-postgres bitnami/postgresql", 16},
			{catalog.Query{Sort: catalog.ByName, Limit: 3}, "alice/postgres alice/redis-cache alice/web", 16},
			{catalog.Query{Sort: catalog.ByName, Offset: 14}, "postgres/tools secret/postgres", 16},
		} {
			everybody := catalog.Visible{Public: true, Namespaces: []string{namespaceOf("secret/x")}}
			for _, c.query.Visible = range []catalog.Visible{everything, everybody} {
				list, total, err := r.Search(t.Context(), c.query)
				if got := names(list); err != nil || got != c.want || total != c.total {
					t.Errorf("%+v finds %d: %s\nnot %d: %s %v", c.query, total, got, c.total, c.want, err)
				}
			}
		}
		for _, q := range []catalog.Query{{Offset: -1}, {Limit: -1}, {Offset: 990, Limit: 11}, {Limit: 1001},
			{Sort: "size"}, {Text: string(make([]byte, 201))}, {Visible: catalog.Visible{Only: make([]string, 1001)}}} {
			if _, _, err := r.Search(t.Context(), q); !errors.Is(err, catalog.ErrQuery) {
				t.Errorf("%.100v gives %v", q, err)
			}
		}
	})
}
