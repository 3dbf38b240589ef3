package openapi_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
	"hubledger/services/internal/service"
)

// gate lets one account do everything, as long as it says so.
type gate struct{ credential, permission atomic.Bool }

var errGone = errors.New("it is no longer good")

func (g *gate) Authenticate(*http.Request) (access.Principal, error) {
	return access.Principal{Kind: access.User, ID: "1", Name: "alice"}, nil
}

func (g *gate) Live(_ context.Context, p access.Principal) (access.Principal, error) {
	if !g.credential.Load() {
		return access.Nobody, errGone
	}
	return p, nil
}

func (g *gate) Repository(context.Context, access.Principal, string) (access.Decision, error) {
	if !g.permission.Load() {
		return access.Decision{}, nil
	}
	return access.Decision{Level: access.Write, Namespace: &accounts.Namespace{}, Repository: &accounts.Repository{}}, nil
}

func (g *gate) Namespace(context.Context, access.Principal, string) (access.Level, *accounts.Namespace, error) {
	return access.None, nil, errGone
}

func (g *gate) Wait(context.Context, uint64) error { return nil }

func (g *gate) Look() command.Look { return command.Look{} }

// An answer of events ends soon when the caller's credential or permission has gone.
func TestEventsEndWithRights(t *testing.T) {
	for what, take := range map[string]func(*gate){
		"":               func(*gate) {},
		"the credential": func(g *gate) { g.credential.Store(false) },
		"the permission": func(g *gate) { g.permission.Store(false) },
	} {
		synctest.Test(t, func(t *testing.T) {
			g := &gate{}
			g.credential.Store(true)
			g.permission.Store(true)
			api := openapi.New(endpoint.New(endpoint.Config{Auth: g, Rights: g, ReadModels: g, Leaving: t.Context(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}), "1")
			openapi.AddEvents(api, openapi.Operation{Method: http.MethodGet, Path: "/repositories/{namespace}/{name...}/live", ID: "live", Summary: "Follow", Permission: access.RepositoryWrite, Cost: budget.Transfer},
				func(context.Context, *endpoint.Call, *openapi.RepositoryPath) (func(context.Context, *openapi.Events) error, error) {
					return func(ctx context.Context, _ *openapi.Events) error {
						<-ctx.Done()
						return ctx.Err()
					}, nil
				})
			router, err := service.NewRouter([]service.Service{{Name: "api", Routes: api.Routes()}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			begun, went := time.Now(), time.Minute+time.Second
			time.AfterFunc(went, func() { take(g) })
			w := httptest.NewRecorder()
			router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/repositories/acme/app/live", nil))
			lasted := time.Since(begun)
			if w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if what == "" && lasted != 5*time.Minute || what != "" && (lasted < went || lasted > went+5*time.Second) {
				t.Errorf("without %q from %v on it has lasted %v", what, went, lasted)
			}
		})
	}
}
