package sources_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server"
)

// BenchmarkHooks sends so many webhooks a second to ten sources of a whole hub over HTTP,
// each when its time has come, whatever those before took. Their times, from then
// to the end of the answer, are its metrics, and how many were refused as too many; the
// CPU time is that of clients and hub. Beside them a file is appended to and synced every
// 20 ms: what the disk and the machine take for that at the time.
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
	bare := appending(b)
	cpu := cpuTime()
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
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/float64(b.N), "cpu-µs/hook")
	synced := bare()
	b.ReportMetric(at(synced, 0.50), "bare-p50-ms")
	b.ReportMetric(at(synced, 0.99), "bare-p99-ms")
	b.ReportMetric(at(took, 0.50), "p50-ms")
	b.ReportMetric(at(took, 0.99), "p99-ms")
	b.ReportMetric(at(took, 1), "max-ms")
	b.ReportMetric(float64(refused.Load()), "refused")
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "hooks/s")
}

// at is the time, in milliseconds, within which that share of them was done.
func at(all []time.Duration, share float64) float64 {
	slices.Sort(all)
	return float64(all[int(share*float64(len(all)-1))].Microseconds()) / 1000
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// appending appends 1 KiB to a file and syncs it every 20 ms, until the result is
// called: that is how long each took.
func appending(b *testing.B) (took func() []time.Duration) {
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	stop, all := make(chan struct{}), make(chan []time.Duration)
	go func() {
		defer f.Close()
		list := []time.Duration{0}
		for {
			select {
			case <-stop:
				all <- list
				return
			case <-time.After(20 * time.Millisecond):
			}
			begun := time.Now()
			f.Write(make([]byte, 1<<10))
			f.Sync()
			list = append(list, time.Since(begun))
		}
	}()
	return func() []time.Duration { close(stop); return <-all }
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
