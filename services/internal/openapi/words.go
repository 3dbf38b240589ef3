package openapi

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hubledger/services/internal/access"
	"hubledger/services/internal/endpoint"
)

// schemaName is what the OpenAPI document, and so the code that client generators
// make, calls a type: its own name, but for huma's errors.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	switch name {
	case "ErrorModel":
		return "Problem"
	case "ErrorDetail":
		return "ProblemDetail"
	}
	if of, ok := strings.CutPrefix(name, "List"); ok {
		return of + "List"
	}
	if strings.HasSuffix(t.PkgPath(), "/buildrule") {
		return "BuildRule" + name
	}
	return name
}

// describeEvents describes the types of package events that are part of the API.
func describeEvents(schemas huma.Registry) {
	for name, s := range schemas.Map() {
		t := schemas.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		if isEvents(t) {
			describeFields(t, s)
		}
		for i := range t.NumField() { // one of them may be a part of a type of the API
			if f := t.Field(i); f.Anonymous && isEvents(f.Type) {
				describeFields(f.Type, s)
			}
		}
	}
}

func isEvents(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && strings.HasSuffix(t.PkgPath(), "/events")
}

// describeFields says of the fields of a type of package events what their event's
// schema says.
func describeFields(t reflect.Type, s *huma.Schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if p := s.Properties[name]; p != nil && p.Description == "" {
			about := f.Tag.Get("jsonschema")
			p.Description = strings.ToUpper(about[:1]) + about[1:]
		}
	}
}

// permissionWords say in the document who may use an operation.
var permissionWords = map[access.Permission]string{
	access.Open:                          "For everybody: no credentials are looked at.",
	access.Anyone:                        "For everybody, logged in or not; shows what the caller may see.",
	access.SignedIn:                      "For every account.",
	access.FullAccount:                   "For users, with a credential that is not limited: a password, a token of level admin for all repositories, or a session that either opened.",
	access.Self:                          "For that user, with a credential that is not limited.",
	access.SelfOrHubAdmin:                "For that user and administrators of the hub, with a credential that is not limited.",
	access.HubAdmin:                      "For administrators of the hub, with a credential that is not limited.",
	access.NamespaceMember:               "For members of the organization, or the user whose namespace it is.",
	access.NamespaceWriter:               "For those who may push to all repositories of the namespace.",
	access.NamespaceAdmin:                "For owners of the organization, or the user whose namespace it is.",
	access.OwnMembershipOrNamespaceAdmin: "For that member, with a credential that is not limited, and for owners of the organization.",
	access.RepositoryRead:                "For those who may pull from the repository.",
	access.RepositoryWrite:               "For those who may push to the repository.",
	access.RepositoryDelete:              "For those who may delete from the repository.",
	access.RepositoryAdmin:               "For those who have the role admin on the repository.",
}

// described is what the document says of an operation.
func described(op Operation) string {
	return strings.TrimSpace(op.About + "\n\n" + permissionWords[op.Permission])
}

const idempotencyAbout = "Makes it safe to send the request again: within 24 hours the same key with the same request gets the first " +
	"answer and changes nothing; what was refused is judged anew. A random UUID is a good key; take another one for every change."

// parametersOf documents the Idempotency-Key of writes, which the endpoint reads.
func parametersOf(op Operation) []*huma.Param {
	if op.Method == http.MethodGet || op.Permission == access.Open {
		return nil
	}
	return []*huma.Param{{Name: "Idempotency-Key", In: "header", Description: idempotencyAbout, Example: "4f0c7f5e-8a59-4f0e-9b53-0c2f8a3c1d11",
		Schema: &huma.Schema{Type: "string", MinLength: ptr(endpoint.MinKey), MaxLength: ptr(endpoint.MaxKey)}}}
}

// errorsOf lists the errors of an operation; huma adds 422 and 500.
func errorsOf(op Operation) []int {
	list := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if op.Method != http.MethodGet {
		list = append(list, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusInsufficientStorage)
	}
	return list
}

// openAnswers allows more fields in answers, so that strict clients do not fail
// when some are added. Requests with unknown fields are refused.
func openAnswers(doc *huma.OpenAPI) {
	schemas, sent := doc.Components.Schemas.Map(), map[string]bool{}
	var send func(s *huma.Schema)
	send = func(s *huma.Schema) {
		if name := strings.TrimPrefix(s.Ref, "#/components/schemas/"); s.Ref != "" && !sent[name] {
			sent[name] = true
			send(schemas[name])
		}
		for _, of := range s.Properties {
			send(of)
		}
		if s.Items != nil {
			send(s.Items)
		}
	}
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Post, path.Put, path.Patch} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			for _, body := range op.RequestBody.Content {
				send(body.Schema)
			}
		}
	}
	for name, s := range schemas {
		if !sent[name] {
			s.AdditionalProperties = nil
		}
	}
}
