package dockerhub

import (
	"cmp"
	"net/http"
	"strconv"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/repository"
)

type createIn struct {
	Namespace       string  `json:"namespace"`
	Name            string  `json:"name"`
	Description     *string `json:"description"`
	FullDescription *string `json:"full_description"`
	IsPrivate       *bool   `json:"is_private"`
}

func (s *Endpoints) create(w http.ResponseWriter, r *http.Request, c *endpoint.Call) (int, any, error) {
	var in createIn
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	visibility := s.DefaultVisibility
	if in.IsPrivate != nil {
		visibility = visibilityOf(*in.IsPrivate)
	}
	about := repository.DescriptionChange{Line: in.Description, Readme: in.FullDescription}.On(repository.Description{})
	id, seq, err := repository.Create(r.Context(), s.Log, c.By(), s.Rights, c.Principal, repository.New{
		Name: cmp.Or(r.PathValue("namespace"), in.Namespace, c.Principal.Name) + "/" + in.Name, Visibility: visibility, Description: about})
	if err == nil {
		err = s.done(w, r, seq)
	}
	if err != nil {
		return 0, nil, endpoint.Located(err, "body.name", repository.ErrName)
	}
	v, err := s.details(r.Context(), c.Principal, id.Repository, access.Admin)
	return http.StatusCreated, v, err
}

func visibilityOf(private bool) string {
	if private {
		return events.Private
	}
	return events.Public
}

// done waits for a change and says where it stands in the log.
func (s *Endpoints) done(w http.ResponseWriter, r *http.Request, seq uint64) error {
	if err := s.Readable(r.Context(), seq); err != nil {
		return err
	}
	w.Header().Set(apitypes.SequenceHeader, strconv.FormatUint(seq, 10))
	return nil
}
