package people

import (
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type organizationsPage struct {
	apitypes.List[apitypes.Organization]
	MayCreate bool
}

func showOrganizations(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Organization]](v, "/orgs", v.Paged())
	if err != nil {
		return nil, err
	}
	hub, err := frame.Get[apitypes.Hub](v, "/hub", nil)
	return organizationsPage{list, v.Principal.Admin || !hub.OnlyAdminsCreateOrganizations}, err
}

func createOrganization(v *frame.Visit) (string, error) {
	name := strings.TrimSpace(v.Sent.Get("name"))
	seq, err := v.Send(http.MethodPost, "/orgs", apitypes.CreateOrganizationRequest{Name: name}, nil)
	return frame.Done(namespaceAt(name), seq, frame.At("name", err))
}

func leadToNamespace(v *frame.Visit) (any, error) {
	return nil, v.Lead(namespaceAt(v.Path("namespace")))
}

func namespaceAt(name string) string { return "/n/" + url.PathEscape(name) }

type membersPage struct {
	Head *namespaceHead
	apitypes.List[apitypes.Member]
	Invitations []apitypes.Invitation
}

func showMembers(v *frame.Visit) (any, error) {
	p := membersPage{}
	var err error
	if p.Head, err = head(v, "members"); err != nil {
		return nil, err
	}
	if p.List, err = paged[apitypes.Member](v, "orgs", p.Head.Name, "members"); err != nil {
		return nil, err
	}
	if p.Head.Owns() && v.Past() == "" {
		p.Invitations, err = whole[apitypes.Invitation](v, "orgs", p.Head.Name, "invitations")
	}
	return p, err
}

func setMember(v *frame.Visit) (string, error) {
	return memberTo(v, strings.TrimSpace(v.Sent.Get("member")))
}

func changeMember(v *frame.Visit) (string, error) { return memberTo(v, v.Path("member")) }

func memberTo(v *frame.Visit, name string) (string, error) {
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodPut, frame.Path("orgs", ns, "members", name), apitypes.SetMemberRequest{Role: v.Sent.Get("role")}, nil)
	return frame.Done(namespaceAt(ns)+"/-/members", seq, frame.At("member", missing("member", name, err)))
}

func withdrawInvitation(v *frame.Visit) (string, error) {
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodDelete, frame.Path("orgs", ns, "invitations", v.Sent.Get("user")), nil, nil)
	return frame.Done(namespaceAt(ns)+"/-/members", seq, err)
}

type memberPage struct {
	Head   *namespaceHead
	Member apitypes.Member
	Me     bool
}

func showMember(v *frame.Visit) (any, error) {
	h, err := head(v, "members")
	if err != nil {
		return nil, err
	}
	m, err := named(v, v.Path("member"), func(m apitypes.Member) string { return m.Name }, "orgs", h.Name, "members")
	return memberPage{h, m, m.Name == v.Me()}, err
}

func removeMember(v *frame.Visit) (string, error) {
	ns, name := v.Path("namespace"), v.Path("member")
	seq, err := v.Send(http.MethodDelete, frame.Path("orgs", ns, "members", name), nil, nil)
	to := namespaceAt(ns) + "/-/members"
	if name == v.Me() {
		to = "/account"
	}
	return frame.Done(to, seq, err)
}
