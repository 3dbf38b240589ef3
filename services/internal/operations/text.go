package operations

import (
	"strings"
	"time"
)

// Micros is a time as the tables hold it: microseconds since 1970 UTC.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time is the inverse of Micros.
func Time(n int64) time.Time { return time.UnixMicro(n).UTC() }

// Storable is text that PostgreSQL takes.
func Storable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
