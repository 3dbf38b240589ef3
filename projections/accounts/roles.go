package accounts

import (
	"context"
	"errors"

	"hubledger/projections"
)

// Resolved is what a repository's full name stands for, as far as decisions
// about access need it.
type Resolved struct {
	Namespace  *Namespace  // nil: there is none of that name
	Repository *Repository // nil: there is no live one of that name
	FirstAdmin string      // id; "" before hub.initialized
}

// Resolve looks up a full name in the namespace of that name. It runs the same
// queries whether they exist or not, so that its time tells nothing.
func (r Reader) Resolve(ctx context.Context, namespace, name string) (Resolved, error) {
	var p Resolved
	var first []byte
	n := Namespace{Name: namespace}
	var id []byte
	err := r.DB.QueryRowContext(ctx, `SELECT n.namespace, n.kind, COALESCE(q.bytes, 0), COALESCE(q.images, 0), h.admin
		FROM namespaces n LEFT JOIN quotas q ON q.namespace = n.namespace LEFT JOIN hub h ON h.one = 0
		WHERE n.name = $1`, namespace).Scan(&id, &n.Kind, &n.QuotaBytes, &n.QuotaImages, &first)
	if err == nil {
		n.ID, p.FirstAdmin = projections.IDOf(id), projections.IDOf(first)
		p.Namespace = &n
	} else if !errors.Is(notFound(err, ""), ErrNotFound) {
		return p, err
	}
	p.Repository, err = r.Repository(ctx, name)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return p, err
}

// A Role is one membership or grant that gives an account rights in a namespace.
type Role struct {
	Role         string // owner or member of the organization, or a grant's read, write or admin
	Member       bool   // Role is that in the organization, not that of a grant
	Grantee      string // id of the grantee; "" for a Member
	Wide         bool   // the grant is on the whole namespace
	Team         string // name of the team that it was granted to; "" for none
	Organization string // id, of that team
	Given
}

const granted = `FROM grants g WHERE g.namespace = $2 AND (g.repo = $3 OR g.repo = $4) AND g.role <> '' `

// Roles lists what gives an account rights in a namespace: its membership in the
// organization, and the grants to it or its teams, on the whole namespace or on
// the given repository. An empty id of a namespace or repository finds nothing,
// by the same queries.
func (r Reader) Roles(ctx context.Context, account, namespace, repository string) ([]Role, error) {
	who, err := key(account)
	if err != nil {
		return nil, err
	}
	ns, err := repoKey(namespace)
	if err != nil {
		return nil, err
	}
	repo, err := repoKey(repository)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanRole, `SELECT g.role, g.grantee, g.repo, '', g.grantee, 0, g.actor, g.time, g.seq `+granted+`AND g.grantee = $1
		UNION ALL SELECT m.role, m.account, m.team, '', m.team, 1, m.actor, m.time, m.seq FROM memberships m WHERE m.team = $2 AND m.account = $1 AND m.role <> ''
		UNION ALL SELECT g.role, g.grantee, g.repo, t.name, t.organization, 0, g.actor, g.time, g.seq FROM memberships m
			JOIN teams t ON t.team = m.team AND t.organization = m.organization AND t.deleted = 0
			`+inTeam+`
			JOIN grants g ON g.grantee = m.team AND g.namespace = $2 AND (g.repo = $3 OR g.repo = $4) AND g.role <> ''
			WHERE m.account = $1 AND m.role <> '' `+stayed, who, ns, repo, []byte{})
}

func scanRole(row projections.Row) (Role, error) {
	var v Role
	var grantee, repo, organization []byte
	var by string
	var at, seq int64
	if err := row.Scan(&v.Role, &grantee, &repo, &v.Team, &organization, &v.Member, &by, &at, &seq); err != nil {
		return v, err
	}
	v.Given = givenBy(by, at, seq)
	switch {
	case v.Member:
	case v.Team != "":
		v.Organization = projections.IDOf(organization)
		fallthrough
	default:
		v.Grantee, v.Wide = projections.IDOf(grantee), len(repo) == 0
	}
	return v, nil
}
