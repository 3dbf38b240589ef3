package settings

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

type accessPage struct {
	Repository apitypes.RepositoryDetails
	apitypes.List[apitypes.Access]
	Grants     []apitypes.Grant
	MoreGrants string // address of the page with further ones, "" for none
	// As is what the account that ?as= names may do; Unknown when there is none.
	As      *apitypes.Access
	Unknown bool
	// Changes is the address of what has changed in the namespace, "" for who may not see that.
	Changes string
	// Refused is what the registry refused to accounts lately, the latest first.
	Refused []apitypes.Event
}

// maxRefused bounds what the page shows of refusals; the audit log has them all.
const maxRefused = "10"

func showAccess(v *frame.Visit) (any, error) {
	p := accessPage{}
	var err error
	if p.Repository, err = frame.Repository(v); err != nil {
		return nil, err
	}
	q := v.InPast(v.Paged())
	if p.List, err = frame.Get[apitypes.List[apitypes.Access]](v, frame.Path("repositories", v.Repo(), "access"), q); err != nil {
		return nil, err
	}
	// The page has two lists: ?roles= is the cursor of this one.
	of := v.InPast(url.Values{"limit": {"50"}})
	if at := v.Query("roles"); at != "" {
		of.Set("cursor", at)
	}
	grants, err := frame.Get[apitypes.List[apitypes.Grant]](v, frame.Path("repositories", v.Repo(), "grants"), of)
	if err != nil {
		return nil, err
	}
	p.Grants = grants.Items
	if v.Past() == "" {
		refused, err := frame.Get[apitypes.EventPage](v, "/events", url.Values{"q": {refusals(v)}, "limit": {maxRefused}})
		if err != nil {
			return nil, err
		}
		p.Refused = refused.Items
	}
	ns, err := frame.Get[apitypes.Namespace](v, frame.Path("namespaces", v.Path("namespace")), nil)
	if err != nil && !frame.Missing(err) { // who has a role on the repository alone has no part in its namespace
		return nil, err
	}
	if ns.Level == "admin" {
		p.Changes = "/n/" + url.PathEscape(ns.Name) + "/-/access/changes"
	}
	if next, err := url.Parse(grants.Next); err == nil && grants.Next != "" {
		p.MoreGrants = v.With("roles", next.Query().Get("cursor")) + "#roles"
	}
	if name := strings.TrimSpace(v.Query("as")); name != "" {
		as, err := frame.Get[apitypes.Access](v, frame.Path("repositories", v.Repo(), "access", name), v.InPast(url.Values{}))
		var problem *endpoint.Problem
		if p.Unknown = errors.As(err, &problem) && problem.Status < 500; err != nil && !p.Unknown {
			return nil, err
		}
		if err == nil {
			p.As = &as
		}
	}
	return p, nil
}

// refusals finds the events of what was refused on the page's repository.
func refusals(v *frame.Visit) string { return "type:refusals.counted repo:" + v.Repo() }

// Refusals is what the audit log is asked for to see them all.
func (p accessPage) Refusals() string { return "type:refusals.counted repo:" + p.Repository.Name }

func giveRole(v *frame.Visit) (string, error) {
	seq, err := frame.GiveRole(v, frame.Path("repositories", v.Repo()))
	return frame.Done(frame.RepoPage(v.Repo())+"/-/access", seq, err)
}

func withdrawRole(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, frame.Path("repositories", v.Repo(), "grants", v.Sent.Get("kind"), v.Sent.Get("grantee")), nil, nil)
	return frame.Done(frame.RepoPage(v.Repo())+"/-/access", seq, err)
}
