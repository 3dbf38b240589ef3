package eventquery

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The checks return what is wrong with a value, for people; "" for nothing.

func checkText(value string) string {
	if value == "" {
		return "there is no value"
	}
	return ""
}

var typePattern = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)?(\.v[0-9]{1,4})?(\.\*?)?$|^[a-z_]+\.[a-z_]*\*$`)

func checkType(value string) string {
	if !typePattern.MatchString(value) {
		return fmt.Sprintf("%.40q is no type of event, such as image.pushed, nor the beginning of one, such as image. or image.*", value)
	}
	return ""
}

// minDigest and minCommit are how many hexadecimal digits the beginning of a digest or
// commit has at least.
const minDigest, minCommit = 12, 7

var hexadecimal = regexp.MustCompile(`^[0-9a-fA-F]+$`)

func checkDigest(value string) string {
	if digits := DigestDigits(value); len(digits) < minDigest || len(digits) > 128 || !hexadecimal.MatchString(digits) {
		return fmt.Sprintf("%.80q is no digest, such as sha256:ab12…, nor the beginning of one with at least %d digits", value, minDigest)
	}
	return ""
}

// DigestDigits are the hexadecimal digits of a digest or of its beginning.
func DigestDigits(value string) string {
	if _, digits, ok := strings.Cut(value, ":"); ok {
		return digits
	}
	return value
}

func checkCommit(value string) string {
	if len(value) < minCommit || len(value) > 64 || !hexadecimal.MatchString(value) {
		return fmt.Sprintf("%.80q is no id of a commit, nor the beginning of one with at least %d digits", value, minCommit)
	}
	return ""
}

func checkID(value string) string {
	if _, err := uuid.Parse(value); err != nil || len(value) != 36 {
		return fmt.Sprintf("%.40q is no id of an event", value)
	}
	return ""
}

func checkTime(value string) string {
	if _, err := parseTime(value, time.Unix(0, 0)); err != nil {
		return err.Error()
	}
	return ""
}

// ago is a time before now, such as 90s, 15m, 2h, 3d or 1w.
var ago = regexp.MustCompile(`^([0-9]{1,9})([smhdw])$`)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// parseTime reads a date, which is midnight UTC, a time of RFC 3339, or how long ago
// it was.
func parseTime(value string, now time.Time) (time.Time, error) {
	if m := ago.FindStringSubmatch(value); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if most := int64(200*365*24*time.Hour) / int64(units[m[2]]); err == nil && n <= most {
			return now.Add(-time.Duration(n) * units[m[2]]), nil
		}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time: write 2026-11-01, 2026-11-01T12:00:00Z, or 2h, 3d or 1w for so long ago", value)
}

// MatchType says whether a value of the qualifier type means a type of event. A value
// without a version means every version.
func MatchType(value, name string) bool {
	if beginning, ok := strings.CutSuffix(value, "*"); ok {
		return strings.HasPrefix(name, beginning)
	}
	if strings.HasSuffix(value, ".") {
		return strings.HasPrefix(name, value)
	}
	return name == value || strings.HasPrefix(name, value+".v") && !strings.Contains(name[len(value)+2:], ".")
}
