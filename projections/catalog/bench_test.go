package catalog_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/bulk"
	"hubledger/projections/catalog"
)

// A bigHub is a Source of that many repositories: each is created and
// described; some are starred and pulled, few of them often.
type bigHub int

// kinds of words: few are in many names, most in few.
var bigWords = strings.Fields(`app api service web nginx postgres redis worker backend frontend proxy gateway auth data image base node
	python golang java spring django rails mysql mongo kafka zookeeper elastic search logstash kibana grafana prometheus exporter agent
	server client builder runner jenkins gitlab test demo example hello world tools cli operator controller scheduler cron job batch
	stream event bus mail smtp imap ldap vault consul etcd traefik envoy haproxy caddy php wordpress drupal magento shop cart payment
	billing invoice user account profile report metrics trace jaeger zipkin tensor torch jupyter notebook spark hadoop hive presto
	airflow dbt minio registry mirror cache`)

var bigProse = strings.Fields(`a the docker image for of and with in container official build based on alpine debian small fast secure
	production ready database monitoring queue broker http server tool library service unofficial mirror nightly multi-arch minimal
	deprecated internal team platform deploy pipeline kubernetes helm chart cluster storage object backup restore importer`)

// skewed is a number below n, the small ones often.
func skewed(rng *rand.Rand, n int) int { return int(float64(n) * rng.Float64() * rng.Float64()) }

func bigNamespace(rng *rand.Rand) string {
	syllables := strings.Fields("ba ko ti mar lin dev ops al ex jo san ra vi no qu zed ny ul er is")
	name := string("bcdfghjklmnprstvwxz"[rng.IntN(19)])
	for n := skewed(rng, 20_000); n > 0; n /= 20 {
		name += syllables[n%20]
	}
	return name
}

func bigName(k int) string {
	rng := rand.New(rand.NewPCG(uint64(k), 1))
	word := func() string {
		w := bigWords[skewed(rng, len(bigWords))]
		if rng.IntN(3) == 0 {
			w += strconv.Itoa(rng.IntN(1000))
		}
		return w
	}
	namespace := bigNamespace(rng)
	if k%20 == 0 {
		namespace = "acme"
	}
	name := namespace + "/" + word()
	for rng.IntN(2) == 0 {
		name += string("-_./"[rng.IntN(4)]) + word()
	}
	return fmt.Sprintf("%s-%d", name, k)
}

func bigVisibility(k int) string {
	if k%3 == 0 {
		return events.Private
	}
	return events.Public
}

func (n bigHub) event(k int) events.Payload {
	rng := rand.New(rand.NewPCG(uint64(k), 2))
	repo := k % int(n)
	name := bigName(repo)
	ns, id := idFor("namespace "+strings.Split(name, "/")[0]), idFor(name)
	switch k / int(n) {
	case 0:
		return events.RepositoryCreated{Namespace: ns, Repository: id, Name: name, Visibility: bigVisibility(k)}
	case 1:
		var prose []string
		for range 3 + rng.IntN(10) {
			prose = append(prose, bigProse[skewed(rng, len(bigProse))])
		}
		return events.RepositoryDescribed{Namespace: ns, Repository: id, Name: name, Description: strings.Join(prose, " "),
			Topics: []string{bigWords[skewed(rng, len(bigWords))]}}
	case 2:
		name = bigName(skewed(rng, skewed(rng, int(n))+1))
		return events.StarGiven{Namespace: ns, Repository: idFor(name), User: idFor(fmt.Sprint("user ", k))}
	default:
		p := events.PullsCounted{Node: "n1", From: noon}
		for range 10 {
			p.Repositories = append(p.Repositories, events.RepositoryPulls{Repository: idFor(bigName(skewed(rng, int(n)))),
				Pulls: int64(rng.IntN(1000)), LastPulled: noon})
		}
		return p
	}
}

// LastSeq and Follow implement projections.Source.
func (n bigHub) LastSeq(context.Context) (uint64, error) { return uint64(n)*3 + uint64(n)/10, nil }

