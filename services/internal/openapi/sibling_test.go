package openapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

type nothing struct{}

// The operations of several services are endpoints of each, and one document,
// which is whole whatever service was made last.
func TestOneDocument(t *testing.T) {
	first := openapi.New(endpoint.New(endpoint.Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}), "1.2.3")
	first.ServeDocument()
	second := first.Sibling()
	second.AddTag("greetings", "What people say to each other.")
	add := func(a *openapi.API, path, id, tag string) {
		openapi.Add(a, openapi.Operation{Method: "GET", Path: path, ID: id, Tag: tag, Permission: access.Anyone, Cost: budget.Light, Summary: "Show " + id},
			func(context.Context, *endpoint.Call, *struct{}) (*openapi.Answer[nothing], error) {
				return openapi.Show(nothing{}), nil
			})
	}
	add(first, "/users", "list-users", "users")
	add(second, "/greetings", "list-greetings", "greetings")
	if a, b := len(first.Routes()), len(second.Routes()); a != 3 || b != 1 || second.Routes()[0].Pattern != "/api/v1/greetings" {
		t.Errorf("%d and %d routes: %v", a, b, second.Routes())
	}
	router, err := service.NewRouter([]service.Service{{Name: "first", Routes: first.Routes()}, {Name: "second", Routes: second.Routes()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/openapi.json", "/api/v1/openapi.yaml"} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		for _, want := range []string{"list-users", "list-greetings", "What people say", "1.2.3"} {
			if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d lacks %q", path, w.Code, want)
			}
		}
	}
}
