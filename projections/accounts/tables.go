// Package accounts is the read model of who there is and who may do what:
// users, organizations, their teams and robot accounts, memberships, grants,
// access tokens, machines, quotas, and which repositories live and are public.
//
// Each row holds what the latest event of one aggregate says. What it means for
// other aggregates is decided by joins: a deleted team hides its memberships and
// grants, leaving an organization ends memberships of its teams until the user
// is added to them again, a deleted repository hides the grants on it. So an
// event writes only rows of its own aggregate, in any order with those of others.
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

	// namespaces: kind is empty for one that a push created before there were
	// accounts; time and creator are those of the event that set the kind. Joins by
	// id ask for the kind, too, so it is in that index: a planner that has no
	// statistics would otherwise look through all namespaces of the kind.
	namespaces = &projections.Table{
		Name: "namespaces", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{t("name"), b("namespace"), t("kind"), t("creator"), i("time"), i("seq")},
		Indexes: [][]string{{"namespace", "kind"}, {"kind", "name"}, {"creator", "kind"}},
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

	// secondFactors: factor is empty when it was turned off, and seq that of the latest change.
	secondFactors = &projections.Table{
		Name: "second_factors", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("account"), b("factor"), i("seq")},
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
	// stands for the team's. The role is empty when it was revoked; actor and time say
	// who gave it, and when.
	memberships = &projections.Table{
		Name: "memberships", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("team"), b("account"), b("organization"), t("role"), t("actor"), i("time"), i("seq")},
		Indexes: [][]string{{"account"}, {"team", "role"}},
	}

	// invitations to organizations; the role is empty when there is none any more.
	invitations = &projections.Table{
		Name: "invitations", Key: 2, Merge: projections.Put,
		Columns: []projections.Column{b("organization"), b("account"), t("role"), t("inviter"), i("time"), i("expires"), i("seq")},
		Indexes: [][]string{{"account"}},
	}

	// departures: seq is that of the latest event that took an account out of an
	// organization. It ends all earlier memberships of teams; joining the
	// organization again does not restore them.
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

	// grants: repo is empty for a grant on the whole namespace, and role when the
	// grant was withdrawn; actor and time say who gave it, and when.
	grants = &projections.Table{
		Name: "grants", Key: 3, Merge: projections.Put,
		Columns: []projections.Column{b("grantee"), b("namespace"), b("repo"), t("grantee_kind"), t("role"), t("actor"), i("time"), i("seq")},
		Indexes: [][]string{{"namespace", "repo"}},
	}

	// tokens: repositories and issuers are JSON lists, empty for all and for none;
	// expires is 0 for never.
	tokens = &projections.Table{
		Name: "tokens", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("token"), b("namespace"), t("kind"), b("account"), t("owner_kind"), t("name"),
			b("hash"), t("level"), t("repositories"), t("issuers"), i("time"), i("expires"), i("seq")},
		Indexes: [][]string{{"hash"}, {"account", "time"}},
	}

	// live has only the tokens that were not revoked: few for each account, so
	// that counting them is quick.
	live = &projections.Table{
		Name: "live", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("namespace"), b("token"), b("account"), t("kind"), i("expires"), i("seq")},
		Indexes: [][]string{{"account"}},
	}

	// issuers has every token that another one ends with. Whether that one was
	// revoked is a join: its own event may come before or after.
	issuers = &projections.Table{
		Name: "issuers", Key: 2, Merge: projections.Insert,
		Columns: []projections.Column{b("token"), b("issuer"), b("namespace")},
		Indexes: [][]string{{"issuer"}},
	}

	revocations = &projections.Table{
		Name: "revocations", Key: 1, Merge: projections.Insert,
		Columns: []projections.Column{b("token"), i("time")},
	}

	// names says which repository a full name stands for, as in package images: the
	// newer one when the name was deleted and created again.
	names = &projections.Table{
		Name: "names", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{t("name"), b("repo"), b("namespace"), i("deleted"), i("seq")},
		Indexes: [][]string{{"repo"}},
	}

	// machines: state is invited, enrolled or revoked, and time is when it became that.
	// Only an invited one has a hash of a token, until it expires, and only an
	// enrolled one has a key. namespaces are ids with commas between them.
	machines = &projections.Table{
		Name: "machines", Key: 1, Merge: projections.Put,
		Columns: []projections.Column{b("machine"), t("name"), t("kind"), t("state"), b("hash"), t("public_key"), i("expires"), t("namespaces"), t("actor"), i("time"), i("seq")},
		Indexes: [][]string{{"hash"}, {"public_key"}, {"kind", "state", "name"}},
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
	Version: 7,
	Tables: []*projections.Table{hub, namespaces, quotas, standings, passwords, secondFactors, emails, erasures, memberships, invitations,
		departures, teams, robots, grants, tokens, live, issuers, revocations, names, visibilities, machines},
	Types: []string{
		"hub.initialized.v1",
		"namespace.created.v1", "namespace.adopted.v1", "quota.set.v1",
		"user.standing_changed.v1", "user.password_changed.v1", "user.second_factor_changed.v1", "user.email_changed.v1", "user.erased.v1",
		"membership.granted.v1", "membership.revoked.v1", "membership.invited.v1", "membership.uninvited.v1",
		"team.created.v1", "team.deleted.v1", "robot.created.v1", "robot.deleted.v1",
		"grant.given.v1", "grant.withdrawn.v1", "token.issued.v1", "token.revoked.v1",
		"repository.created.v1", "repository.deleted.v1", "repository.restored.v1", "repository.visibility_changed.v1",
		"machine.invited.v1", "machine.enrolled.v1", "machine.revoked.v1",
	},
	Apply:   apply,
	Queries: queries,
}
