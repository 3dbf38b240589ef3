package people

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"hubledger/events"
	"hubledger/projections"
	"hubledger/projections/accounts"
)

// Kinds of changes.
const (
	KindMember     = "member"     // of the organization
	KindTeamMember = "teamMember" // On is the team
	KindRobot      = "robot"
	KindGrant      = "grant"      // On is the repository, or the namespace with a slash
	KindVisibility = "visibility" // On is the repository
	KindAccount    = "account"    // of somebody who has a right in the namespace
)

// A Change is a right that somebody had before and has not after, or the other way round, or
// another one.
type Change struct {
	Kind    string
	Who, On string // "" where that says nothing
	Was, Is string // a role, a visibility or a state; "" for none
	// Given is the latest event about it, if it is its own: a deleted team or repository, or
	// leaving an organization, takes other rights along.
	Given accounts.Given
}

// A right is what somebody has.
type right struct{ kind, who, on string }

type held struct {
	what  string
	given accounts.Given
	// row is a query for the row that has it, of those that say that it was taken away.
	row  string
	keys []string // ids of that query
}

// Diff is in what the rights in a namespace differ between two times, by kind, what they are
// on, and who has them.
func Diff(ctx context.Context, ns *accounts.Namespace, before, after *Then) ([]Change, error) {
	was, knew, err := before.rights(ctx, ns)
	if err != nil {
		return nil, err
	}
	is, knows, err := after.rights(ctx, ns)
	if err != nil {
		return nil, err
	}
	keys := map[right]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range is {
		keys[k] = true
	}
	list := []Change{}
	for k := range maps.Keys(keys) {
		if was[k].what == is[k].what || k.kind == KindAccount && !(knew[k.who] && knows[k.who]) {
			continue // of who came or went, the state of the account has not changed by that
		}
		c := Change{Kind: k.kind, Who: k.who, On: k.on, Was: was[k].what, Is: is[k].what, Given: is[k].given}
		if c.Is == "" {
			if c.Given, err = after.ended(ctx, was[k]); err != nil {
				return nil, err
			}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Change) int {
		return cmp.Or(cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(a.On, b.On), cmp.Compare(a.Who, b.Who))
	})
	return list, nil
}

func order(kind string) int {
	return slices.Index([]string{KindMember, KindTeamMember, KindRobot, KindGrant, KindVisibility, KindAccount}, kind)
}

// rights are all in the namespace, and the users that have one.
func (t *Then) rights(ctx context.Context, ns *accounts.Namespace) (all map[right]held, people map[string]bool, err error) {
	all, people = map[right]held{}, map[string]bool{}
	members := func(kind, group, on string) error {
		list, err := t.Members(ctx, group)
		for _, m := range list {
			all[right{kind, m.Name, on}] = held{m.Role, m.Given, membershipRow, []string{group, m.User}}
			people[m.Name] = true
		}
		return err
	}
	if ns.Kind == events.KindUser {
		people[ns.Name] = true
	}
	if err := members(KindMember, ns.ID, ""); err != nil {
		return nil, nil, err
	}
	teams, err := t.Teams(ctx, ns.ID)
	if err != nil {
		return nil, nil, err
	}
	for _, team := range teams {
		if err := members(KindTeamMember, team.ID, team.Name); err != nil {
			return nil, nil, err
		}
	}
	robots, err := t.Robots(ctx, ns.ID)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range robots {
		all[right{KindRobot, r.Name, ""}] = held{what: "exists"}
	}
	repositories, err := projections.ListOf(ctx, t.DB, scanRepository, `SELECT n.name, n.repo, COALESCE(v.visibility, ''), COALESCE(v.seq, 0) FROM names n LEFT JOIN visibilities v ON v.repo = n.repo WHERE n.deleted = 0 ORDER BY n.name`)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range append([]repository{{name: ns.Name + "/"}}, repositories...) {
		grants, err := t.Grants(ctx, ns.ID, r.id)
		if err != nil {
			return nil, nil, err
		}
		for _, g := range grants {
			who := g.GranteeName
			if g.GranteeKind == events.GranteeTeam {
				who = "team:" + who
			}
			all[right{KindGrant, who, r.name}] = held{g.Role, g.Given, grantRow, []string{g.Grantee, ns.ID, r.id}}
			people[who] = people[who] || g.GranteeKind == events.GranteeUser
		}
		if r.id != "" {
			all[right{KindVisibility, "", r.name}] = held{what: cmp.Or(r.visibility, events.Private), given: accounts.Given{Seq: r.seq}}
		}
	}
	for name, is := range people {
		if !is {
			continue
		}
		a, err := t.Account(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		state := ""
		switch {
		case a.Erased:
			state = "erased"
		case a.Disabled:
			state = "disabled"
		case a.Admin:
			state = "administrator of the hub"
		}
		if state != "" {
			all[right{KindAccount, name, ""}] = held{what: state}
		}
	}
	return all, people, nil
}

type repository struct {
	name, id, visibility string
	seq                  uint64
}

func scanRepository(row projections.Row) (r repository, err error) {
	var id []byte
	var seq int64
	err = row.Scan(&r.name, &id, &r.visibility, &seq)
	r.id, r.seq = projections.IDOf(id), uint64(seq)
	return r, err
}

const (
	membershipRow = `SELECT actor, time, seq FROM memberships WHERE team = $1 AND account = $2 AND role = ''`
	grantRow      = `SELECT actor, time, seq FROM grants WHERE grantee = $1 AND namespace = $2 AND repo = $3 AND role = ''`
)

// ended is who took something away, and when; zero when something else took it along.
func (t *Then) ended(ctx context.Context, h held) (accounts.Given, error) {
	if h.row == "" {
		return accounts.Given{}, nil
	}
	var keys []any
	for _, id := range h.keys {
		raw := []byte{}
		if id != "" {
			var err error
			if raw, err = projections.IDBytes(id); err != nil {
				return accounts.Given{}, err
			}
		}
		keys = append(keys, raw)
	}
	list, err := projections.ListOf(ctx, t.DB, func(row projections.Row) (g accounts.Given, err error) {
		var at, seq int64
		err = row.Scan(&g.By, &at, &seq)
		g.At, g.Seq = time.UnixMicro(at).UTC(), uint64(seq)
		return g, err
	}, h.row, keys...)
	if err != nil || len(list) == 0 {
		return accounts.Given{}, err
	}
	return list[0], nil
}
