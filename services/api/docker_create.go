package api

import (
	"cmp"
	"net/http"
	"strconv"

	"hubledger/events"
	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

type dockerCreateIn struct {
	Namespace       string  `json:"namespace"`
	Name            string  `json:"name"`
	Description     *string `json:"description"`
	FullDescription *string `json:"full_description"`
	IsPrivate       *bool   `json:"is_private"`
}

func (s *API) dockerCreate(w http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	var in dockerCreateIn
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	about := repository.Description{}
	assign(&about.Line, in.Description)
	assign(&about.Readme, in.FullDescription)
	visibility := ""
	if in.IsPrivate != nil {
		visibility = visibilityOf(*in.IsPrivate)
	}
	name := cmp.Or(r.PathValue("namespace"), in.Namespace, c.p.Name) + "/" + in.Name
	id, seq, err := s.create(r.Context(), c, name, visibility, about)
	if err == nil {
		err = s.dockerDone(w, r, seq)
	}
	if err != nil {
		return 0, nil, err
	}
	v, err := s.dockerWhole(r.Context(), c.p, id.Repository, access.Admin)
	return http.StatusCreated, v, err
}

func visibilityOf(private bool) string {
	if private {
		return events.Private
	}
	return events.Public
}

// dockerDone waits for a change and says where it stands in the log.
func (s *API) dockerDone(w http.ResponseWriter, r *http.Request, seq uint64) error {
	if err := s.settle(r.Context(), seq); err != nil {
		return err
	}
	w.Header().Set(sequenceHeader, strconv.FormatUint(seq, 10))
	return nil
}
