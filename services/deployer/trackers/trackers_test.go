package trackers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/deployment"
	"hubledger/services/internal/operations"
)

func TestEveryTrackerHasAFormat(t *testing.T) {
	if len(formats) != len(deployment.Trackers) {
		t.Errorf("there are %d formats", len(formats))
	}
	for _, name := range deployment.Trackers {
		if formats[name] == nil {
			t.Errorf("%s has none", name)
		}
	}
}

// Reports as trackers send them, shortened to what is read and what stands beside it.
func TestRead(t *testing.T) {
	for k, row := range []struct {
		format, resource, body string
		want                   []Report
	}{
		{"sentry", "event_alert", `{"action":"triggered","data":{"event":{"issue_id":"1117540176","title":"ReferenceError","release":"3","tags":[["level","error"],["hubledger_colour","green"]]},"triggered_rule":"x"}}`,
			[]Report{{"1117540176", "ReferenceError", "3", "green", false}}},
		{"sentry", "event_alert", `{"data":{"event":{"issue_id":17,"title":"t","release":"shop@abc","tags":[["hubledger.release","4"]]}}}`, []Report{{"17", "t", "4", "", false}}},
		{"sentry", "issue", `{"action":"resolved","data":{"issue":{"id":"17","title":"t"}}}`, []Report{{"17", "t", "", "", true}}},
		{"sentry", "issue", `{"action":"created","data":{"issue":{"id":"17","title":"t"}}}`, nil},
		{"sentry", "installation", `{}`, nil},
		{"bugsnag", "", `{"trigger":{"type":"firstException"},"error":{"errorId":"e1","exceptionClass":"Boom","status":"open","app":{"version":"3","releaseStage":"production"},"metaData":{"hub":{"HUBLEDGER_COLOUR":"green"}}}}`,
			[]Report{{"e1", "Boom", "3", "green", false}}},
		{"bugsnag", "", `{"trigger":{"type":"exception"},"error":{"errorId":"e1","exceptionClass":"Boom","appVersion":"3"}}`, []Report{{"e1", "Boom", "3", "", false}}},
		{"bugsnag", "", `{"trigger":{"type":"errorStateManualChange"},"error":{"errorId":"e1","exceptionClass":"Boom","status":"fixed","app":{"version":"3"}}}`, []Report{{"e1", "Boom", "", "", true}}},
		{"bugsnag", "", `{"trigger":{"type":"projectSpiking"},"project":{}}`, nil},
		{"rollbar", "", `{"event_name":"new_item","data":{"item":{"id":272505123,"title":"Boom","last_occurrence":{"code_version":"3","custom":{"hubledger_colour":"blue"}}}}}`,
			[]Report{{"272505123", "Boom", "3", "blue", false}}},
		{"rollbar", "", `{"event_name":"resolved_item","data":{"item":{"id":272505123,"title":"Boom"}}}`, []Report{{"272505123", "Boom", "", "", true}}},
		{"rollbar", "", `{"event_name":"deploy","data":{"deploy":{}}}`, nil},
		{"honeybadger", "", `{"event":"occurred","fault":{"id":3151009,"klass":"RuntimeError","environment":"production"},"notice":{"revision":"3","context":{"hubledger_colour":"green"}}}`,
			[]Report{{"3151009", "RuntimeError", "3", "green", false}}},
		{"honeybadger", "", `{"event":"occurred","fault":{"id":3151009,"klass":"RuntimeError","environment":"production-green"}}`, []Report{{"3151009", "RuntimeError", "", "green", false}}},
		{"honeybadger", "", `{"event":"resolved","fault":{"id":3151009,"klass":"RuntimeError","environment":"production"}}`, []Report{{"3151009", "RuntimeError", "", "", true}}},
		{"honeybadger", "", `{"event":"deployed","deploy":{}}`, nil},
		{"alertmanager", "", `{"version":"4","groupKey":"{}","alerts":[{"status":"firing","fingerprint":"f1","labels":{"alertname":"Errors","colour":"Green","release":"3"}},{"status":"resolved","fingerprint":"f2","labels":{"alertname":"Slow","color":"blue"}}]}`,
			[]Report{{"f1", "Errors", "3", "green", false}, {"f2", "Slow", "", "blue", true}}},
	} {
		t.Run(row.format+" "+strconv.Itoa(k), func(t *testing.T) {
			header := http.Header{}
			if row.resource != "" {
				header.Set("Sentry-Hook-Resource", row.resource)
			}
			got, err := Read(row.format, header, []byte(row.body))
			if err != nil || !reflect.DeepEqual(got, row.want) {
				t.Errorf("%+v, %v, want %+v", got, err, row.want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, row := range [][2]string{{"sentry", `{}`}, {"bugsnag", `{}`}, {"rollbar", `{"data":{}}`}, {"honeybadger", `{}`}, {"alertmanager", `{"alerts":{}}`},
		{"rollbar", `{"event_name":"new_item","data":{"item":{}}}`}, {"alertmanager", `{"alerts":[3]}`}, {"bugsnag", `[]`}, {"bugsnag", ``}, {"other", `{}`}} {
		if _, err := Read(row[0], http.Header{}, []byte(row[1])); !errors.Is(err, ErrShape) {
			t.Errorf("%s: %s: %v", row[0], row[1], err)
		}
	}
	many := `{"alerts":[` + strings.Repeat(`{"fingerprint":"f"},`, 5000) + `{"fingerprint":"f"}]}`
	if list, err := Read("alertmanager", nil, []byte(many)); err != nil || len(list) != maxReports {
		t.Errorf("%d, %v", len(list), err)
	}
	list, err := Read("rollbar", nil, []byte(`{"event_name":"new_item","data":{"item":{"id":"`+strings.Repeat("é", 300)+`","title":"a\u0000b"}}}`))
	if err != nil || len(list[0].Issue) > maxWord || list[0].Title != "ab" {
		t.Errorf("%+v, %v", list, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("sentry", `{"data":{"event":{"issue_id":1,"tags":[["a","b"]]}}}`)
	f.Add("alertmanager", `{"alerts":[{"labels":[]}]}`)
	f.Fuzz(func(t *testing.T, format, body string) {
		list, err := Read(format, http.Header{"Sentry-Hook-Resource": {"event_alert"}}, []byte(body))
		for _, r := range list {
			if err == nil && (r.Issue == "" || len(r.Issue) > maxWord || strings.ContainsRune(r.Title, 0)) {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestSigned(t *testing.T) {
	key, body := []byte("key"), []byte("{}")
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	right := http.Header{"Sentry-Hook-Signature": {hex.EncodeToString(mac.Sum(nil))}}
	if !Signed(key, right, body) {
		t.Error("what is signed is refused")
	}
	for name, ok := range map[string]bool{"another key": Signed([]byte("other"), right, body), "another body": Signed(key, right, []byte("[]")), "no key": Signed(nil, right, body),
		"no signature": Signed(key, http.Header{}, body), "no hex": Signed(key, http.Header{"Sentry-Hook-Signature": {"x"}}, body)} {
		if ok {
			t.Error(name, "is taken")
		}
	}
}

// An issue counts once for each colour, and what both have does not count against the new one.
// Traffic is counted over restarts of a balancer.
func TestIssues(t *testing.T) {
	ops, err := operations.Open(t.Context(), operations.Config{File: filepath.Join(t.TempDir(), "o.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer ops.Close()
	s, now := Store{ops}, time.Now()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.Define(t.Context()))
	take := func(at time.Time, reports ...Report) {
		t.Helper()
		check(s.Take(t.Context(), "d1", "bugs", reports, at))
	}
	only := func(colour string) string {
		t.Helper()
		all, err := s.Open(t.Context(), "d1", "bugs")
		check(err)
		text := ""
		for _, i := range Only(all, colour) {
			text += i.Issue
		}
		return text
	}
	take(now, Report{Issue: "a", Colour: "green"}, Report{Issue: "a", Colour: "green"}, Report{Issue: "b", Colour: "green"}, Report{Issue: "b", Colour: "blue"}, Report{Issue: "c", Colour: "blue"})
	if only("green") != "a" || only("blue") != "c" {
		t.Errorf("green has %q, blue %q", only("green"), only("blue"))
	}
	take(now.Add(time.Second), Report{Issue: "d", Colour: "green"}, Report{Issue: "a", Resolved: true}, Report{Issue: "b", Colour: "blue", Resolved: true})
	if only("green") != "bd" {
		t.Errorf("green has %q", only("green"))
	}
	take(now.Add(keep + time.Minute))
	if only("green") != "" {
		t.Errorf("after their time there are %q", only("green"))
	}
	var many []Report
	for k := range maxIssues + 5 {
		many = append(many, Report{Issue: strconv.Itoa(k), Colour: "green"})
	}
	take(now.Add(keep+time.Minute), many...)
	if all, err := s.Open(t.Context(), "d1", "bugs"); err != nil || len(all) != maxIssues {
		t.Errorf("%d are kept, %v", len(all), err)
	}
	for _, step := range []struct {
		counters map[string]int64
		want     int64
	}{{map[string]int64{"h1": 1000}, 0}, {map[string]int64{"h1": 1040, "h2": 7}, 40}, {map[string]int64{"h1": 5}, 45}, {nil, 45}} {
		if got, err := s.Traffic(t.Context(), "d1", step.counters, now); err != nil || got != step.want {
			t.Errorf("%v: %d, %v, want %d", step.counters, got, err, step.want)
		}
	}
}
