package api

import (
	"context"
	"net/http"

	"hubledger/projections/images"
	"hubledger/services/internal/account"
)

type namespaceView struct {
	Name  string `json:"name" doc:"First component of the names in it"`
	Kind  string `json:"kind,omitempty" enum:"user,organization" doc:"Absent for library, which has the top-level images, and for one that was pushed to before there were accounts"`
	Level string `json:"level" enum:"read,write,admin" doc:"read: a member; write: may create repositories; admin: owns it"`
}

type quotaView struct {
	Bytes  int64 `json:"bytes" minimum:"0" doc:"Of distinct blobs and manifests that live images hold; 0 for no limit"`
	Images int64 `json:"images" minimum:"0" doc:"Live manifests; 0 for no limit"`
}

type setQuotaIn struct {
	NamespacePath
	Body quotaView
}

// A usageView says what live images take, in bytes.
type usageView struct {
	Repositories int   `json:"repositories" doc:"Live ones"`
	Tags         int64 `json:"tags" doc:"Live ones"`
	Manifests    int64 `json:"manifests" doc:"Live ones, indexes included"`
	Blobs        int64 `json:"blobs" doc:"Distinct ones"`
	Bytes        int64 `json:"bytes" doc:"Of distinct blobs and of manifests"`
	Unique       int64 `json:"unique" doc:"Of the bytes, what nothing else in the namespace needs; for administrators of the hub: nothing else in the hub"`
	Shared       int64 `json:"shared" doc:"Of the bytes, what others need, too"`
}

func shownUsage(u images.Usage) usageView {
	return usageView{u.Repositories, u.Tags, u.Manifests, u.Blobs, u.Bytes, u.Unique, u.Shared()}
}

func (s *API) registerNamespaces() {
	const path = "/namespaces/{namespace}"
	add(s, operation{method: http.MethodGet, path: "/namespaces", id: "list-namespaces", tag: "namespaces",
		summary: "List the namespaces that I have a part in", about: "By name. Administrators of the hub see them all."}, s.listNamespaces)
	add(s, operation{method: http.MethodGet, path: path, id: "get-namespace", tag: "namespaces", summary: "Show a namespace"}, s.getNamespace)
	add(s, operation{method: http.MethodGet, path: path + "/quota", id: "get-quota", tag: "namespaces", summary: "Show what a namespace may hold"}, s.getQuota)
	add(s, operation{method: http.MethodPut, path: path + "/quota", id: "set-quota", tag: "namespaces", summary: "Say what a namespace may hold"}, s.setQuota)
	add(s, operation{method: http.MethodGet, path: path + "/usage", id: "get-namespace-usage", tag: "namespaces", summary: "Show what a namespace takes"}, s.getNamespaceUsage)
	add(s, operation{method: http.MethodGet, path: repositoryPath + "/usage", id: "get-usage", tag: "repositories", summary: "Show what a repository takes"}, s.getUsage)
}

func (s *API) getNamespace(_ context.Context, c *call, _ *NamespacePath) (*wholly[namespaceView], error) {
	return &wholly[namespaceView]{namespaceView{c.namespace.Name, c.namespace.Kind, levelName(c.level)}}, nil
}

func (s *API) getQuota(_ context.Context, c *call, _ *NamespacePath) (*wholly[quotaView], error) {
	return &wholly[quotaView]{quotaView{c.namespace.QuotaBytes, c.namespace.QuotaImages}}, nil
}

func (s *API) setQuota(ctx context.Context, c *call, in *setQuotaIn) (*written, error) {
	ns, err := s.Accounts.Namespace(ctx, in.Namespace)
	if err != nil {
		return nil, err
	}
	seq, err := account.SetQuota(ctx, s.Log, by(c.p), ns.ID, in.Body.Bytes, in.Body.Images)
	return s.done(ctx, seq, err)
}

func (s *API) getNamespaceUsage(ctx context.Context, c *call, _ *NamespacePath) (*wholly[usageView], error) {
	u, err := s.Images.NamespaceUsage(ctx, c.namespace.ID, c.p.Admin)
	return &wholly[usageView]{shownUsage(u)}, err
}

func (s *API) getUsage(ctx context.Context, c *call, _ *RepositoryPath) (*wholly[usageView], error) {
	u, err := s.Images.RepositoryUsage(ctx, c.repo.ID, c.p.Admin)
	return &wholly[usageView]{shownUsage(u)}, err
}
