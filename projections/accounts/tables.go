// Package accounts is the read model of who there is and who may do what:
// users, organizations, their teams and robot accounts, memberships, grants,
// access tokens, quotas, and which repositories live and are public.
//
// Each row states what the latest fact of one aggregate says. What follows for
// others is a join: a deleted team hides its memberships and grants, who left
// an organization is in none of its teams until they are put there anew, a
// deleted repository hides the grants on it. So nothing has to be written twice, or in any order.
package accounts

import "hubledger/projections"

func i(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Int} }
func b(name string) projections.Column {
	return projections.Column{Name: name, Kind: projections.Bytes}
}
func t(name string) projections.Column { return projections.Column{Name: name, Kind: projections.Text} }

var (
	// hub has one row: the administrator that hub.initialized names.
	hub = &projections.Table{
		Name: "hub", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{i("one"), b("admin"), i("time")},
	}

	// namespaces: kind is empty for one that a push made before there were
	// accounts; time is when it became what it is.
	namespaces = &projections.Table{
		Name: "namespaces", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{t("name"), b("namespace"), t("kind"), i("time"), i("seq")},
		Indexes: [][]string{{"namespace"}, {"kind", "name"}},
	}

	quotas = &projections.Table{
		Name: "quotas", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("namespace"), i("bytes"), i("images"), i("seq")},
	}

	standings = &projections.Table{
		Name: "standings", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("account"), i("admin"), i("disabled"), i("seq")},
		Indexes: [][]string{{"admin"}},
	}

	// passwords: seq is that of the latest change.
	passwords = &projections.Table{
		Name: "passwords", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("account"), i("seq")},
	}

	emails = &projections.Table{
		Name: "emails", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("account"), i("present"), i("seq")},
	}

	erasures = &projections.Table{
		Name: "erasures", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("account"), i("time")},
	}

	// memberships in a team, or in an organization itself, whose id then
	// stands for the team's. The role is empty when it was revoked.
	memberships = &projections.Table{
		Name: "memberships", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("team"), b("account"), b("organization"), t("role"), i("seq")},
		Indexes: [][]string{{"account"}},
	}

	// departures: seq is that of the latest event that took an account out of an
	// organization. Memberships of teams from before it count no more, also when
	// the account joins again.
	departures = &projections.Table{
		Name: "departures", Key: 2, Merge: projections.Max,
		Columns: []projections.Column{b("organization"), b("account"), i("seq")},
	}

	teams = &projections.Table{
		Name: "teams", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("team"), b("organization"), t("name"), t("description"), i("time"), i("deleted"), i("seq")},
		Indexes: [][]string{{"organization", "name"}},
	}

	robots = &projections.Table{
		Name: "robots", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("robot"), b("organization"), t("name"), t("description"), i("time"), i("deleted"), i("seq")},
		Indexes: [][]string{{"organization", "name"}},
	}

	// grants: repo is empty for all of the namespace, role when withdrawn.
	grants = &projections.Table{
		Name: "grants", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("grantee"), b("namespace"), b("repo"), t("grantee_kind"), t("role"), i("seq")},
		Indexes: [][]string{{"namespace", "repo"}},
	}

	// tokens: repositories is a JSON list, empty for all; expires is 0 for never.
	tokens = &projections.Table{
		Name: "tokens", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("token"), b("namespace"), t("kind"), b("account"), t("owner_kind"), t("name"),
			b("hash"), t("level"), t("repositories"), i("time"), i("expires"), i("seq")},
		Indexes: [][]string{{"hash"}, {"account", "time"}},
	}

	// live has the tokens that were not revoked, few for each account, so that
	// they are quickly counted.
	live = &projections.Table{
		Name: "live", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("namespace"), b("token"), b("account"), t("kind"), i("expires"), i("seq")},
		Indexes: [][]string{{"account"}},
	}

	revocations = &projections.Table{
		Name: "revocations", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("token"), i("time")},
	}

	// names says which repository a full name stands for, as in the registry's
	// read model: after a deletion and a new creation for the newer one.
	names = &projections.Table{
		Name: "names", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{t("name"), b("repo"), b("namespace"), i("deleted"), i("seq")},
		Indexes: [][]string{{"repo"}},
	}

	visibilities = &projections.Table{
		Name: "visibilities", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("repo"), t("visibility"), i("seq")},
	}
)

// Projection is the read model; raise Version with every change of its tables
// or of apply.
var Projection = projections.Projection{
	Name:    "accounts",
	Version: 1,
	Tables: []*projections.Table{hub, namespaces, quotas, standings, passwords, emails, erasures, memberships,
		departures, teams, robots, grants, tokens, live, revocations, names, visibilities},
	Types: []string{
		"hub.initialized.v1",
		"namespace.created.v1", "namespace.adopted.v1", "quota.set.v1",
		"user.standing_changed.v1", "user.password_changed.v1", "user.email_changed.v1", "user.erased.v1",
		"membership.granted.v1", "membership.revoked.v1",
		"team.created.v1", "team.deleted.v1", "robot.created.v1", "robot.deleted.v1",
		"grant.given.v1", "grant.withdrawn.v1", "token.issued.v1", "token.revoked.v1",
		"repository.created.v1", "repository.deleted.v1", "repository.restored.v1", "repository.visibility_changed.v1",
	},
	Apply:   apply,
	Queries: queries,
}
