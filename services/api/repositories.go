package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
)

// A RepositoryView is a repository as lists show it.
type RepositoryView struct {
	ID          string     `json:"id" format:"uuid" doc:"Stays when the name is given to another one"`
	Name        string     `json:"name" example:"alice/app" doc:"Full name, as docker pull takes it behind the host"`
	Description string     `json:"description" doc:"One line"`
	Topics      []string   `json:"topics" nullable:"false" doc:"What it is about, in alphabetical order"`
	Visibility  string     `json:"visibility" enum:"public,private" doc:"public: everybody may pull"`
	Stars       int64      `json:"stars" doc:"Users who gave one"`
	Pulls       int64      `json:"pulls" doc:"In lists as of the last full hour"`
	Created     time.Time  `json:"created" doc:"When it was made"`
	Pushed      *time.Time `json:"pushed,omitempty" doc:"Last push"`
	Pulled      *time.Time `json:"pulled,omitempty" doc:"Last pull; in lists as of the last full hour"`
}

func shownEntry(e catalog.Entry) RepositoryView {
	v := RepositoryView{ID: e.ID, Name: e.Name, Description: e.Description, Topics: e.Topics, Visibility: e.Visibility,
		Stars: e.Stars, Pulls: e.Pulls, Created: e.Created, Pushed: known(e.Pushed), Pulled: known(e.Pulled)}
	if v.Topics == nil {
		v.Topics = []string{}
	}
	return v
}

// known is a time that may not have been.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func shownEntries(list []catalog.Entry) []RepositoryView {
	out := make([]RepositoryView, len(list))
	for i, e := range list {
		out[i] = shownEntry(e)
	}
	return out
}

// visible is what a principal may see, in the catalog's words.
func (s *API) visible(ctx context.Context, p access.Principal) (catalog.Visible, error) {
	v, err := s.Rights.Visible(ctx, p)
	return catalog.Visible(v), err
}

type listRepositoriesIn struct {
	Paging
	Namespace string `query:"namespace" maxLength:"200" doc:"Only those of this namespace"`
}

type searchIn struct {
	Paging
	Q     string `query:"q" maxLength:"200" doc:"Words, or parts of a name; without it the most liked come first"`
	Topic string `query:"topic" maxLength:"40" doc:"Only those with this topic"`
	Sort  string `query:"sort" enum:"stars,updated,name" doc:"Order when there is no q"`
}

func (s *API) registerRepositoryLists() {
	add(s, operation{method: http.MethodGet, path: "/repositories", id: "list-repositories", tag: "repositories",
		summary: "List the repositories that I may see", about: "By name. Without a namespace the list ends after a thousand: search instead."}, s.listRepositories)
	add(s, operation{method: http.MethodGet, path: "/search", id: "search", tag: "search",
		summary: "Find repositories", about: "Names, descriptions and topics, best match first; typing errors and parts of names are found. The list ends after a thousand."}, s.search)
	add(s, operation{method: http.MethodGet, path: "/starred", id: "list-starred", tag: "repositories",
		summary: "List the repositories with a star of mine"}, s.listStarred)
}

func (s *API) listRepositories(ctx context.Context, c *call, in *listRepositoriesIn) (*list[RepositoryView], error) {
	if in.Namespace == "" {
		return s.searchPage(ctx, c, in.Paging, catalog.Query{Sort: catalog.ByName})
	}
	last, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	entries, err := s.entriesOf(ctx, c.p, in.Namespace, last, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(c, shownEntries(entries), in.Limit, func(v RepositoryView) string { return cursorAt(v.Name) }), nil
}

// entriesOf lists what a principal sees of a namespace: nothing, when there is
// no such namespace.
func (s *API) entriesOf(ctx context.Context, p access.Principal, namespace, last string, n int) ([]catalog.Entry, error) {
	ns, err := s.Accounts.Namespace(ctx, namespace)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	v, err := s.visible(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.Catalog.OfNamespace(ctx, ns.ID, v, last, n)
}

func (s *API) search(ctx context.Context, c *call, in *searchIn) (*list[RepositoryView], error) {
	return s.searchPage(ctx, c, in.Paging, catalog.Query{Text: in.Q, Topic: in.Topic, Sort: catalog.Sort(in.Sort)})
}

func (s *API) searchPage(ctx context.Context, c *call, page Paging, q catalog.Query) (*list[RepositoryView], error) {
	var err error
	if q.Offset, err = parseOffset(page.Cursor); err != nil {
		return nil, err
	}
	if q.Visible, err = s.visible(ctx, c.p); err != nil {
		return nil, err
	}
	q.Limit = min(page.Limit, catalog.MaxWindow-q.Offset)
	entries, total, err := s.Catalog.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	out := wholeList(shownEntries(entries))
	if end := q.Offset + len(entries); end < min(total, catalog.MaxWindow) && len(entries) > 0 {
		c.more(&out.Body.Next, &out.Link, cursorAt(strconv.Itoa(end)))
	}
	return out, nil
}

func (s *API) listStarred(ctx context.Context, c *call, in *Paging) (*list[RepositoryView], error) {
	if c.p.Kind != access.User {
		return wholeList[RepositoryView](nil), nil // only users have stars to give
	}
	offset, err := parseOffset(in.Cursor)
	if err != nil {
		return nil, err
	}
	v, err := s.visible(ctx, c.p)
	if err != nil {
		return nil, err
	}
	entries, err := s.Catalog.Starred(ctx, c.p.ID, v, offset, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(c, shownEntries(entries), in.Limit, func(RepositoryView) string { return cursorAt(strconv.Itoa(offset + in.Limit)) }), nil
}
