// Package trackers reads what error trackers send about applications, and keeps which of their
// issues concern a deployment.
package trackers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/deployment"
)

// Bounds of a request.
const (
	MaxBody    = 1 << 20 // bytes
	maxReports = 200
	maxWord    = 200 // bytes of an issue, a release and a title
	maxDepth   = 12  // of what is looked through for a colour
)

// ErrShape: a request is not what its tracker sends; the error's text says what is missing.
var ErrShape = errors.New("this is not what the error tracker sends")

// A Report says that an issue was seen, or was resolved.
type Report struct {
	Issue string // id, as the tracker has it
	Title string // for people
	// Release and Colour are those of the containers that it was seen in, as HUBLEDGER_RELEASE and
	// HUBLEDGER_COLOUR told them; "" where the tracker does not say. A resolved issue is so everywhere
	// where it says neither.
	Release, Colour string
	Resolved        bool
}

// A document is JSON that was read.
type document map[string]any

// formats are the trackers, by what policies call them.
var formats = map[string]func(http.Header, document) ([]Report, error){
	"sentry": sentry, "bugsnag": bugsnag, "rollbar": rollbar, "honeybadger": honeybadger, "alertmanager": alertmanager,
}

// Read is what a request of a tracker says; none when it is about something else. ErrShape.
func Read(format string, header http.Header, body []byte) ([]Report, error) {
	read := formats[format]
	if read == nil {
		return nil, fmt.Errorf("%w: %.20q is none of %s", ErrShape, format, strings.Join(deployment.Trackers, ", "))
	}
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("%w: its body is no JSON object", ErrShape)
	}
	list, err := read(header, d)
	if len(list) > maxReports {
		list = list[:maxReports]
	}
	for k := range list {
		for _, text := range []*string{&list[k].Issue, &list[k].Title, &list[k].Release} {
			*text = strings.ToValidUTF8(strings.ReplaceAll((*text)[:min(len(*text), maxWord)], "\x00", ""), "")
		}
		if list[k].Issue == "" {
			return nil, fmt.Errorf("%w: it names no issue", ErrShape)
		}
		if c := strings.ToLower(list[k].Colour); c == "blue" || c == "green" {
			list[k].Colour = c
		} else {
			list[k].Colour = ""
		}
	}
	return list, err
}

// Signed says whether a request was signed with a key: the HMAC by SHA-256 of its body in
// hex, as Sentry's Sentry-Hook-Signature. It takes the same time for a wrong signature as for none.
func Signed(key []byte, header http.Header, body []byte) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	given, err := hex.DecodeString(header.Get("Sentry-Hook-Signature"))
	return hmac.Equal(given, mac.Sum(nil)) && err == nil && len(key) > 0
}

// at is what stands at a path of keys; nil for nothing.
func (d document) at(path ...string) any {
	var v any = map[string]any(d)
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// text is the text, or the number, that stands at a path first of those that have one.
func (d document) text(paths ...string) string {
	for _, path := range paths {
		switch v := d.at(strings.Split(path, ".")...).(type) {
		case string:
			if v != "" {
				return v
			}
		case float64:
			return fmt.Sprintf("%.0f", v)
		}
	}
	return ""
}

// tagged is what has one of these names anywhere in the document: as a key of an object, or
// as the first of a pair, as Sentry writes tags.
func (d document) tagged(names ...string) string { return tagged(map[string]any(d), names, maxDepth) }

func tagged(v any, names []string, depth int) string {
	if depth == 0 {
		return ""
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[key].(string); ok && isNamed(key, names) {
				return text
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if found := tagged(v[key], names, depth-1); found != "" {
				return found
			}
		}
	case []any:
		if len(v) == 2 {
			name, _ := v[0].(string)
			if text, ok := v[1].(string); ok && isNamed(name, names) {
				return text
			}
		}
		for _, one := range v {
			if found := tagged(one, names, depth-1); found != "" {
				return found
			}
		}
	}
	return ""
}

// isNamed compares names without regard to case and to what stands between words.
func isNamed(key string, names []string) bool {
	return slices.Contains(names, strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(strings.ToLower(key)))
}

// colour and release are what the application has told the tracker by its environment.
func (d document) colour() string  { return d.tagged("hubledger_colour") }
func (d document) release() string { return d.tagged("hubledger_release") }
