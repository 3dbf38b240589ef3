package web_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/internal/command"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// BenchmarkPages asks for pages of a hub with HUBLEDGER_REPOSITORIES repositories, or 1,000,
// one of which has a tenth as many tags, over HTTP and one after the other: the time of a page
// should hardly grow with the hub. cpu-ms is the processor time of hub and browser for a page,
// which says more on a busy machine; /keys asks for no data.
func BenchmarkPages(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("HUBLEDGER_REPOSITORIES"))
	if err != nil {
		n = 1000
	}
	hub := servertest.Start(b, server.Config{})
	admin := webtest.As(b, hub, servertest.Admin, servertest.Password)
	client := hub.Client()
	image := client.MustPush(b, "admin/app", "latest", registrytest.NewImage("layer"))
	app, err := hub.Registry().Images.Repository(b.Context(), "admin/app")
	if err != nil {
		b.Fatal(err)
	}
	repo, ns := app.ID, app.Namespace
	fill(b, n, func(k int) events.Payload {
		name := fmt.Sprintf("admin/app-%d", k)
		return events.RepositoryCreated{Namespace: ns, Repository: newID(b), Name: name, Visibility: []string{events.Public, events.Private}[k%2]}
	}, hub)
	fill(b, n/10, func(k int) events.Payload {
		return events.ImageTagged{Namespace: ns, Repository: repo, Tag: fmt.Sprintf("1.%d.%d", k/100, k%100), Digest: image.Digest()}
	}, hub)
	hub.CatchUp()
	settle(b)
	nobody := webtest.NewBrowser(b, hub)
	const at = "/r/admin/app"
	for _, page := range []struct {
		name, path string
		by         *webtest.Browser
	}{
		{"keys", "/keys", admin}, {"home", "/", admin}, {"catalog", "/catalog", admin}, {"catalog, nobody", "/catalog", nobody}, {"search", "/catalog?q=app-77", admin}, {"namespace", "/n/admin", admin},
		{"repository", at, admin}, {"tags", at + "/-/tags", admin}, {"tags by size, filtered", at + "/-/tags?sort=size&q=.7", admin}, {"tags by pulls", at + "/-/tags?sort=pulls", admin}, {"tag", at + "/-/tags/1.0.7", admin},
		{"image", at + "/-/images/" + image.Digest().String(), admin}, {"audit log", "/events", admin},
	} {
		b.Run(page.name, func(b *testing.B) {
			page.by.Get(page.path).Is(http.StatusOK) // what is kept in memory is there
			var times []time.Duration
			used := processorTime()
			for b.Loop() {
				begin := time.Now()
				a := page.by.Get(page.path)
				times = append(times, time.Since(begin))
				a.Is(http.StatusOK)
			}
			b.ReportMetric((processorTime()-used).Seconds()*1000/float64(len(times)), "cpu-ms")
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
		})
	}
}

// processorTime is what this process has used: hub and browser.
func processorTime() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// settle waits until the hub has done what follows from what was put into it, such as
// hashing the log and running its process managers.
func settle(b *testing.B) {
	const look = time.Second
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); {
		used := processorTime()
		time.Sleep(look)
		if processorTime()-used < look/20 {
			return
		}
	}
	b.Fatal("the hub is not idle five minutes after it was filled")
}

// fill appends n events.
func fill(b *testing.B, n int, event func(k int) events.Payload, hub *servertest.Server) {
	b.Helper()
	var work sync.WaitGroup
	for w := range 8 {
		work.Go(func() {
			for k := w; k < n; k += 8 {
				if _, err := command.Append(context.Background(), hub.Log(), servertest.By, event(k), events.AnySeq); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

func newID(b *testing.B) string {
	id, err := command.NewID()
	if err != nil {
		b.Fatal(err)
	}
	return id
}
