package api_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var braces = regexp.MustCompile(`\{([a-z]+)\}`)

// The document is whole: every reference leads somewhere, every operation says
// what it is, who may use it and what its path is made of.
func TestOpenAPI(t *testing.T) {
	k := start(t)
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Servers    []struct{ URL string }
		Components struct{ Schemas, SecuritySchemes map[string]object }
		Paths      map[string]map[string]struct {
			OperationID, Summary, Description string
			Security                          []map[string][]string
			Tags                              []string
			Parameters                        []struct{ Name, In, Description string }
			Responses                         map[string]struct{ Content map[string]object }
		}
	}
	a := k.do("", "GET", "/api/v1/openapi.json", nil).want(200)
	a.into(&doc)
	if doc.OpenAPI != "3.1.0" || doc.Info.Title == "" || doc.Info.Version == "" || len(doc.Servers) != 1 || doc.Servers[0].URL != "/api/v1" {
		t.Errorf("the head of the document: %+v, %+v", doc.Info, doc.Servers)
	}
	ids, operations := map[string]bool{}, 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			operations++
			at := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 || len(op.Security) == 0 {
				t.Errorf("%s: operation %q, summary %q, tags %v, security %v", at, op.OperationID, op.Summary, op.Tags, op.Security)
			}
			ids[op.OperationID] = true
			for _, alternative := range op.Security {
				for scheme := range alternative {
					if doc.Components.SecuritySchemes[scheme] == nil {
						t.Errorf("%s: no security scheme %s", at, scheme)
					}
				}
			}
			declared := map[string]string{}
			if !strings.Contains(op.Description, "For ") {
				t.Errorf("%s: nothing says for whom it is: %q", at, op.Description)
			}
			for _, p := range op.Parameters {
				declared[p.Name] = p.In
				if p.Description == "" {
					t.Errorf("%s: nothing is said of %s", at, p.Name)
				}
			}
			for _, name := range braces.FindAllStringSubmatch(path, -1) {
				if declared[name[1]] != "path" {
					t.Errorf("%s: nothing is said of {%s}", at, name[1])
				}
			}
			open := len(op.Security) == 1 && len(op.Security[0]) == 0 // there is no account to keep an answer for
			if method != "get" && !open && declared["Idempotency-Key"] != "header" {
				t.Errorf("%s: no Idempotency-Key", at)
			}
			if _, ok := op.Responses["403"].Content["application/problem+json"]; !ok {
				t.Errorf("%s: refusals are not documented as problems", at)
			}
		}
	}
	served := 0
	documents := []string{"/openapi.json", "/openapi.yaml", "/asyncapi.json"} // describe, and are no operations
	for _, rt := range k.routes() {
		if path, ok := strings.CutPrefix(strings.Replace(rt.Pattern, "...}", "}", 1), "/api/v1"); ok && !slices.Contains(documents, path) {
			served++
			if _, ok := doc.Paths[path][strings.ToLower(rt.Method)]; !ok {
				t.Errorf("%s %s is served, but not in the document", rt.Method, rt.Pattern)
			}
		}
	}
	if served != operations || served < 60 {
		t.Errorf("%d operations in the document, %d are served", operations, served)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(a.Body.String(), -1) {
		name, ok := strings.CutPrefix(ref[1], "#/components/schemas/")
		if !ok || doc.Components.Schemas[name] == nil {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	for name, field := range map[string]string{"CreatedUser": "name", "IssuedToken": "level", "RepositoryDetails": "visibility", "TagList": "items", "Problem": "detail", "CreateUserRequest": "password"} {
		properties, _ := doc.Components.Schemas[name]["properties"].(object)
		if properties[field] == nil {
			t.Errorf("schema %s has no %s: %v", name, field, doc.Components.Schemas[name])
		}
	}
	for name, closed := range map[string]bool{"CreateUserRequest": true, "CleanupRule": true, "TokenRequest": true, "User": false, "TagList": false, "Image": false, "Problem": false} {
		if _, is := doc.Components.Schemas[name]["additionalProperties"]; is != closed {
			t.Errorf("schema %s takes no other fields: %t", name, is)
		}
	}
	for name, schema := range doc.Components.Schemas {
		if strings.HasSuffix(name, "View") || strings.HasSuffix(name, "Body") {
			t.Errorf("schema %s is named after our code", name)
		}
		properties, _ := schema["properties"].(object)
		for field, about := range properties {
			if about := about.(object); about["description"] == nil && about["$ref"] == nil {
				t.Errorf("schema %s: nothing is said of %s", name, field)
			}
		}
	}
	if yaml := k.do("", "GET", "/api/v1/openapi.yaml", nil).want(200); !strings.Contains(yaml.Body.String(), "openapi: 3.1.0") {
		t.Error("the YAML form is something else")
	}
	k.do("", "GET", "/api/v1/docs", nil).want(404)
}
