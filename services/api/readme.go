package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"hubledger/events"
	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
)

type readmeView struct {
	HTML string `json:"html" doc:"The README as sanitized HTML, a fragment; empty when there is none"`
}

type activityView struct {
	Seq   uint64 `json:"seq" doc:"Sequence of the event in the log"`
	Time  string `json:"time" format:"date-time" doc:"When it happened, to the microsecond"`
	Actor string `json:"actor" doc:"Login name of who did it"`
	Kind  string `json:"kind" doc:"Such as image.pushed or tag.deleted"`
	What  string `json:"what,omitempty" doc:"The tag, or the digest of what has none"`
}

type activityIn struct {
	RepositoryPath
	Paging
}

func (s *API) registerReading() {
	add(s, operation{method: http.MethodGet, path: repositoryPath + "/readme", id: "get-readme", tag: "repositories",
		summary: "Show the README as HTML", about: "GitHub Flavored Markdown; scripts, styles, forms and images that are not over https are left out."}, s.getReadme)
	add(s, operation{method: http.MethodGet, path: repositoryPath + "/activity", id: "get-activity", tag: "repositories",
		summary: "List what happened to a repository", about: "The latest first. Who may not write sees of a public repository what happened since it was made public."}, s.getActivity)
	add(s, operation{method: http.MethodPut, path: repositoryPath + "/star", id: "star", tag: "repositories", summary: "Give a star"}, s.star)
	add(s, operation{method: http.MethodDelete, path: repositoryPath + "/star", id: "unstar", tag: "repositories", summary: "Take my star back"}, s.unstar)
}

func (s *API) getReadme(ctx context.Context, c *call, _ *RepositoryPath) (*wholly[readmeView], error) {
	source, err := s.Catalog.Readme(ctx, c.repo.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	html, err := s.markdown.HTML(ctx, c.repo.ID, source)
	return &wholly[readmeView]{readmeView{html}}, err
}

func (s *API) getActivity(ctx context.Context, c *call, in *activityIn) (*list[activityView], error) {
	before, err := parseSequence(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := s.Catalog.Activity(ctx, c.repo.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	since, err := s.openSince(ctx, c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(a catalog.Activity) bool { return a.Seq < since })
	views := make([]activityView, len(all))
	for i, a := range all {
		views[i] = shownActivity(a)
	}
	return pageOf(c, views, in.Limit, func(v activityView) string { return cursorAt(strconv.FormatUint(v.Seq, 10)) }), nil
}

// openSince is the event since which the caller may see what happened to the
// repository, 0 for all. What is public now may have been private, and who did
// what then stays with those who write there. Who reads what is private was
// given that right.
func (s *API) openSince(ctx context.Context, c *call) (uint64, error) {
	if c.level >= access.Write || c.repo.Visibility != events.Public {
		return 0, nil
	}
	return s.Catalog.PublicSince(ctx, c.repo.ID)
}

func shownActivity(a catalog.Activity) activityView {
	return activityView{a.Seq, a.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), a.Actor, a.Kind, a.What}
}

// parseSequence reads the cursor of a list by sequence; 0 is the beginning.
func parseSequence(cursor string) (uint64, error) {
	place, err := parseCursor(cursor)
	if err != nil || place == "" {
		return 0, err
	}
	n, err := strconv.ParseUint(place, 10, 63)
	if err != nil || n == 0 {
		return 0, badCursor()
	}
	return n, nil
}
