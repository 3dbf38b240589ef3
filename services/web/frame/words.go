package frame

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hubledger/services/internal/apitypes"
)

// functions are what templates may call.
func (s *Site) functions() template.FuncMap {
	return template.FuncMap{
		"asset":     func(name string) string { return s.assets.address[name] },
		"dict":      dict,
		"list":      func(of ...any) []any { return of },
		"time":      timeTag,
		"size":      Size,
		"number":    Number,
		"plural":    Plural,
		"short":     Short,
		"lines":     func(text string) []string { return strings.Split(text, "\n") },
		"join":      strings.Join,
		"took":      Took,
		"repo":      RepoPage,
		"tag":       TagPage,
		"image":     func(repo, digest string) string { return RepoPage(repo) + "/-/images/" + url.PathEscape(digest) },
		"event":     func(seq any) string { return fmt.Sprintf("/events/%v", seq) },
		"who":       func(name string) string { return "/users/" + url.PathEscape(name) },
		"build":     func(id string) string { return "/builds/" + url.PathEscape(id) },
		"app":       AppPage,
		"other":     OtherColour,
		"hostState": HostState,
		"moreThan":  func(all, shown int) int { return max(0, all-shown) },
		"shortID":   apitypes.ShortID,
		"deref":     func(is *bool) bool { return is != nil && *is },
		"robotPage": func(name string) string {
			organization, robot, _ := strings.Cut(name, "+")
			return "/n/" + url.PathEscape(organization) + "/-/robots/" + url.PathEscape(robot)
		},
		"shortRef": func(ref string) string {
			return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
		},
		"shortCommit":   func(id string) string { return id[:min(len(id), 7)] },
		"pull":          PullCommand,
		"reference":     Reference,
		"sentence":      sentence,
		"state":         stateOf,
		"query":         queryValue,
		"cut":           Cut,
		"then":          then,
		"chosen":        chosen,
		"percent":       func(part, whole any) string { return strconv.FormatFloat(share(part, whole), 'f', 1, 64) + "%" },
		"stateNow":      Standing,
		"stateDeployed": func(d apitypes.Deployment) State { return Standing(apitypes.AppNow{Step: d.Step, Outcome: d.Outcome}) },
		"stepName":      stepName,
	}
}

// Cut is a text of at most n characters: of a longer one the beginning. Where it is used another page has all
// of it.
func Cut(n int, text string) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// dict is a template's way to hand several values to another: names and values.
func dict(pairs ...any) (map[string]any, error) {
	m := map[string]any{}
	for k := 0; k+1 < len(pairs); k += 2 {
		name, ok := pairs[k].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[k])
		}
		m[name] = pairs[k+1]
	}
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %v has no value", pairs[len(pairs)-1])
	}
	return m, nil
}

// queryValue is a text as a value in the query of an address. Its type says that it is
// escaped already: html/template would do it again.
func queryValue(text string) template.URL { return template.URL(url.QueryEscape(text)) }

// RepoPage is the address of a repository's page.
func RepoPage(name string) string { return (&url.URL{Path: "/r/" + name}).EscapedPath() }

// TagPage is the address of the page of a repository's tag.
func TagPage(repo, tag string) string { return RepoPage(repo) + "/-/tags/" + url.PathEscape(tag) }

// AppPage is the address of the page of an application, by its full name, or, below it, of
// an environment or something else.
func AppPage(name string, below ...string) string {
	at := (&url.URL{Path: "/apps/" + name}).EscapedPath()
	for _, part := range below {
		at += "/" + url.PathEscape(part)
	}
	return at
}

// timeTag is a time, or a pointer to one, as people read it: how long ago, with the exact
// time in UTC behind it. Nothing for a time that is not known.
func timeTag(at any) template.HTML {
	var t time.Time
	switch at := at.(type) {
	case time.Time:
		t = at
	case *time.Time:
		if at != nil {
			t = *at
		}
	case string:
		t, _ = time.Parse(time.RFC3339, at)
	}
	if t.IsZero() {
		return ""
	}
	exact := t.UTC().Format(time.RFC3339)
	return template.HTML(`<time datetime="` + exact + `" title="` + t.UTC().Format("2006-01-02 15:04:05") + ` UTC">` + Ago(t, time.Now()) + `</time>`)
}

