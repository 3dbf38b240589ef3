package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/registry/registrytest"
)

// BenchmarkBackup compares how many small images four clients push in a while with how many
// they push while the hub is backed up to an empty directory again and again, in turns in
// one run: pushes/pushes is that ratio. The hub has 2,000 images when it begins. First and
// further backups are measured apart, since a further one copies only what is new.
func BenchmarkBackup(b *testing.B) {
	h := startHub(b, "--builder", "off", "--log-budget", "0", "--requests-at-once", "0")
	var pushed, failed atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for k := range 4 {
		clients.Go(func() {
			c := registrytest.NewClient(asURL(h, admin))
			defer c.Close()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				tag := fmt.Sprintf("v%d-%d", k, n)
				if err := c.Push("admin/app", tag, registrytest.NewImage(tag)); err != nil {
					failed.Add(1)
				}
				pushed.Add(1)
			}
		})
	}
	defer clients.Wait()
	defer close(stop)
	until(b, "the hub to have images", func() bool { return pushed.Load() >= 2000 })

	const window = 5 * time.Second
	backup := func(dir string) {
		if out, errOut, code := h.Run("backup", dir); code != console.ExitOK {
			b.Errorf("backup: %d\n%s%s", code, out, errOut)
		}
	}
	during := func(work func(end time.Time)) float64 {
		began, had := time.Now(), pushed.Load()
		work(began.Add(window))
		return float64(pushed.Load()-had) / time.Since(began).Seconds()
	}
	for _, further := range []bool{false, true} {
		name := map[bool]string{false: "first", true: "further"}[further]
		b.Run(name, func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "backup")
			if further {
				backup(dir)
			}
			var alone, beside float64
			backups := 0
			for b.Loop() {
				alone += during(func(end time.Time) { time.Sleep(time.Until(end)) })
				beside += during(func(end time.Time) {
					for ; time.Now().Before(end); backups++ {
						if !further {
							if err := os.RemoveAll(dir); err != nil {
								b.Fatal(err)
							}
						}
						backup(dir)
					}
				})
			}
			b.ReportMetric(beside/alone, "pushes/pushes")
			b.ReportMetric(alone/float64(b.N), "pushes/s")
			b.ReportMetric(float64(backups)/float64(b.N), "backups")
			b.ReportMetric(0, "ns/op")
		})
	}
	if n := failed.Load(); n > 0 {
		b.Errorf("%d pushes failed", n)
	}
}
