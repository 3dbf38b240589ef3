package web

import (
	"net/url"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

// A home is what the first page shows.
type home struct {
	Repositories  []apitypes.Repository // those that the visitor may see, pushed last first
	Organizations []apitypes.Organization
	Invitations   []apitypes.Invitation
	Deployments   []apitypes.OpenDeployment // those that need the visitor
	Failed        []apitypes.Build          // the latest of what the visitor may build
	Events        []apitypes.Event          // the latest that the visitor may see, without steps and logs of builds
}

func (p *pages) home(v *frame.Visit) (any, error) {
	h, most := home{}, "10"
	if v.SignedIn() {
		most = "15"
	}
	found, err := frame.Get[apitypes.List[apitypes.Repository]](v, "/search", url.Values{"sort": {"updated"}, "limit": {most}})
	if h.Repositories = found.Items; err != nil || !v.SignedIn() {
		return h, err
	}
	organizations, err := frame.Get[apitypes.List[apitypes.Organization]](v, "/orgs", nil)
	if err != nil {
		return nil, err
	}
	invitations, err := frame.Get[apitypes.List[apitypes.Invitation]](v, "/user/invitations", nil)
	if err != nil {
		return nil, err
	}
	failed, err := frame.Get[apitypes.List[apitypes.Build]](v, "/builds", url.Values{"state": {"failed"}, "limit": {"5"}})
	if err != nil {
		return nil, err
	}
	open, err := frame.Get[apitypes.List[apitypes.OpenDeployment]](v, "/deployments", nil)
	if err != nil {
		return nil, err
	}
	for _, d := range open.Items {
		if d.Needs != "" && len(h.Deployments) < 10 {
			h.Deployments = append(h.Deployments, d)
		}
	}
	happened, err := frame.Get[apitypes.EventPage](v, "/events", url.Values{"limit": {"8"}, "q": {"-type:build.step_ended -type:build.log_sealed"}})
	h.Organizations, h.Invitations, h.Failed, h.Events = organizations.Items, invitations.Items, failed.Items, happened.Items
	return h, err
}
