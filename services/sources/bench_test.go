package sources_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
)

// BenchmarkHooks sends so many webhooks a second to ten sources of a whole hub over HTTP,
// each when its time has come, whatever those before took. Their times, from then
// to the end of the answer, are its metrics, and how many were refused as too many.
func BenchmarkHooks(b *testing.B) {
	for _, perSecond := range []int{50, 500} {
		b.Run(fmt.Sprint(perSecond), func(b *testing.B) { benchmarkHooks(b, perSecond) })
	}
}

func benchmarkHooks(b *testing.B, perSecond int) {
	const sources = 10
	h := newHub(b, server.Config{})
	host := httptest.NewServer(remembering(gitremotetest.New(b, "sha1").Handler(true)))
	defer host.Close()
	git := host.URL + "/app.git"
	var to []apitypes.ChangedSource
	for k := range sources {
		var linked apitypes.ChangedSource
		h.ask("POST", "/namespaces/admin/sources", apitypes.LinkSourceRequest{Name: fmt.Sprint("app-", k), URL: git, Host: events.HostGitHub}, http.StatusCreated, &linked)
		to = append(to, linked)
	}
	requests := make([]*http.Request, b.N)
	for k := range requests {
		hook := push(events.HostGitHub, fmt.Sprint("d-", k), idA, idB)
		hook.body = hook.body[:len(hook.body)-1] + `,"commits":[` + fmt.Sprintf("%7000d", k+1) + `]}` // GitHub sends about as much
		requests[k] = hook.request(b, to[k%sources].WebhookURL, to[k%sources].HookSecret)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, b.N)
	var work sync.WaitGroup
	var refused atomic.Int64
	b.ResetTimer()
	begun := time.Now()
	for k, r := range requests {
		due := begun.Add(time.Duration(k) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(due))
		work.Go(func() {
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
			switch took[k] = time.Since(due); resp.StatusCode {
			case http.StatusOK:
			case http.StatusTooManyRequests:
				refused.Add(1)
			default:
				b.Error(resp.Status)
			}
		})
	}
	work.Wait()
	b.StopTimer()
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.50), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
	b.ReportMetric(float64(refused.Load()), "refused")
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "hooks/s")
}

// remembering answers a request as it did the first time: sweeps of a git host on this
// machine would cost more than all of the hub.
func remembering(h http.Handler) http.Handler {
	var all sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		key := r.Method + r.URL.String() + string(body)
		if known, ok := all.Load(key); ok {
			answer := known.(*httptest.ResponseRecorder)
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			w.Write(answer.Body.Bytes())
			return
		}
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		all.Store(key, answer)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	})
}
