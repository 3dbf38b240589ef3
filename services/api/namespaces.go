package api

import (
	"context"
	"net/http"

	"hubledger/projections/images"
	"hubledger/services/internal/access"
	"hubledger/services/internal/account"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/openapi"
)

type setQuotaIn struct {
	NamespacePath
	Body apitypes.Quota
}

func shownUsage(u images.Usage, everywhere bool) apitypes.Usage {
	return apitypes.Usage{Repositories: u.Repositories, Tags: u.Tags, Manifests: u.Manifests, Blobs: u.Blobs,
		Bytes: u.Bytes, Unique: u.Unique, Shared: u.Shared(), Everywhere: everywhere}
}

func (s *API) registerNamespaces() {
	const path = "/namespaces/{namespace}"
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: "/namespaces", ID: "list-namespaces", Tag: "namespaces", Permission: access.SignedIn, Cost: budget.List,
		Summary: "List the namespaces that you belong to", About: "By name. Administrators of the hub see them all."}, s.listNamespaces)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path, ID: "get-namespace", Tag: "namespaces", Permission: access.NamespaceMember, Cost: budget.Read, Summary: "Show a namespace"}, s.getNamespace)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/quota", ID: "get-quota", Tag: "namespaces", Permission: access.NamespaceMember, Cost: budget.Heavy, Summary: "Show the quota of a namespace and how much of it is used"}, s.getQuota)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodPut, Path: path + "/quota", ID: "set-quota", Tag: "namespaces", Permission: access.HubAdmin, Cost: budget.Write, Summary: "Set the quota of a namespace"}, s.setQuota)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: path + "/usage", ID: "get-namespace-usage", Tag: "namespaces", Permission: access.NamespaceMember, Cost: budget.Heavy, Summary: "Show how much storage a namespace uses"}, s.getNamespaceUsage)
	openapi.Add(s.API, openapi.Operation{Method: http.MethodGet, Path: repositoryPath + "/usage", ID: "get-usage", Tag: "repositories", Permission: access.RepositoryWrite, Cost: budget.Heavy, Summary: "Show how much storage a repository uses"}, s.getUsage)
}

func (s *API) getNamespace(_ context.Context, c *endpoint.Call, _ *NamespacePath) (*openapi.Answer[apitypes.Namespace], error) {
	return openapi.Show(apitypes.Namespace{Name: c.Namespace.Name, Kind: c.Namespace.Kind, Level: c.Level.Name()}), nil
}

func (s *API) getQuota(ctx context.Context, c *endpoint.Call, _ *NamespacePath) (*openapi.Answer[apitypes.QuotaUse], error) {
	bytes, pending, images, err := s.Registry.QuotaUse(ctx, c.Namespace.ID, c.Namespace.Name)
	return openapi.Show(apitypes.QuotaUse{Quota: apitypes.Quota{Bytes: c.Namespace.QuotaBytes, Images: c.Namespace.QuotaImages},
		UsedBytes: bytes, PendingBytes: pending, UsedImages: images}), err
}

func (s *API) setQuota(ctx context.Context, c *endpoint.Call, in *setQuotaIn) (*openapi.Change, error) {
	ns, err := s.Accounts.Namespace(ctx, in.Namespace)
	if err != nil {
		return nil, err
	}
	seq, err := account.SetQuota(ctx, s.Log, c.By(), ns.ID, in.Body.Bytes, in.Body.Images)
	return s.Changed(ctx, seq, err)
}

func (s *API) getNamespaceUsage(ctx context.Context, c *endpoint.Call, _ *NamespacePath) (*openapi.Answer[apitypes.Usage], error) {
	all := c.Principal.Administers()
	u, err := s.Images.NamespaceUsage(ctx, c.Namespace.ID, all)
	return openapi.Show(shownUsage(u, all)), err
}

func (s *API) getUsage(ctx context.Context, c *endpoint.Call, _ *openapi.RepositoryPath) (*openapi.Answer[apitypes.Usage], error) {
	all := c.Principal.Administers()
	u, err := s.Images.RepositoryUsage(ctx, c.Repository.ID, all)
	return openapi.Show(shownUsage(u, all)), err
}
