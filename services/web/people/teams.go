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
	Head  *namespaceHead
	Teams []apitypes.Team
}

func showTeams(v *frame.Visit) (any, error) {
	h, err := head(v, "teams")
	if err != nil {
		return nil, err
	}
	teams, err := whole[apitypes.Team](v, "orgs", h.Name, "teams")
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
	Head    *namespaceHead
	Team    apitypes.Team
	Members []apitypes.Member
	Others  []string // members of the organization who are not in it
}

func showTeam(v *frame.Visit) (any, error) {
	h, err := head(v, "teams")
	if err != nil {
		return nil, err
	}
	p := teamPage{Head: h}
	teams, err := whole[apitypes.Team](v, "orgs", h.Name, "teams")
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		if t.Name == v.Path("team") {
			p.Team = t
		}
	}
	if p.Team.Name == "" {
		return nil, notFound()
	}
	if p.Members, err = whole[apitypes.Member](v, "orgs", h.Name, "teams", p.Team.Name, "members"); err != nil {
		return nil, err
	}
	in := map[string]bool{}
	for _, m := range p.Members {
		in[m.Name] = true
	}
	all, err := whole[apitypes.Member](v, "orgs", h.Name, "members")
	for _, m := range all {
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
