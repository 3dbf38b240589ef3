package hub

import (
	"net/http"
	"time"

	"hubledger/projections/catalog"
	"hubledger/services/hub/tagged"
	"hubledger/services/internal/origin"
)

// dockerTag is a tag as Docker Hub shows it.
type dockerTag struct {
	Name                string        `json:"name"`
	Digest              string        `json:"digest"`
	MediaType           string        `json:"media_type"`
	ContentType         string        `json:"content_type"`
	FullSize            int64         `json:"full_size"`
	Images              []dockerImage `json:"images"`
	LastUpdated         time.Time     `json:"last_updated"`
	LastUpdaterUsername string        `json:"last_updater_username"`
	TagStatus           string        `json:"tag_status"`
	TagLastPulled       *time.Time    `json:"tag_last_pulled"`
	TagLastPushed       time.Time     `json:"tag_last_pushed"`
	V2                  bool          `json:"v2"`
}

type dockerImage struct {
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

func dockerTagView(t tagged.Tag, pulls catalog.TagPulls) dockerTag {
	v := dockerTag{Name: t.Name, Digest: t.Digest.String(), MediaType: t.MediaType, ContentType: "image", FullSize: t.Size,
		LastUpdated: t.Pushed, LastUpdaterUsername: t.By, TagStatus: "active", TagLastPulled: known(pulls.LastPulled), TagLastPushed: t.Pushed, V2: true}
	v.Images = make([]dockerImage, len(t.Images))
	for i, m := range t.Images {
		v.Images[i] = dockerImage{Architecture: m.Platform.Architecture, Variant: given(m.Platform.Variant), Digest: m.Digest.String(), OS: m.Platform.OS,
			OSVersion: given(m.Platform.OSVersion), Size: m.Size, Status: "active", LastPulled: known(pulls.LastPulled), LastPushed: m.Pushed}
	}
	return v
}

// given is nil for an empty text.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (h *Hub) registerDockerTags() {
	h.onBoth(http.MethodGet, "/tags", RepositoryRead, h.dockerTags)
	h.onBoth(http.MethodGet, "/tags/{tag}", RepositoryRead, h.dockerTag)
	h.onBoth(http.MethodDelete, "/tags/{tag}", RepositoryDelete, h.dockerDeleteTag)
}

// dockerTags lists tags, the one pushed last first.
func (h *Hub) dockerTags(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	p, err := pagingOf(r)
	if err != nil {
		return 0, nil, err
	}
	count, err := h.tagged.Count(r.Context(), c.repo.ID)
	if err != nil {
		return 0, nil, err
	}
	tags, err := h.tagged.Newest(r.Context(), c.repo.ID, p.offset(), p.size)
	if err != nil {
		return 0, nil, err
	}
	pulls, err := h.Catalog.TagPulls(r.Context(), c.repo.ID)
	if err != nil {
		return 0, nil, err
	}
	results := make([]dockerTag, len(tags))
	for i, t := range tags {
		results[i] = dockerTagView(t, pulls[t.Name])
	}
	return http.StatusOK, p.pageOf(r, origin.Of(r).URL(), count, results), nil
}

func (h *Hub) dockerTag(_ http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	t, err := h.tagged.Tag(r.Context(), c.repo.ID, r.PathValue("tag"))
	if err != nil {
		return 0, nil, err
	}
	pulls, err := h.Catalog.TagPulls(r.Context(), c.repo.ID)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, dockerTagView(*t, pulls[t.Name]), nil
}
