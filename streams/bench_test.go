package streams_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"hubledger/events"
	"hubledger/streams"
	"hubledger/streams/streamtest"
)

// BenchmarkAppend is the cost of one durable append of about 700 bytes, with
// one and with eight commands at a time.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("c%d", clients), func(b *testing.B) {
			l := streamtest.Open(b, "")
			var n atomic.Int64
			b.SetParallelism((clients + 1) / 2)
			if clients == 1 {
				b.SetParallelism(1)
			}
			b.ResetTimer()
			if clients == 1 {
				for i := range b.N {
					mustAppend(b, l, int64(i))
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mustAppend(b, l, n.Add(1))
				}
			})
		})
	}
}

func mustAppend(b *testing.B, l *streams.Log, i int64) {
	if _, err := l.Append(context.Background(), newEvent(b, fmt.Sprint("id-", i), fmt.Sprint("name-", i)), 0); err != nil {
		b.Error(err)
	}
}

// BenchmarkLast is the read before an append that expects something.
func BenchmarkLast(b *testing.B) {
	l := streamtest.Open(b, "")
	appendN(b, l, 1, 100)
	subject := events.NamespaceSubject("name-50")
	for b.Loop() {
		if e, err := l.Last(context.Background(), subject); err != nil || e.Seq != 50 {
			b.Fatal(e, err)
		}
	}
}

// BenchmarkFollow is the rate at which a log is read from its start.
func BenchmarkFollow(b *testing.B) {
	l := streamtest.Open(b, "")
	n := min(b.N, 20000)
	appendN(b, l, 1, n)
	done := errors.New("done")
	b.ResetTimer()
	for read := 0; read < b.N; read += n {
		err := l.Follow(context.Background(), 0, 500, func(batch []events.Event) error {
			if batch[len(batch)-1].Seq == uint64(n) {
				return done
			}
			return nil
		})
		if !errors.Is(err, done) {
			b.Fatal(err)
		}
	}
}

// BenchmarkFollowLatency is from the start of an append until a follower has it.
func BenchmarkFollowLatency(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := streamtest.Open(b, "")
	seen := make(chan uint64, 1)
	go l.Follow(ctx, 0, 500, func(batch []events.Event) error {
		seen <- batch[len(batch)-1].Seq
		return nil
	})
	i := int64(0)
	for b.Loop() {
		i++
		mustAppend(b, l, i)
		<-seen
	}
}

// BenchmarkOpen is a start on an empty directory.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		l := streamtest.Open(b, b.TempDir())
		if err := l.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
