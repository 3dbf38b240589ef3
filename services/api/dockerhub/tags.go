package dockerhub

import (
	"net/http"
	"time"

	"hubledger/projections/images"
	"hubledger/services/api/browse"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/repository"
)

// tagView is a tag as Docker Hub shows it.
type tagView struct {
	Name                string      `json:"name"`
	Digest              string      `json:"digest"`
	MediaType           string      `json:"media_type"`
	ContentType         string      `json:"content_type"`
	FullSize            int64       `json:"full_size"`
	Images              []imageView `json:"images"`
	LastUpdated         time.Time   `json:"last_updated"`
	LastUpdaterUsername string      `json:"last_updater_username"`
	TagStatus           string      `json:"tag_status"`
	TagLastPulled       *time.Time  `json:"tag_last_pulled"`
	TagLastPushed       time.Time   `json:"tag_last_pushed"`
	V2                  bool        `json:"v2"`
}

type imageView struct {
	Architecture string     `json:"architecture"`
	Features     string     `json:"features"`
	Variant      *string    `json:"variant"`
	Digest       string     `json:"digest"`
	OS           string     `json:"os"`
	OSFeatures   string     `json:"os_features"`
	OSVersion    *string    `json:"os_version"`
	Size         int64      `json:"size"`
	Status       string     `json:"status"`
	LastPulled   *time.Time `json:"last_pulled"`
	LastPushed   time.Time  `json:"last_pushed"`
}

func shownTag(t images.TagDetail, pulls browse.Pulls) tagView {
	last := pulls.Of(t).LastPulled
	v := tagView{Name: t.Name, Digest: t.Digest.String(), MediaType: t.MediaType, ContentType: "image", FullSize: t.Size,
		LastUpdated: t.Pushed, LastUpdaterUsername: t.By, TagStatus: "active", TagLastPulled: apitypes.Known(last), TagLastPushed: t.Pushed, V2: true}
	v.Images = make([]imageView, len(t.Images))
	for i, m := range t.Images {
		v.Images[i] = imageView{Architecture: m.Platform.Architecture, Variant: orNil(m.Platform.Variant), Digest: m.Digest.String(), OS: m.Platform.OS,
			OSVersion: orNil(m.Platform.OSVersion), Size: m.Size, Status: "active", LastPulled: apitypes.Known(pulls.OfImage(t, m).LastPulled), LastPushed: m.Pushed}
	}
	return v
}

// orNil is nil for an empty text.
func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *Endpoints) registerTags() {
	s.onBoth(http.MethodGet, "/tags", access.RepositoryRead, budget.List, s.listTags)
	s.onBoth(http.MethodGet, "/tags/{tag}", access.RepositoryRead, budget.Read, s.getTag)
	s.onBoth(http.MethodDelete, "/tags/{tag}", access.RepositoryDelete, budget.Write, s.deleteTag)
}

// tagOrders are Docker Hub's orders of tags by name. All other orders are newest
// first: scripts ask for that by last_updated, with and without a minus.
var tagOrders = map[string]images.TagOrder{"name": images.ByName, "-name": images.ByNameBack}

func (s *Endpoints) listTags(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	p, err := pagingOf(r)
	if err != nil {
		return 0, nil, err
	}
	text := r.URL.Query().Get("name")
	order, ok := tagOrders[r.URL.Query().Get("ordering")]
	if !ok {
		order = images.NewestFirst
	}
	count, err := s.Images.CountTags(r.Context(), c.Repository.ID, text)
	if err != nil {
		return 0, nil, err
	}
	tags, err := s.Images.FindTags(r.Context(), c.Repository.ID, text, order, p.offset(), p.size)
	if err != nil {
		return 0, nil, err
	}
	pulls, err := s.Browse.TagPulls(r.Context(), c.Repository.ID, tags...)
	if err != nil {
		return 0, nil, err
	}
	results := make([]tagView, len(tags))
	for i, t := range tags {
		results[i] = shownTag(t, pulls)
	}
	return p.pageOf(r, count, results)
}

func (s *Endpoints) getTag(_ http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	if !repository.ValidTag(r.PathValue("tag")) {
		return 0, nil, endpoint.NotFound()
	}
	t, err := s.Images.TagDetail(r.Context(), c.Repository.ID, r.PathValue("tag"))
	if err != nil {
		return 0, nil, err
	}
	pulls, err := s.Browse.TagPulls(r.Context(), c.Repository.ID, *t)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, shownTag(*t, pulls), nil
}
