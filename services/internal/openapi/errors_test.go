package openapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

type nobody struct{}

func (nobody) Authenticate(*http.Request) (access.Principal, error) { return access.Operates, nil }

// A refusal is small whatever was sent, lists twenty errors, and says how many
// there are beside them.
func TestRefusalsAreSmall(t *testing.T) {
	api := openapi.New(endpoint.New(endpoint.Config{Auth: nobody{}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}), "1")
	openapi.Add(api, openapi.Operation{Method: "POST", Path: "/x", ID: "x", Permission: access.Anyone, Cost: budget.Light}, func(context.Context, *endpoint.Call, *struct {
		Topic string `query:"topic"`
		Body  struct {
			Topics []string `json:"topics" maxItems:"3"`
		}
	}) (*openapi.Answer[nothing], error) {
		t.Error("it was served")
		return nil, nil
	})
	router, err := service.NewRouter([]service.Service{{Name: "api", Routes: api.Routes()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var parameters []string
	for n := range 1000 {
		parameters = append(parameters, fmt.Sprint("x", n))
	}
	for _, c := range []struct{ what, query, body, more string }{
		{"elements", "", `{"topics":[0` + strings.Repeat(",0", 900) + `]}`, "and 882 more"},
		{"names of members", "", `{"topics":[],"` + strings.Repeat("é", 500_000) + `":1}`, ""},
		{"members", "", `{"topics":[]` + strings.Repeat(`,"`+strings.Repeat("x", 1000)+`":1`, 900) + `}`, ""},
		{"a value", "", `{"topics":"` + strings.Repeat("x", 1_000_000) + `"}`, ""},
		{"no JSON", "", `{"topics":[` + strings.Repeat("x", 1_000_000), ""},
		{"a parameter's name", "?" + strings.Repeat("x", 4_000) + "=1", `{"topics":[]}`, ""},
		{"parameters", "?" + strings.Join(parameters, "&"), `{"topics":[]}`, "and 980 more"},
	} {
		r := httptest.NewRequest("POST", "/api/v1/x"+c.query, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		var p struct {
			Errors []struct{ Message, Location string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d, %v", c.what, w.Code, err)
		}
		if w.Body.Len() > 16<<10 || len(p.Errors) > 21 {
			t.Errorf("%s: %d bytes, %d errors", c.what, w.Body.Len(), len(p.Errors))
		}
		if c.more == "" {
			continue
		}
		if last := p.Errors[len(p.Errors)-1]; last.Message != c.more || last.Location != "" {
			t.Errorf("%s: the last error is %+v", c.what, last)
		}
	}
}
