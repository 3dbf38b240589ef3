package builder

import (
	"bytes"
	"context"
	"syscall"
	"testing"
	"time"

	"hubledger/projections/builds"
	"hubledger/services/builder/driver"
)

// What a log costs from the driver on: the builder, the hub and the stream that keeps it,
// as cores at 10 MB a second, with the time that one MB takes.
func BenchmarkKeepLog(b *testing.B) {
	const size = 32_000_000
	w := newWorld(b)
	line := append(bytes.Repeat([]byte("x"), 99), '\n')
	w.driver.runs(func(_ context.Context, _ driver.Spec, emit func(driver.Event)) (driver.Result, error) {
		emit(driver.Event{Kind: driver.Began, Step: 1, Name: "[1/1] RUN flood", Time: time.Now()})
		for range size / len(line) {
			emit(driver.Event{Kind: driver.Log, Step: 1, Stream: driver.Stdout, Data: line})
		}
		emit(driver.Event{Kind: driver.Ended, Step: 1, Time: time.Now()})
		return driver.Result{Digest: madeDigest}, nil
	})
	w.start()
	b.SetBytes(size)
	from := cpuTime()
	n := 20
	for b.Loop() {
		w.queue(n, "c1", rule("base"))
		w.await(n, builds.Pushed)
		n++
	}
	b.ReportMetric((cpuTime()-from).Seconds()/(float64(b.N)*size/10e6), "cores/10MB/s")
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