// Ago says how long before or after now a time is, such as "12 min ago" or "in 3 days".
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	form := "%s ago"
	if d < 0 {
		d, form = -d, "in %s"
	}
	switch {
	case d < 5*time.Second && form == "%s ago":
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf(form, fmt.Sprintf("%d s", int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d min", int(d.Minutes())))
	case d < 24*time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d h", int(d.Hours())))
	case d < 60*24*time.Hour:
		return fmt.Sprintf(form, Plural(int(d.Hours()/24), "day", "days"))
	}
	return t.UTC().Format("2 Jan 2006")
}

// Took is a duration in seconds, as people read it.
func Took(seconds any) string {
	var s float64
	switch n := seconds.(type) {
	case float64:
		s = n
	case time.Duration:
		s = n.Seconds()
	}
	switch {
	case s < 10:
		return strconv.FormatFloat(s, 'f', 1, 64) + " s"
	case s < 60:
		return fmt.Sprintf("%.0f s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60)
	}
	return fmt.Sprintf("%d h %02d min", int(s)/3600, int(s)/60%60)
}

// Size is a number of bytes in decimal units, as docker shows it.
func Size(of any) string {
	bytes, err := strconv.ParseInt(fmt.Sprint(of), 10, 64)
	if err != nil {
		return fmt.Sprint(of)
	}

	const units = "kMGTPE"
	if bytes < 1000 {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	n, unit := float64(bytes), -1
	for n >= 999.5 && unit < len(units)-1 {
		n /= 1000
		unit++
	}
	digits := 1
	if n >= 99.95 {
		digits = 0
	}
	return strconv.FormatFloat(n, 'f', digits, 64) + " " + units[unit:unit+1] + "B"
}

// Number is a whole number with its thousands apart.
func Number(n any) string {
	s := fmt.Sprint(n)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for k := len(s) - 3; k > 0; k -= 3 {
		s = s[:k] + "," + s[k:]
	}
	return sign + s
}

// Plural is a number and its noun.
func Plural(n any, one, many string) string {
	if text := fmt.Sprint(n); text != "1" {
		return Number(n) + " " + many
	}
	return "1 " + one
}

// Short is the beginning of a digest, long enough for people to tell two apart.
func Short(digest any) string {
	s := fmt.Sprint(digest)
	algorithm, hex, ok := strings.Cut(s, ":")
	if !ok {
		return s[:min(len(s), 12)]
	}
	return algorithm + ":" + hex[:min(len(hex), 12)]
}

func share(part, whole any) float64 {
	p, _ := strconv.ParseFloat(fmt.Sprint(part), 64)
	w, _ := strconv.ParseFloat(fmt.Sprint(whole), 64)
	if w <= 0 {
		return 0
	}
	return min(100, 100*p/w)
}

// A State is told by icon, word and colour.
type State struct{ Icon, Word, Class string }

// states are the words of the API for how things stand.
var states = map[string]State{
	"waiting": {"◷", "waiting", "quiet"}, "running": {"●", "running", "busy"}, "pushed": {"●", "setting tags", "busy"},
	"succeeded": {"✓", "succeeded", "ok"}, "failed": {"✗", "failed", "bad"}, "cancelled": {"⊘", "cancelled", "quiet"},
	"superseded": {"⊘", "superseded", "quiet"}, "lost": {"✗", "lost", "bad"},
	"connected": {"✓", "connected", "ok"}, "away": {"✗", "away", "bad"}, "invited": {"◷", "invited", "quiet"},
	"there": {"✓", "there", "ok"}, "deleted": {"⊘", "deleted", "busy"}, "gone": {"✗", "gone", "bad"},
	"pass": {"✓", "pass", "ok"}, "fail": {"✗", "fail", "bad"}, "inconclusive": {"…", "inconclusive", "busy"}, "none": {"◷", "not measured yet", "quiet"},
	"promoted": {"✓", "promoted", "ok"}, "rolled_back": {"⊘", "rolled back", "busy"}, "refused": {"✗", "refused", "bad"}, "held": {"◐", "held", "busy"},
	"public": {"○", "public", "quiet"}, "private": {"●", "private", "quiet"},
}

// stateOf is the state of that word; of a build the outcome counts before the state.
func stateOf(words ...string) State {
	word := cmp.Or(words...)
	return cmp.Or(states[word], State{"·", word, "quiet"})
}
