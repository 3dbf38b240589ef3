package operations_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// What is written reaches the file while the store is open, also in few large rows:
// its write-ahead log does not grow for ever.
func TestWritesReachTheFile(t *testing.T) {
	c := configs["sqlite"](t)
	s := open(t, c)
	check(t, s.Define(t.Context(), things))
	const rows, size = 40, 512 << 10
	for k := range rows {
		check(t, add(t.Context(), s, string(rune('A'+k))+strings.Repeat("x", size)))
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) { // a checkpoint runs beside the writer
		info, err := os.Stat(c.File)
		check(t, err)
		if info.Size() > rows*size/2 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("of %d bytes %d are in the file", rows*size, info.Size())
		}
	}
}
