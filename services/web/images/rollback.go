package images

import (
	"net/http"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

// A rollbackPage says what rolling a tag back changes.
type rollbackPage struct {
	Repository apitypes.RepositoryDetails
	Name       string
	Now        *shownTag // nil when the tag is not there
	To         *span     // nil when the tag has never named what was asked for
	// Lone says that the image which the tag names now has no other tag.
	Lone bool
}

func showRollback(v *frame.Visit) (any, error) {
	r, err := frame.Repository(v)
	if err != nil {
		return nil, err
	}
	p := rollbackPage{Repository: r, Name: v.Path("tag")}
	if p.Now, err = tagNow(v); err != nil {
		return nil, err
	}
	p.Lone = p.Now != nil && len(p.Now.Same) == 0
	to := v.Value("to", v.Query("to"))
	s, k, err := findSpan(v, "", func(s span) bool { return s.Digest == to && !s.Deleted })
	if err != nil {
		return nil, err
	}
	if k >= 0 {
		p.To = &s.Spans[k]
	}
	return p, nil
}

// rollBack rolls the tag back from what the page has shown, and leads to its history.
func rollBack(v *frame.Visit) (string, error) {
	if v.Sent.Get("to") == "" {
		return "", endpoint.Invalid("body.to", "say to which image: choose one in the history of the tag")
	}
	at := frame.Path("repositories", v.Repo(), "tags", v.Path("tag"), "rollback")
	seq, err := v.Send(http.MethodPost, at, apitypes.RollbackRequest{To: v.Sent.Get("to"), From: v.Sent.Get("from")}, nil)
	return frame.Done(frame.TagPage(v.Repo(), v.Path("tag"))+"/history", seq, err)
}
