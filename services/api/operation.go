package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// apiPrefix is where the hub's own API lives.
const apiPrefix = "/api/v1"

// An operation is one entry of the API: what the OpenAPI document says of it,
// and who may use it.
type operation struct {
	method, path string // below /api/v1
	id           string // operationId, such as list-users
	tag          string // the noun it belongs to
	summary      string // one line
	about        string // more, "" for nothing
	status       int    // of success; 0 is 200
}

// adapter mounts huma's operations as routes of the hub.
type adapter struct{ *API }

func (a adapter) Handle(op *huma.Operation, serve func(huma.Context)) {
	rt := Route{Method: op.Method, Path: apiPrefix + op.Path, Permission: permissions[op.OperationID]}
	a.route(rt, asProblemJSON, func(w http.ResponseWriter, r *http.Request) {
		serve(humago.NewContext(op, r, w))
	})
}

func (s *API) newAPI() huma.API {
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Hubledger", Version: s.Version, Description: apiAbout},
			Servers: []*huma.Server{{URL: apiPrefix}},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: securitySchemes,
			},
			Tags: tags,
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{withoutValues},
	}
	return huma.NewAPI(c, adapter{s})
}

// withoutValues takes what a client sent out of what it is told about it: it
// may be a password, and errors get copied around.
func withoutValues(_ huma.Context, _ string, body any) (any, error) {
	if e, ok := body.(*huma.ErrorModel); ok {
		e.Type = "about:blank"
		for _, detail := range e.Errors {
			detail.Value = nil
		}
	}
	return body, nil
}

// add makes an operation. Whatever run returns as an error is answered as a problem.
func add[I, O any](s *API, op operation, run func(ctx context.Context, c *call, in *I) (*O, error)) {
	security := []map[string][]string{{"basic": {}}, {"bearer": {}}}
	switch permissions[op.id] {
	case Open:
		security = []map[string][]string{{}}
	case Anyone, RepositoryRead:
		if reads(op.method) {
			security = append(security, map[string][]string{})
		}
	}
	huma.Register(s.api, huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Description: described(op),
		Tags: []string{op.tag}, DefaultStatus: op.status, Security: security,
		// The route has read the body already.
		MaxBodyBytes: maxBody, BodyReadTimeout: -1,
		Parameters: parametersOf(op), Errors: errorsOf(op),
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := run(ctx, callOf(ctx), in)
		if err != nil {
			return nil, s.problem(ctx, op.id, err)
		}
		return out, nil
	})
}

func ptr[T any](v T) *T { return &v }

func (s *API) registerAPI() {
	s.registerUser()
	s.registerUsers()
	s.registerPersons()
	s.registerTokens()
	s.registerOrganizations()
	s.registerMembers()
	s.registerTeams()
	s.registerRobots()
	s.registerRepositoryLists()
	s.registerRepository()
	s.registerReading()
	s.registerTags()
	s.registerPolicy()
	s.registerCleanup()
	s.registerGrants()
	s.registerNamespaces()
	s.registerDeleted()
}
