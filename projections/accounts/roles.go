package accounts

import (
	"context"
	"errors"

	"hubledger/projections"
)

// A Place is what a repository's full name stands for, as far as a decision
// about it needs that.
type Place struct {
	Namespace  *Namespace  // nil: there is none of that name
	Repository *Repository // nil: none of that name lives
	FirstAdmin string      // id; "" before hub.initialized
}

// Place looks up a full name in the namespace of that name. It asks the same
// whether they are there or not.
func (r Reader) Place(ctx context.Context, namespace, name string) (Place, error) {
	var p Place
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

// A Role is what one row says of somebody's rights in a namespace.
type Role struct {
	Role         string // owner or member of the organization, or a grant's read, write or admin
	Member       bool   // Role is that in the organization, not that of a grant
	Grantee      string // id of whom it was granted to; "" for a Member
	Wide         bool   // the grant is on all of the namespace
	Team         string // name of the team that it was granted to; "" for none
	Organization string // id, of that team
}

const granted = `FROM grants g WHERE g.namespace = $2 AND (g.repo = $3 OR g.repo = $4) AND g.role <> '' `

// Roles lists what gives an account rights in a namespace: their membership in
// its organization, and the grants, to them or their teams, on all of it or on
// the given repository. "" for either id finds nothing, by the same queries.
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
	return listOf(ctx, r.DB, scanRole, `SELECT g.role, g.grantee, g.repo, '', g.grantee, 0 `+granted+`AND g.grantee = $1
		UNION ALL SELECT m.role, m.account, m.team, '', m.team, 1 FROM memberships m WHERE m.team = $2 AND m.account = $1 AND m.role <> ''
		UNION ALL SELECT g.role, g.grantee, g.repo, t.name, t.organization, 0 FROM memberships m
			JOIN teams t ON t.team = m.team AND t.organization = m.organization AND t.deleted = 0
			`+inTeam+`
			JOIN grants g ON g.grantee = m.team AND g.namespace = $2 AND (g.repo = $3 OR g.repo = $4) AND g.role <> ''
			WHERE m.account = $1 AND m.role <> '' `+stayed, who, ns, repo, []byte{})
}

func scanRole(row scanner) (Role, error) {
	var v Role
	var grantee, repo, organization []byte
	if err := row.Scan(&v.Role, &grantee, &repo, &v.Team, &organization, &v.Member); err != nil {
		return v, err
	}
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
