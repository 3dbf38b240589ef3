package hub

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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

func (h *Hub) dockerCreate(w http.ResponseWriter, r *http.Request, c *call) (int, any, error) {
	var in dockerCreateIn
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	about := repository.Description{}
	assign(&about.Line, in.Description)
	assign(&about.Readme, in.FullDescription)
	if err := checkAbout(about); err != nil {
		return 0, nil, err
	}
	visibility := ""
	if in.IsPrivate != nil {
		visibility = visibilityOf(*in.IsPrivate)
	}
	name := cmp.Or(r.PathValue("namespace"), in.Namespace, c.p.Name) + "/" + in.Name
	id, seq, err := h.create(r.Context(), c, name, visibility)
	if err == nil && (about.Line != "" || about.Readme != "") {
		parsed, perr := repository.ParseName(name)
		if perr != nil {
			return 0, nil, perr
		}
		seq, err = repository.Describe(r.Context(), h.Log, by(c.p), id, parsed.Full, about)
	}
	if err == nil {
		err = h.dockerDone(w, r, seq)
	}
	if err != nil {
		return 0, nil, err
	}
	v, err := h.dockerWhole(r.Context(), c.p, id.Repository, access.Admin)
	return http.StatusCreated, v, err
}

// checkAbout refuses, before a repository is made, what Describe would refuse
// after it.
func checkAbout(d repository.Description) error {
	switch {
	case utf8.RuneCountInString(d.Line) > repository.MaxDescription, strings.ContainsFunc(d.Line, unicode.IsControl), strings.ContainsAny(d.Line, "\u2028\u2029"):
		return fail(http.StatusBadRequest, "a description is one line of at most "+strconv.Itoa(repository.MaxDescription)+" characters")
	case len(d.Readme) > repository.MaxReadme, strings.ContainsRune(d.Readme, 0):
		return fail(http.StatusBadRequest, "a full description is text of at most "+strconv.Itoa(repository.MaxReadme)+" bytes")
	}
	return nil
}

func visibilityOf(private bool) string {
	if private {
		return events.Private
	}
	return events.Public
}

// dockerDone waits for a change and says where it stands in the log.
func (h *Hub) dockerDone(w http.ResponseWriter, r *http.Request, seq uint64) error {
	if err := h.settle(r.Context(), seq); err != nil {
		return err
	}
	w.Header().Set(sequenceHeader, strconv.FormatUint(seq, 10))
	return nil
}
