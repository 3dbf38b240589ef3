package repositories

import (
	"net/url"
	"strings"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

type reposAccessCmd struct {
	named
	Who  string `arg:"" optional:"" help:"User or robot account; without it, all who own the namespace or have a role."`
	AsOf string `help:"As of a time such as 2026-11-01T12:00:00Z, or of when the event of that sequence was the last, such as s12345." placeholder:"WHEN"`
}

func (c *reposAccessCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	header, row := []string{"WHO", "MAY", "WHY"}, func(v apitypes.Access) []string { return []string{v.Name, may(v), why(v)} }
	if c.Who == "" {
		return console.List(a, c.path()+"/access", client.AsOf(c.AsOf), "Nobody owns the namespace or has a role.", header, row)
	}
	v, err := console.Get[apitypes.Access](a, c.path()+"/access"+client.Path(c.Who)+console.If(c.AsOf != "", "?as_of="+url.QueryEscape(c.AsOf)))
	if err != nil {
		return err
	}
	if s.JSON {
		return s.Print(v)
	}
	return s.Table(header, [][]string{row(v)})
}

// may is what an account may do, in a word.
func may(v apitypes.Access) string {
	switch {
	case v.Blocked != "":
		return "nothing: " + v.Blocked
	case v.Level == "":
		return "nothing"
	}
	return v.Level
}

// why is what gives an account its rights.
func why(v apitypes.Access) string {
	var reasons []string
	for _, r := range v.Reasons {
		text := r.Why
		if r.Role != "" {
			text = "role " + r.Role
		}
		if r.Wide {
			text += " on the whole namespace"
		}
		if r.Team != "" {
			text += " by team:" + r.Team
		}
		if r.Given != nil {
			text += ", from " + r.By + " " + console.Time(&r.Since)
		}
		reasons = append(reasons, text)
	}
	return strings.Join(reasons, "; ")
}
