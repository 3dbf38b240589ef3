package server

import (
	"strings"

	"hubledger/projections"
	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/projections/images"
	"hubledger/services/api"
	"hubledger/services/internal/access"
	"hubledger/services/internal/service"
)

var permissionOf = map[api.Permission]access.Permission{api.Open: access.Open, api.Anyone: access.Anyone, api.SignedIn: access.SignedIn,
	api.FullAccount: access.FullAccount, api.Self: access.Self, api.SelfOrHubAdmin: access.SelfOrHubAdmin, api.HubAdmin: access.HubAdmin,
	api.NamespaceMember: access.NamespaceMember, api.NamespaceAdmin: access.NamespaceAdmin, api.RepositoryRead: access.RepositoryRead,
	api.RepositoryWrite: access.RepositoryWrite, api.RepositoryDelete: access.RepositoryDelete, api.RepositoryAdmin: access.RepositoryAdmin}

func apiService(a *api.API) service.Service {
	s := service.Service{Name: "api", Sentences: api.Sentences,
		ReadModels: []*projections.Projection{&accounts.Projection, &images.Projection, &catalog.Projection}}
	for _, r := range a.Routes() {
		s.Routes = append(s.Routes, service.Route{Method: r.Method, Pattern: strings.ReplaceAll(r.Path, "{name}", "{name...}"),
			Permission: permissionOf[r.Permission], Serve: a.ServeHTTP})
	}
	return s
}
