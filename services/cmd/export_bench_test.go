package cmd

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkExport measures how fast a running hub exports its log to a file, with both
// programs on this machine. Each event is a push of an image with 4 blobs.
func BenchmarkExport(b *testing.B) {
	data := b.TempDir()
	n := imageCount()
	filled(b, data, n)
	h := startHubOn(b, data)
	for k := 0; b.Loop(); k++ {
		file := filepath.Join(b.TempDir(), "export")
		began := time.Now()
		if _, stderr, code := h.Run("events", "export", "--to", file); code != 0 {
			b.Fatal(stderr)
		}
		took := time.Since(began).Seconds()
		info, err := os.Stat(file)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n)/took, "events/s")
		b.ReportMetric(float64(info.Size())/float64(n), "B/event")
	}
}
