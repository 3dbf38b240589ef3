package endpoint

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/service"
)

// A lagging is read models that are behind until somebody waits for them.
type lagging struct{ behind, asked int }

func (l *lagging) Wait(context.Context, uint64) error {
	l.behind = 0
	return nil
}

// LastSeq is asked once for each answer that is about to be "missing".
func (l *lagging) LastSeq(context.Context) (uint64, error) {
	l.asked++
	return 1, nil
}

func (l *lagging) Position() uint64 { return uint64(1 - l.behind) }

func (l *lagging) Look() command.Look { return command.NewLook(l, l) }

// What is missing only because a read model is behind is found by the second look. What is
// not there, and whatever was answered otherwise, is looked for once.
func TestMissingIsLookedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		method        string
		found, behind bool // at the first look
		writes        bool // before it is missed
		served, asked int
		status        int
	}{
		"there":                   {"GET", true, true, false, 1, 0, 200},
		"behind":                  {"GET", false, true, false, 2, 1, 200},
		"behind, HEAD":            {"HEAD", false, true, false, 2, 1, 200},
		"not there":               {"GET", false, false, false, 1, 1, 404},
		"a change":                {"PUT", false, true, false, 2, 1, 200},
		"a change of what is not": {"PUT", false, false, false, 1, 1, 404},
		"a change that has begun": {"PUT", false, true, true, 1, 0, 404},
	} {
		t.Run(name, func(t *testing.T) {
			models := &lagging{}
			if c.behind {
				models.behind = 1
			}
			s := New(Config{Auth: always{access.Operates}, ReadModels: models, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			served, method := 0, c.method
			if method == "HEAD" {
				method = "GET" // has a HEAD, too
			}
			s.Add(service.Route{Method: method, Pattern: "/api/v1/x", Permission: access.Anyone, Cost: budget.Light, Serve: func(w http.ResponseWriter, r *http.Request) {
				served++
				body, err := io.ReadAll(r.Body)
				if err != nil || c.method == "PUT" && string(body) != `{"a":1}` {
					t.Errorf("look %d has the body %q, %v", served, body, err)
				}
				if c.writes {
					if err := budget.LogBytes(r.Context(), 1, false); err != nil {
						t.Error(err)
					}
				}
				if c.found || served > 1 {
					w.Header().Set("X-Found", "yes")
					io.WriteString(w, "found")
					return
				}
				w.Header().Set("X-Missed", "yes")
				NotFound().Write(w, r)
			}}, AsProblem)
			router, err := service.NewRouter([]service.Service{{Name: "api", Routes: s.Routes(), NotServed: NotServed}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			tab, err := budget.New(budget.Config{AtOnce: 10}).Open(netip.MustParseAddr("192.0.2.1"), budget.Light)
			if err != nil {
				t.Fatal(err)
			}
			defer tab.Close()
			body := ""
			if c.method == "PUT" {
				body = `{"a":1}`
			}
			r := httptest.NewRequest(c.method, "/api/v1/x", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			router.ServeHTTP(w, r.WithContext(budget.With(r.Context(), tab)))
			if w.Code != c.status || served != c.served || models.asked != c.asked {
				t.Errorf("%d after %d looks and %d waits: %s", w.Code, served, models.asked, w.Body)
			}
			if missed := w.Header().Get("X-Missed"); (missed != "") != (c.status == 404) || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("its header is %v", w.Header())
			}
		})
	}
}

// What is sent piece by piece is not held back.
func TestAnswersFlow(t *testing.T) {
	s := New(Config{Auth: always{access.Operates}, ReadModels: &lagging{}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w := httptest.NewRecorder()
	s.Add(service.Route{Method: "GET", Pattern: "/api/v1/x", Permission: access.Anyone, Cost: budget.Light, Serve: func(to http.ResponseWriter, r *http.Request) {
		to.Header().Set("Content-Type", "text/plain")
		if err := http.NewResponseController(to).Flush(); err != nil || !w.Flushed || w.Header().Get("Content-Type") != "text/plain" {
			t.Errorf("flushed %t, %v, %v", w.Flushed, err, w.Header())
		}
		io.WriteString(to, "piece")
		if w.Body.String() != "piece" {
			t.Errorf("sent is %q", w.Body)
		}
	}}, AsProblem)
	s.Routes()[0].Serve(w, httptest.NewRequest("GET", "/api/v1/x", nil))
}
