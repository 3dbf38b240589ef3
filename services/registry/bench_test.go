package registry_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/services/internal/command"
	"hubledger/services/registry/registrytest"
)

// BenchmarkRepository asks one repository of 100 manifests and one of 100,000
// for the same things. The second also reports how many times longer it takes
// than the first ("x"): it is to stay within 1.5. Requests go to the handler,
// without a connection; before each the cache is emptied, where it says cold.
func BenchmarkRepository(b *testing.B) {
	small := map[string]time.Duration{}
	for _, n := range []int{100, 100_000} {
		r := newLargeRepository(b, n)
		for _, what := range []struct {
			name    string
			request func(k int) *http.Request
			cold    bool
			status  int
		}{
			{"tag", func(int) *http.Request { return get("manifests/" + r.tag(n/2)) }, false, 200},
			{"tag-cold", func(int) *http.Request { return get("manifests/" + r.tag(r.any(n))) }, true, 200},
			{"digest-cold", func(int) *http.Request { return get("manifests/" + r.image.Digest().String()) }, true, 200},
			{"blob", func(int) *http.Request { return get("blobs/" + registrytest.Sum("layer").String()) }, false, 200},
			{"blob-cold", func(int) *http.Request { return get("blobs/" + registrytest.Sum("layer").String()) }, true, 200},
			{"blob-unknown", func(k int) *http.Request { return get("blobs/" + registrytest.Sum(fmt.Sprint(k)).String()) }, false, 404},
			{"referrers", func(int) *http.Request { return get("referrers/" + r.subject.Digest.String()) }, true, 200},
			{"tags-page", func(int) *http.Request { return get("tags/list?n=50&last=" + r.tag(r.any(n-60))) }, true, 200},
			{"put", r.put, false, 201},
		} {
			b.Run(fmt.Sprintf("%s/manifests=%d", what.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for k := range b.N {
					if what.cold {
						r.hub.Registry.Committed(projections.Commit{}, false) // as after a lost connection
					}
					w := httptest.NewRecorder()
					r.hub.Handler.ServeHTTP(w, what.request(k))
					if w.Code != what.status {
						b.Fatalf("answered %d: %s", w.Code, w.Body)
					}
				}
				each := b.Elapsed() / time.Duration(b.N)
				if n == 100 {
					small[what.name] = each
				} else {
					b.ReportMetric(float64(each)/float64(small[what.name]), "x")
				}
			})
		}
		r.hub.Close()
	}
}

const largeName = "alice/large"

func get(path string) *http.Request {
	return httptest.NewRequest("GET", "/v2/"+largeName+"/"+path, nil)
}

type largeRepository struct {
	hub     *registrytest.Hub
	image   *registrytest.Image // one that is whole
	subject v1.Descriptor       // with ten referrers
	puts    atomic.Int64
	rng     *rand.Rand
}

func (r *largeRepository) tag(k int) string { return fmt.Sprintf("v1.%07d", k) }
func (r *largeRepository) any(n int) int    { return r.rng.IntN(n) }

// put pushes a manifest that is not there yet.
func (r *largeRepository) put(int) *http.Request {
	k := r.puts.Add(1)
	img := registrytest.With(func(m *v1.Manifest) { m.Annotations = map[string]string{"n": fmt.Sprint(k)} }, "layer")
	req := httptest.NewRequest("PUT", fmt.Sprintf("/v2/%s/manifests/put-%d", largeName, k), bytes.NewReader(img.Manifest))
	req.Header.Set("Content-Type", img.MediaType)
	return req
}

// newLargeRepository appends n pushes, as if that many images had come: each
// with a tag and a config and three layers, one of which all share.
func newLargeRepository(b *testing.B, n int) *largeRepository {
	b.Helper()
	r := &largeRepository{hub: registrytest.Start(b, registrytest.Config{}), image: registrytest.NewImage("layer"), rng: rand.New(rand.NewPCG(1, 1))}
	r.hub.Client().MustPush(b, largeName, "first", r.image)
	id := idOf(b, r.hub, largeName)
	r.subject = r.image.Descriptor()
	var next atomic.Int64
	var failed atomic.Value
	var work sync.WaitGroup
	begun := time.Now()
	for range 16 {
		work.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				e := events.ImagePushed{Namespace: id.Namespace, Repository: id.Repository, Tag: r.tag(k), MediaType: v1.MediaTypeImageManifest, Manifest: r.manifest(k)}
				e.Digest = digest.FromBytes(e.Manifest)
				if _, err := command.Append(b.Context(), r.hub.Log, registrytest.By, e, events.AnySeq); err != nil {
					failed.Store(err)
				}
			}
		})
	}
	work.Wait()
	if err, _ := failed.Load().(error); err != nil {
		b.Fatal(err)
	}
	check(b, r.hub.Runner.Wait(b.Context(), r.hub.LastSeq()))
	b.Logf("%d manifests appended and projected in %s", n, time.Since(begun).Round(time.Millisecond))
	return r
}

func (r *largeRepository) manifest(k int) []byte {
	return registrytest.With(func(m *v1.Manifest) {
		m.Annotations = map[string]string{"org.opencontainers.image.description": strings.Repeat("words ", 60)}
		if k%10 == 0 { // referrers of many, and ten of the one that is asked about
			m.Subject = &v1.Descriptor{MediaType: m.MediaType, Digest: registrytest.Sum(fmt.Sprint(k)), Size: 1}
			if k < 100 {
				m.Subject = &r.subject
			}
		}
	}, fmt.Sprint("layer a", k), fmt.Sprint("layer b", k), "layer").Manifest
}
