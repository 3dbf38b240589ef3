package console

import (
	"fmt"
	"time"
)

// Size formats a number of bytes for people: 1.5 MB is 1,500,000 bytes.
func Size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	f, u := float64(n), 0
	for f >= 1000 && u < len(units)-1 {
		f /= 1000
		u++
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}

// Time formats a time in the local zone; nil and the zero time are "-".
func Time(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// ShortDigest is a digest shortened for people: the algorithm and 12 digits.
func ShortDigest(d string) string {
	if len(d) > 19 {
		return d[:19]
	}
	return d
}

// If is text if the condition holds, else empty.
func If(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}
