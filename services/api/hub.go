package api

import (
	"context"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

func (s *API) registerHub() {
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/hub", ID: "get-hub", Tag: "hub", Permission: access.SignedIn, Cost: budget.Light,
		Summary: "Show how this hub is set up", About: "Shows the settings that the operator started it with: see serve --help."}, s.getHub)
}

func (s *API) getHub(context.Context, *endpoint.Call, *struct{}) (*openapi.Answer[apitypes.Hub], error) {
	return openapi.Show(apitypes.Hub{DefaultVisibility: s.DefaultVisibility, UndeleteSeconds: int64(s.UndeleteWindow.Seconds()),
		OnlyAdminsCreateOrganizations: s.OnlyAdminsCreateOrganizations}), nil
}
