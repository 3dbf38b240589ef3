package dockerhub

import (
	"net/http"

	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/image"
	"hubledger/services/internal/repository"
)

func (s *Endpoints) patch(w http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	var in struct {
		Description     *string `json:"description"`
		FullDescription *string `json:"full_description"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Description == nil && in.FullDescription == nil {
		return 0, nil, endpoint.Fail(http.StatusBadRequest, "description or full_description is needed")
	}
	seq, err := s.Editor.Describe(r.Context(), c.By(), c.RepositoryID(), c.Repository.Name,
		repository.DescriptionChange{Line: in.Description, Readme: in.FullDescription})
	if err == nil {
		err = s.done(w, r, seq)
	}
	if err != nil {
		return 0, nil, err
	}
	return s.get(w, r, c)
}

func (s *Endpoints) setPrivacy(w http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	var in struct {
		IsPrivate *bool `json:"is_private"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if in.IsPrivate == nil {
		return 0, nil, endpoint.Fail(http.StatusBadRequest, "is_private is needed")
	}
	seq, err := s.Editor.ChangeVisibility(r.Context(), c.By(), c.RepositoryID(), c.Repository.Name, visibilityOf(*in.IsPrivate))
	if err == nil {
		err = s.done(w, r, seq)
	}
	return http.StatusOK, map[string]bool{"is_private": *in.IsPrivate}, err
}

func (s *Endpoints) deleteRepository(w http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	seq, err := s.Repositories.DeleteRepository(r.Context(), c.By(), c.Repository.Name)
	if err == nil {
		err = s.done(w, r, seq)
	}
	return http.StatusAccepted, nil, err
}

func (s *Endpoints) deleteTag(w http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	seq, err := image.DeleteLiveTag(r.Context(), s.Log, c.By(), s.Images, c.RepositoryID(), c.Repository.Name, r.PathValue("tag"), "")
	if err == nil {
		err = s.done(w, r, seq)
	}
	return http.StatusNoContent, nil, err
}
