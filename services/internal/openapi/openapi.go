// Package openapi has the operations of the hub's own API below /api/v1: each
// is declared once, as an endpoint and as an entry of the OpenAPI document.
package openapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/service"
)

// Prefix is where the hub's own API lives.
const Prefix = "/api/v1"

// An Operation is one entry of the API: what the OpenAPI document says of it,
// who may use it, and what it costs.
type Operation struct {
	Method, Path string // below Prefix
	ID           string // operationId, such as list-users
	Tag          string // the noun it belongs to
	Permission   access.Permission
	Cost         budget.Cost
	Summary      string // one line
	About        string // more, "" for nothing
	Status       int    // of success; 0 is 200
}

// An API is the operations of one service, and the document of all services.
type API struct {
	*endpoint.Set
	config huma.Config // with the document
	huma   huma.API
}

// New makes an API without operations whose endpoints are added to set.
func New(set *endpoint.Set, version string) *API {
	return newAPI(set, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Hubledger", Version: version, Description: apiAbout},
			Servers: []*huma.Server{{URL: Prefix}},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: securitySchemes,
			},
			Tags: tags,
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{boundErrors},
	})
}

func newAPI(set *endpoint.Set, c huma.Config) *API {
	a := &API{Set: set, config: c}
	a.huma = huma.NewAPI(c, adapter{a})
	return a
}

// Sibling is the API of another service: its operations are endpoints of that
// service, and entries of the same document.
func (a *API) Sibling() *API { return newAPI(a.Set.Sibling(), a.config) }

// AddTag adds a noun to the document, which operations belong to.
func (a *API) AddTag(name, description string) {
	doc := a.huma.OpenAPI()
	doc.Tags = append(slices.Clip(doc.Tags), &huma.Tag{Name: name, Description: description})
}

// Where a huma.Operation keeps its Permission and its Cost.
const permissionKey, costKey = "permission", "cost"

// adapter mounts huma's operations as endpoints.
type adapter struct{ *API }

// ServeHTTP is not used: requests come by the endpoints.
func (adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func (a adapter) Handle(op *huma.Operation, serve func(huma.Context)) {
	need, _ := op.Metadata[permissionKey].(access.Permission)
	cost, _ := op.Metadata[costKey].(budget.Cost)
	// A repository's name may have slashes.
	pattern := Prefix + strings.Replace(op.Path, "{name}", "{name...}", 1)
	a.Add(service.Route{Method: op.Method, Pattern: pattern, Permission: need, Cost: cost, Serve: func(w http.ResponseWriter, r *http.Request) {
		serve(humago.NewContext(op, r, w))
	}}, endpoint.AsProblem)
}

// Add adds an operation. Errors of run are answered as problems.
func Add[I, O any](a *API, op Operation, run func(ctx context.Context, c *endpoint.Call, in *I) (*O, error)) {
	add(a, op, nil, run)
}

// add is Add of an operation whose document says these responses, and those that
// follow from I, O and op.
func add[I, O any](a *API, op Operation, responses map[string]*huma.Response, run func(ctx context.Context, c *endpoint.Call, in *I) (*O, error)) {
	security := []map[string][]string{{"basic": {}}, {"bearer": {}}}
	switch op.Permission {
	case access.Open:
		security = []map[string][]string{{}}
	case access.Anyone, access.RepositoryRead:
		if endpoint.ReadOnly(op.Method) {
			security = append(security, map[string][]string{})
		}
	}
	huma.Register(a.huma, huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: described(op),
		Tags: []string{op.Tag}, DefaultStatus: op.Status, Security: security, Metadata: map[string]any{permissionKey: op.Permission, costKey: op.Cost},
		// The endpoint has read the body already.
		MaxBodyBytes: endpoint.MaxBody, BodyReadTimeout: -1,
		Parameters: parametersOf(op), Errors: errorsOf(op), Responses: responses,
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := run(ctx, endpoint.CallOf(ctx), in)
		if err != nil {
			return nil, a.Problem(ctx, op.ID, err)
		}
		return out, nil
	})
}

func ptr[T any](v T) *T { return &v }
