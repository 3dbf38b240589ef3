package accounts

import (
	"cmp"
	"net/url"
	"strconv"

	"hubledger/services/cmd/client"
	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
)

// Access are the commands on rights in a namespace.
type Access struct {
	Diff accessDiffCmd `cmd:"" help:"List how the rights in a namespace differ from those at an earlier time."`
}

type accessDiffCmd struct {
	console.Target
	Namespace string `arg:"" help:"Name of an organization or a user."`
	Since     string `required:"" help:"Time such as 2026-11-01T12:00:00Z, or the sequence of an event such as s12345." placeholder:"WHEN"`
	Until     string `help:"Likewise; default: now." placeholder:"WHEN"`
}

func (c *accessDiffCmd) Help() string {
	return `Members, teams, robot accounts, grants, the visibility of repositories, and the state of accounts with rights there. What was given and
taken back in between does not show: ` + "`hubledger report --only access`" + ` has every event.`
}

func (c *accessDiffCmd) Run(s *console.Session) error {
	a, err := c.API(s)
	if err != nil {
		return err
	}
	q := url.Values{"since": {c.Since}}
	if c.Until != "" {
		q.Set("until", c.Until)
	}
	return console.List(a, client.Path("namespaces", c.Namespace, "access-changes"), q, "Nothing differs.", []string{"WHAT", "ON", "WHO", "WAS", "IS", "EVENT", "BY", "TIME"}, func(v apitypes.AccessChange) []string {
		row := []string{v.Kind, v.On, v.Who, cmp.Or(v.Was, "-"), cmp.Or(v.Is, "-"), "", "", ""}
		if v.Given != nil {
			row[5], row[6], row[7] = strconv.FormatUint(v.Seq, 10), v.By, console.Time(&v.Since)
		}
		return row
	})
}

// asOf is the flag by which lists are as of an earlier time.
type asOf struct {
	AsOf string `help:"As of a time such as 2026-11-01T12:00:00Z, or of when the event of that sequence was the last, such as s12345." placeholder:"WHEN"`
}

// query is that of a list.
func (f asOf) query() url.Values { return client.AsOf(f.AsOf) }
