package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaNames are those that the types of the code have other names for.
var schemaNames = map[string]string{
	"ErrorModel": "Problem", "ErrorDetail": "ProblemDetail", "WrittenBody": "Change", "RepositoryPage": "RepositoryDetails",
	"StandingInBody": "StandingRequest", "RoleBody": "RoleRequest", "NamedThing": "NameRequest", "TokenSpec": "TokenRequest", "Cleaned": "CleanupRun",
	"Preview": "CleanupPreview", "PreviewTag": "CleanupPreviewTag", "PreviewManifest": "CleanupPreviewManifest", "Freed": "CleanupFreed",
}

// schemaName is what the OpenAPI document calls a type; client generators make
// types of these names.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if other, ok := schemaNames[name]; ok {
		return other
	}
	if of, ok := strings.CutPrefix(name, "ListBody"); ok {
		return strings.TrimSuffix(of, "View") + "List"
	}
	if of, ok := strings.CutSuffix(name, "InBody"); ok {
		return of + "Request"
	}
	return strings.TrimSuffix(name, "View")
}

// permissionWords say in the document who may use an operation.
var permissionWords = map[Permission]string{
	Anyone:           "For everybody, logged in or not; shows what the caller may see.",
	SignedIn:         "For every account.",
	FullAccount:      "For users, by a credential that is good for all they may: a password, a session, or a token of level admin for all repositories.",
	Self:             "For that user, by a credential that is good for all they may.",
	SelfOrHubAdmin:   "For that user and administrators of the hub, by a credential that is good for all they may.",
	HubAdmin:         "For administrators of the hub, by a credential that is good for all they may.",
	NamespaceMember:  "For members of the organization, or the user whose namespace it is.",
	NamespaceAdmin:   "For owners of the organization, or the user whose namespace it is.",
	RepositoryRead:   "For those who may pull from the repository.",
	RepositoryWrite:  "For those who may push to the repository.",
	RepositoryDelete: "For those who may delete from the repository.",
	RepositoryAdmin:  "For those who have the role admin on the repository.",
}

// described is what the document says of an operation.
func described(op operation) string {
	return strings.TrimSpace(op.about + "\n\n" + permissionWords[permissions[op.id]])
}

// parametersOf documents what every write accepts; the route reads it.
func parametersOf(op operation) []*huma.Param {
	if op.method == http.MethodGet || permissions[op.id] == Open {
		return nil
	}
	return []*huma.Param{{Name: "Idempotency-Key", In: "header", Description: idempotencyAbout, Example: "4f0c7f5e-8a59-4f0e-9b53-0c2f8a3c1d11",
		Schema: &huma.Schema{Type: "string", MinLength: ptr(minKey), MaxLength: ptr(maxKey)}}}
}

// errorsOf lists the errors of an operation; huma adds 422 and 500.
func errorsOf(op operation) []int {
	list := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if op.method != http.MethodGet {
		list = append(list, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusInsufficientStorage)
	}
	return list
}

// openAnswers says that answers may have more fields one day, so that strict
// clients do not fail then. Requests have those that are known and no others.
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