func (n bigHub) Follow(ctx context.Context, after uint64, max int, fn func([]events.Event) error) error {
	last, _ := n.LastSeq(ctx)
	for seq := after + 1; seq <= last; {
		var batch []events.Event
		for ; len(batch) < max && seq <= last; seq++ {
			e, err := events.New(n.event(int(seq-1)), events.Meta{ID: idFor(fmt.Sprint(seq)), Source: "/bench", Actor: "bench"})
			if err != nil {
				return err
			}
			e.Set(events.AttrTime, noon.Add(time.Duration(seq)*time.Millisecond).Format(events.TimeLayout))
			e.Seq = seq
			batch = append(batch, e)
		}
		if err := fn(batch); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// searches by what is hard about them.
var searches = []struct {
	name    string
	queries []catalog.Query
}{
	{"one_letter", texts("a", "b", "n", "z", "q", "9")},
	{"two_letters", texts("ap", "re", "ng", "zz", "qu", "12")},
	{"common", texts("app", "service", "api", "web", "nginx", "image", "postgres")},
	{"prefix", texts("bako", "dti", "mar", "nginx1", "sdev")},
	{"selective", texts("kafka12", "minio9", "registry-mirror", "jupyter77", "torch5")},
	{"typo", texts("postgers", "ngnix", "prometeus", "kuberntes", "servcie", "grafnaa")},
	{"no_match", texts("xyzzyqqq", "does-not-exist-here", "wwwwww", "000000000")},
	{"several_words", texts("redis cache", "docker image postgres", "node server", "api backup")},
	{"description", texts("docker", "kubernetes", "deprecated", "importer", "official")},
	{"topic", []catalog.Query{{Topic: "app"}, {Topic: "minio"}, {Topic: "kafka", Text: "web"}, {Topic: "nothing"}}},
	{"all", []catalog.Query{{}, {Sort: catalog.ByName}, {Sort: catalog.ByUpdated}, {Offset: 500}, {Limit: 100}}},
	{"deep", []catalog.Query{{Text: "app", Offset: 900}, {Text: "kafka", Offset: 900}, {Text: "docker", Offset: 900}, {Text: "a", Offset: 900}}},
}

func texts(list ...string) (queries []catalog.Query) {
	for _, text := range list {
		queries = append(queries, catalog.Query{Text: text})
	}
	return queries
}

// visitors are those who search: one who sees public ones, a user who also sees
// 500 private ones, a member of an organization with very many, and an administrator.
func visitors(n int) map[string]catalog.Visible {
	user, member := catalog.Visible{Public: true}, catalog.Visible{Public: true}
	count := map[string]int{}
	for k := 0; k < n; k += 3 {
		ns := idFor("namespace " + strings.Split(bigName(k), "/")[0])
		count[ns]++
		if len(user.Repositories) < 490 && k%7 == 0 {
			user.Repositories = append(user.Repositories, idFor(bigName(k)))
		}
	}
	member.Namespaces = []string{idFor("namespace acme")}
	list := slices.Sorted(maps.Keys(count))
	for have, k := 0, 0; have < 10 && k < len(list); k++ {
		if list[k] != member.Namespaces[0] {
			user.Namespaces, have = append(user.Namespaces, list[k]), have+count[list[k]]
		}
	}
	return map[string]catalog.Visible{"anonymous": {Public: true}, "user": user, "member": member, "admin": everything}
}

// BenchmarkSearch reports how long searches take among HUBLEDGER_REPOS
// repositories (2,000 if it is not set).
func BenchmarkSearch(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_REPOS"))
	if err != nil {
		n = 2000
	}
	who := visitors(n)
	for _, p := range storages {
		store := build(b, p.New(b), bigHub(n))
		r := catalog.Reader{DB: store.DB(), Dialect: store.Dialect()}
		for _, visitor := range []string{"anonymous", "user", "member", "admin"} {
			for _, c := range searches {
				b.Run(p.Name+"/"+visitor+"/"+c.name, func(b *testing.B) {
					var took []time.Duration
					for k := 0; b.Loop(); k++ {
						q := c.queries[k%len(c.queries)]
						q.Visible = who[visitor]
						start := time.Now()
						_, _, err := r.Search(b.Context(), q)
						check(b, err)
						took = append(took, time.Since(start))
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
					b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				})
			}
		}
		check(b, store.Close())
	}
}

func build(t testing.TB, storage projections.Storage, source projections.Source) projections.Store {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	began := time.Now()
	check(t, bulk.Rebuild(t.Context(), bulk.Config{Projection: &catalog.Projection, Storage: storage, Source: source, Logger: quiet}, nil))
	t.Logf("built in %s", time.Since(began).Round(time.Millisecond))
	store, err := storage.Open(t.Context(), &catalog.Projection, projections.Options{})
	check(t, err)
	return store
}
