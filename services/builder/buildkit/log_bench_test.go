package buildkit_test

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubledger/services/builder/driver"
)

// How fast log is told, and how much processor time of this process that takes, as cores at
// 10 MB a second; BuildKit and the step that writes are other processes.
func BenchmarkLog(b *testing.B) {
	w := newWorld(b)
	const size = 64_000_000
	s := w.spec(fromBase + fmt.Sprintf("RUN flood %d\n", size))
	s.Limits.Log, s.Limits.CPU, s.Limits.Disk = 1<<30, 2, 1<<30
	s.Secrets = map[string][]byte{"token": []byte("a-token-that-is-nowhere")}
	b.SetBytes(size)
	from := cpuTime()
	for b.Loop() {
		one, err := w.driver.Prepare(b.Context(), s)
		if err != nil {
			b.Fatal(err)
		}
		var n int
		if _, err := one.Run(b.Context(), func(e driver.Event) { n += len(e.Data) }); err != nil || n != size {
			b.Fatalf("%v, %d bytes", err, n)
		}
		if err := one.Destroy(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuTime()-from).Seconds()/(float64(b.N)*size/10e6), "cores/10MB/s")
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// How long after it was written a line is told, at worst and on average.
func BenchmarkLine(b *testing.B) {
	w := newWorld(b)
	var worst, sum time.Duration
	lines := 0
	for b.Loop() {
		one, err := w.driver.Prepare(b.Context(), w.spec(fromBase+"RUN clock\n"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := one.Run(b.Context(), func(e driver.Event) {
			for line := range strings.Lines(string(e.Data)) {
				if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
					late := time.Since(time.Unix(0, n))
					worst, sum, lines = max(worst, late), sum+late, lines+1
				}
			}
		}); err != nil {
			b.Fatal(err)
		}
		if err := one.Destroy(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(worst.Milliseconds()), "ms/worst")
	b.ReportMetric(float64(sum.Milliseconds())/float64(lines), "ms/line")
}
