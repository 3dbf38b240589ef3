package people

import (
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/endpoint"
	"hubledger/services/web/frame"
)

func notFound() error { return endpoint.NotFound() }

// missing names the field with a name that nothing has: the API answers 404, and so
// would the page.
func missing(field, name string, err error) error {
	switch {
	case name == "":
		return endpoint.Invalid(field, "write a name")
	case frame.Missing(err):
		return endpoint.Invalid(field, "there is no user of that name").Because(err)
	}
	return err
}

type teamsPage struct {
	Head *namespaceHead
	apitypes.List[apitypes.Team]
}

func showTeams(v *frame.Visit) (any, error) {
	h, err := head(v, "teams")
	if err != nil {
		return nil, err
	}
	teams, err := paged[apitypes.Team](v, "orgs", h.Name, "teams")
	return teamsPage{h, teams}, err
}

func teamAt(ns, team string) string { return namespaceAt(ns) + "/-/teams/" + url.PathEscape(team) }

func createTeam(v *frame.Visit) (string, error) {
	ns, want := v.Path("namespace"), wantedName(v.Sent)
	seq, err := v.Send(http.MethodPost, frame.Path("orgs", ns, "teams"), want, nil)
	return frame.Done(teamAt(ns, want.Name), seq, frame.At("name", err))
}

func wantedName(sent url.Values) apitypes.NameRequest {
	return apitypes.NameRequest{Name: strings.TrimSpace(sent.Get("name")), Description: strings.TrimSpace(sent.Get("description"))}
}

type teamPage struct {
	Head *namespaceHead
	Team apitypes.Team
	apitypes.List[apitypes.Member]
	Others []string // members of the organization to suggest, who are not among those of the page
}

func showTeam(v *frame.Visit) (any, error) {
	h, err := head(v, "teams")
	if err != nil {
		return nil, err
	}
	p := teamPage{Head: h}
	if p.Team, err = named(v, v.Path("team"), func(t apitypes.Team) string { return t.Name }, "orgs", h.Name, "teams"); err != nil {
		return nil, err
	}
	if p.List, err = paged[apitypes.Member](v, "orgs", h.Name, "teams", p.Team.Name, "members"); err != nil {
		return nil, err
	}
	if v.Past() != "" {
		return p, nil
	}
	in := map[string]bool{}
	for _, m := range p.Items {
		in[m.Name] = true
	}
	all, err := frame.Get[apitypes.List[apitypes.Member]](v, frame.Path("orgs", h.Name, "members"), url.Values{"limit": {"100"}})
	for _, m := range all.Items {
		if !in[m.Name] {
			p.Others = append(p.Others, m.Name)
		}
	}
	return p, err
}

func addToTeam(v *frame.Visit) (string, error) {
	return changeTeam(v, http.MethodPut)
}

func removeFromTeam(v *frame.Visit) (string, error) {
	return changeTeam(v, http.MethodDelete)
}

func changeTeam(v *frame.Visit, method string) (string, error) {
	ns, team, name := v.Path("namespace"), v.Path("team"), strings.TrimSpace(v.Sent.Get("member"))
	seq, err := v.Send(method, frame.Path("orgs", ns, "teams", team, "members", name), nil, nil)
	return frame.Done(teamAt(ns, team), seq, frame.At("member", missing("member", name, err)))
}

func deleteTeam(v *frame.Visit) (string, error) {
	ns := v.Path("namespace")
	seq, err := v.Send(http.MethodDelete, frame.Path("orgs", ns, "teams", v.Path("team")), nil, nil)
	return frame.Done(namespaceAt(ns)+"/-/teams", seq, err)
}
