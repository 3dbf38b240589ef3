package api

import (
	"net/http"

	"hubledger/services/internal/repository"
)

func (s *API) dockerPatch(w http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	var in struct {
		Description     *string `json:"description"`
		FullDescription *string `json:"full_description"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Description == nil && in.FullDescription == nil {
		return 0, nil, fail(http.StatusBadRequest, "description or full_description is needed")
	}
	seq, err := s.restate(r.Context(), c, func(d *repository.Description) {
		assign(&d.Line, in.Description)
		assign(&d.Readme, in.FullDescription)
	})
	if err == nil {
		err = s.dockerDone(w, r, seq)
	}
	if err != nil {
		return 0, nil, err
	}
	return s.dockerGet(w, r, c)
}

func (s *API) dockerPrivacy(w http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	var in struct {
		IsPrivate *bool `json:"is_private"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if in.IsPrivate == nil {
		return 0, nil, fail(http.StatusBadRequest, "is_private is needed")
	}
	seq, err := s.open(r.Context(), c, visibilityOf(*in.IsPrivate))
	if err == nil {
		err = s.dockerDone(w, r, seq)
	}
	return http.StatusOK, map[string]bool{"is_private": *in.IsPrivate}, err
}

func (s *API) dockerDelete(w http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	seq, err := s.Registry.DeleteRepository(r.Context(), by(c.p), c.repo.Name)
	if err == nil {
		err = s.dockerDone(w, r, seq)
	}
	return http.StatusAccepted, nil, err
}

func (s *API) dockerDeleteTag(w http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	seq, err := s.dropTag(r.Context(), c, r.PathValue("tag"))
	if err == nil {
		err = s.dockerDone(w, r, seq)
	}
	return http.StatusNoContent, nil, err
}
