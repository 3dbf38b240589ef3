package dockerhub

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
)

// repositoryView is a repository as Docker Hub shows it.
type repositoryView struct {
	User              string           `json:"user"`
	Name              string           `json:"name"`
	Namespace         string           `json:"namespace"`
	RepositoryType    string           `json:"repository_type"`
	Status            int              `json:"status"`
	StatusDescription string           `json:"status_description"`
	Description       string           `json:"description"`
	IsPrivate         bool             `json:"is_private"`
	IsAutomated       bool             `json:"is_automated"`
	Official          bool             `json:"official"`
	StarCount         int64            `json:"star_count"`
	PullCount         int64            `json:"pull_count"`
	LastUpdated       *time.Time       `json:"last_updated"`
	DateRegistered    time.Time        `json:"date_registered"`
	ContentTypes      []string         `json:"content_types"`
	Topics            []string         `json:"topics"`
	FullDescription   *string          `json:"full_description,omitempty"`
	HasStarred        *bool            `json:"has_starred,omitempty"`
	Permissions       *map[string]bool `json:"permissions,omitempty"`
}

func shownEntry(e catalog.Entry) repositoryView {
	namespace, name, nested := strings.Cut(e.Name, "/")
	if !nested {
		namespace, name = access.Library, e.Name
	}
	return repositoryView{User: namespace, Name: name, Namespace: namespace, RepositoryType: "image", Status: 1, StatusDescription: "active",
		Description: e.Description, IsPrivate: e.Visibility != events.Public, Official: !nested, StarCount: e.Stars, PullCount: e.Pulls,
		LastUpdated: apitypes.Known(e.Pushed), DateRegistered: e.Created, ContentTypes: []string{"image"}, Topics: append([]string{}, e.Topics...)}
}

func (s *Endpoints) registerRepositories() {
	for _, path := range []string{"/v2/repositories/{namespace}", "/v2/namespaces/{namespace}/repositories"} {
		s.add(http.MethodGet, path, access.Anyone, budget.List, s.list)
	}
	s.add(http.MethodPost, "/v2/repositories", access.SignedIn, budget.Write, s.create)
	s.add(http.MethodPost, "/v2/namespaces/{namespace}/repositories", access.SignedIn, budget.Write, s.create)
	s.onBoth(http.MethodGet, "", access.RepositoryRead, budget.Read, s.get)
	s.onBoth(http.MethodPatch, "", access.RepositoryAdmin, budget.Write, s.patch)
	s.onBoth(http.MethodDelete, "", access.RepositoryAdmin, budget.Write, s.deleteRepository)
	s.onBoth(http.MethodPost, "/privacy", access.RepositoryAdmin, budget.Write, s.setPrivacy)
}

// maxListed bounds how many repositories of one namespace a list counts.
const maxListed = 10_000

// list reads and sorts a whole namespace: Docker Hub's lists have a count and can
// be read from any page.
func (s *Endpoints) list(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	p, err := pagingOf(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := s.Browse.OfNamespace(r.Context(), c.Principal, r.PathValue("namespace"), "", maxListed)
	if err != nil {
		return 0, nil, err
	}
	if name := strings.ToLower(r.URL.Query().Get("name")); name != "" {
		all = slices.DeleteFunc(all, func(e catalog.Entry) bool { return !strings.Contains(shownEntry(e).Name, name) })
	}
	slices.SortStableFunc(all, orderOf(r.URL.Query().Get("ordering")))
	results := []repositoryView{}
	for _, e := range all[min(p.offset(), len(all)):min(p.offset()+p.size, len(all))] {
		results = append(results, shownEntry(e))
	}
	return p.pageOf(r, len(all), results)
}

// orderOf is one of Docker Hub's orders; by default the last push comes first.
func orderOf(ordering string) func(a, b catalog.Entry) int {
	name, descending := strings.CutPrefix(cmp.Or(ordering, "-last_updated"), "-")
	return func(a, b catalog.Entry) (n int) {
		switch name {
		case "name":
			n = cmp.Compare(a.Name, b.Name)
		case "pull_count":
			n = cmp.Compare(a.Pulls, b.Pulls)
		default:
			n = a.Pushed.Compare(b.Pushed)
		}
		if descending {
			n = -n
		}
		return n
	}
}

func (s *Endpoints) get(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	v, err := s.details(r.Context(), c.Principal, c.Repository.ID, c.Level)
	return http.StatusOK, v, err
}

func (s *Endpoints) details(ctx context.Context, p access.Principal, repo string, level access.Level) (*repositoryView, error) {
	e, err := s.Browse.Entry(ctx, repo)
	if err != nil {
		return nil, err
	}
	v := shownEntry(*e)
	readme, err := s.Catalog.Readme(ctx, repo)
	if err != nil {
		return nil, err
	}
	starred := false
	if p.Kind == access.User {
		if starred, err = s.Catalog.HasStar(ctx, repo, p.ID); err != nil {
			return nil, err
		}
	}
	v.FullDescription, v.HasStarred = &readme, &starred
	v.Permissions = &map[string]bool{"read": level >= access.Read, "write": level >= access.Write, "admin": level >= access.Admin}
	return &v, nil
}
