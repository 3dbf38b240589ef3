package leases

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/operations"
)

// BenchmarkTake gives new leases, by one client and by eight.
func BenchmarkTake(b *testing.B) {
	for _, kind := range []struct {
		name   string
		config func(b *testing.B) operations.Config
	}{
		{"sqlite", func(b *testing.B) operations.Config { return file(b) }},
		{"postgres", func(b *testing.B) operations.Config { return operations.Config{PostgresURL: postgres.URL(b)} }},
	} {
		for _, clients := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/c%d", kind.name, clients), func(b *testing.B) {
				s, end := open(b, kind.config(b))
				defer end()
				var next atomic.Int64
				inParallel(b, clients, func() error {
					return s.Take(b.Context(), "alice/app", inAnHour(), digest.FromString(fmt.Sprint(next.Add(1))))
				})
			})
		}
	}
}

// BenchmarkPush is what a push of an image with two blobs costs: two leases and
// a pin that does not outlive them.
func BenchmarkPush(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("sqlite/c%d", clients), func(b *testing.B) {
			s, end := open(b, file(b))
			defer end()
			var next atomic.Int64
			inParallel(b, clients, func() error {
				i := next.Add(1)
				config, layer := digest.FromString(fmt.Sprint("config", i)), digest.FromString(fmt.Sprint("layer", i))
				for _, d := range []digest.Digest{config, layer} {
					if err := s.Take(b.Context(), "alice/app", inAnHour(), d); err != nil {
						return err
					}
				}
				pin, err := s.Pin(b.Context(), config, layer)
				s.Unpin(pin)
				return err
			})
		})
	}
}

// BenchmarkHas looks a lease up among 100,000.
func BenchmarkHas(b *testing.B) {
	s, end := open(b, file(b))
	defer end()
	ds := make([]digest.Digest, 100_000)
	for i := range ds {
		ds[i] = digest.FromString(fmt.Sprint(i))
	}
	check(b, s.Take(b.Context(), "alice/app", inAnHour(), ds...))
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % len(ds)
		if _, ok, err := s.Has(b.Context(), "alice/app", ds[i]); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func inParallel(b *testing.B, clients int, fn func() error) {
	b.ReportAllocs()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error)
	b.ResetTimer()
	for range clients {
		go func() {
			var err error
			for left.Add(-1) >= 0 && err == nil {
				err = fn()
			}
			done <- err
		}()
	}
	for range clients {
		check(b, <-done)
	}
}
