package openapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/service"
)

const apiAbout = `Accounts, rights, the catalog and search of a Hubledger.

Send a login name with its password or access token as Basic, or a session of ` + "`POST /v2/users/login`" + ` or an access token as
Bearer. What is public can be read without. What the caller may not see is answered 404, as what is not there.

Errors are problems of RFC 9457: ` + "`detail`" + ` is for people, ` + "`errors`" + ` names the fields that are wrong. 409, 429 and 503 with
Retry-After are worth another try.

Every change is an event, and answers with its sequence in the log, as ` + "`seq`" + ` and in the header Hubledger-Sequence, when it can
be read back. With an Idempotency-Key it is safe to send again.

Lists have at most ` + "`limit`" + ` entries (25 unless told, 100 at most) and, when there are more, ` + "`next`" + ` and a Link header with the
address of the next page. Those without a ` + "`limit`" + ` are whole. Times are RFC 3339 in UTC, sizes are bytes.

The name of a repository is that of its namespace and the rest; slashes in the rest may be written as they are or as
%2F. ` + "`library/busybox`" + ` is the top-level image busybox.`

// tags are the nouns of the document, in the order in which it shows them.
var tags = []*huma.Tag{
	{Name: "users", Description: "People, their passwords and addresses."},
	{Name: "tokens", Description: "Access tokens of users and robot accounts."},
	{Name: "organizations", Description: "Organizations, their members, teams and robot accounts."},
	{Name: "repositories", Description: "The catalog: what there is, who may use it, and what becomes of it."},
	{Name: "tags", Description: "Tags and the images that they name."},
	{Name: "namespaces", Description: "What a user or an organization has, and how much of it."},
	{Name: "search", Description: "Finding repositories."},
}

var securitySchemes = map[string]*huma.SecurityScheme{
	"basic":  {Type: "http", Scheme: "basic", Description: "Login name and password, or login name and access token."},
	"bearer": {Type: "http", Scheme: "bearer", Description: "A session from POST /v2/users/login, or an access token."},
}

// ServeDocument serves the OpenAPI document. It is written when it is asked for
// first: by then every service has added its operations.
func (a *API) ServeDocument() {
	doc := sync.OnceValue(func() *huma.OpenAPI {
		openAnswers(a.huma.OpenAPI())
		describeEvents(a.huma.OpenAPI().Components.Schemas)
		return a.huma.OpenAPI()
	})
	a.serveText("/openapi.json", "application/openapi+json", sync.OnceValues(func() ([]byte, error) { return json.Marshal(doc()) }))
	a.serveText("/openapi.yaml", "application/openapi+yaml", sync.OnceValues(func() ([]byte, error) { return doc().YAML() }))
}

func (a *API) serveText(path, contentType string, text func() ([]byte, error)) {
	a.Add(service.Route{Method: http.MethodGet, Pattern: Prefix + path, Permission: access.Open, Cost: budget.Light, Serve: func(w http.ResponseWriter, r *http.Request) {
		data, err := text()
		if err != nil {
			a.Problem(r.Context(), r.Pattern, fmt.Errorf("write the OpenAPI document: %w", err)).Write(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Write(data)
	}}, endpoint.AsProblem)
}
