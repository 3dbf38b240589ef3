package api

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
)

// dockerRepository is a repository as Docker Hub shows it.
type dockerRepository struct {
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

func dockerEntry(e catalog.Entry) dockerRepository {
	namespace, name, nested := strings.Cut(e.Name, "/")
	if !nested {
		namespace, name = topLevel, e.Name
	}
	return dockerRepository{User: namespace, Name: name, Namespace: namespace, RepositoryType: "image", Status: 1, StatusDescription: "active",
		Description: e.Description, IsPrivate: e.Visibility != events.Public, Official: !nested, StarCount: e.Stars, PullCount: e.Pulls,
		LastUpdated: known(e.Pushed), DateRegistered: e.Created, ContentTypes: []string{"image"}, Topics: append([]string{}, e.Topics...)}
}

// topLevel is the namespace that top-level images are shown in.
const topLevel = "library"

func (s *API) registerDockerRepositories() {
	for _, path := range []string{"/v2/repositories/{namespace}", "/v2/namespaces/{namespace}/repositories"} {
		s.docker(http.MethodGet, path, Anyone, s.dockerList)
	}
	s.docker(http.MethodPost, "/v2/repositories", SignedIn, s.dockerCreate)
	s.docker(http.MethodPost, "/v2/namespaces/{namespace}/repositories", SignedIn, s.dockerCreate)
	s.onBoth(http.MethodGet, "", RepositoryRead, s.dockerGet)
	s.onBoth(http.MethodPatch, "", RepositoryAdmin, s.dockerPatch)
	s.onBoth(http.MethodDelete, "", RepositoryAdmin, s.dockerDelete)
	s.onBoth(http.MethodPost, "/privacy", RepositoryAdmin, s.dockerPrivacy)
}

// maxListed bounds how many repositories of one namespace a list counts.
const maxListed = 10_000

// dockerList sorts all of a namespace: Docker Hub gives its lists a count and
// lets them be entered anywhere.
func (s *API) dockerList(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	p, err := pagingOf(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := s.entriesOf(r.Context(), c.p, r.PathValue("namespace"), "", maxListed)
	if err != nil {
		return 0, nil, err
	}
	if name := strings.ToLower(r.URL.Query().Get("name")); name != "" {
		all = slices.DeleteFunc(all, func(e catalog.Entry) bool { return !strings.Contains(dockerEntry(e).Name, name) })
	}
	slices.SortStableFunc(all, dockerOrder(r.URL.Query().Get("ordering")))
	results := []dockerRepository{}
	for _, e := range all[min(p.offset(), len(all)):min(p.offset()+p.size, len(all))] {
		results = append(results, dockerEntry(e))
	}
	return p.pageOf(r, len(all), results)
}

// dockerOrder is one of Docker Hub's orders; the last push first unless told.
func dockerOrder(ordering string) func(a, b catalog.Entry) int {
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

func (s *API) dockerGet(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	v, err := s.dockerWhole(r.Context(), c.p, c.repo.ID, c.level)
	return http.StatusOK, v, err
}

func (s *API) dockerWhole(ctx context.Context, p access.Principal, repo string, level access.Level) (*dockerRepository, error) {
	e, err := s.entry(ctx, repo)
	if err != nil {
		return nil, err
	}
	v := dockerEntry(*e)
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
