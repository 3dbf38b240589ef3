package web

import (
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

// A home is what the first page shows.
type home struct {
	Repositories  []apitypes.Repository // of the visitor's namespaces, those pushed last first
	Mine          bool                  // they are the visitor's own; else what everybody may see
	Namespace     string                // that the first push goes to
	Invitations   []apitypes.Invitation
	Organizations []apitypes.Organization
}

func (p *pages) home(v *frame.Visit) (any, error) {
	h := home{}
	if !v.SignedIn() {
		found, err := frame.Get[apitypes.List[apitypes.Repository]](v, "/search", url.Values{"sort": {"updated"}, "limit": {"10"}})
		h.Repositories = found.Items
		return h, err
	}
	h.Mine, h.Namespace = true, v.Me()
	mine, err := frame.Get[apitypes.List[apitypes.Repository]](v, "/search", url.Values{"sort": {"updated"}, "limit": {"15"}})
	if err != nil {
		return nil, err
	}
	h.Repositories = mine.Items
	organizations, err := frame.Get[apitypes.List[apitypes.Organization]](v, "/orgs", nil)
	if err != nil {
		return nil, err
	}
	h.Organizations = organizations.Items
	if v.Principal.Limit == nil {
		invitations, err := frame.Get[apitypes.List[apitypes.Invitation]](v, "/user/invitations", nil)
		if err != nil {
			return nil, err
		}
		h.Invitations = invitations.Items
	}
	return h, nil
}
