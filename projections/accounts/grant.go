package accounts

import (
	"context"
	"time"

	"hubledger/projections"
)

// A Grant is a role of a user, team or robot account.
type Grant struct {
	Grantee, GranteeKind string // id; user, team or robot
	GranteeName          string // login name, or name of the team
	Organization         string // id, of the team or robot account; "" for a user
	Namespace            string // id
	Repository           string // id; "" for a grant on the whole namespace
	RepositoryName       string // full name; that of the namespace when Repository is ""
	Role                 string // read, write or admin
	Given
}

// Given says who gave a role, and when.
type Given struct {
	By  string // login name, or operator
	At  time.Time
	Seq uint64 // of the event
}

func givenBy(by string, at, seq int64) Given {
	return Given{By: by, At: timeOf(at), Seq: uint64(seq)}
}

// A grant counts while its grantee and its repository exist.
const grantColumns = `SELECT g.grantee, g.grantee_kind, COALESCE(t.name, o.name || '+' || b.name, u.name), COALESCE(t.organization, b.organization),
	g.namespace, g.repo, COALESCE(n.name, s.name), g.role, g.actor, g.time, g.seq
	FROM grants g JOIN namespaces s ON s.namespace = g.namespace
	LEFT JOIN names n ON n.repo = g.repo AND n.deleted = 0
	LEFT JOIN teams t ON t.team = g.grantee AND t.deleted = 0
	LEFT JOIN robots b ON b.robot = g.grantee AND b.deleted = 0
	LEFT JOIN namespaces o ON o.namespace = b.organization
	LEFT JOIN namespaces u ON u.namespace = g.grantee AND u.kind = 'user'
		AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = u.namespace)
	WHERE g.role <> '' AND (t.name IS NOT NULL OR b.name IS NOT NULL OR u.name IS NOT NULL) `

func scanGrant(row projections.Row) (Grant, error) {
	var g Grant
	var grantee, organization, namespace, repo []byte
	var by string
	var at, seq int64
	err := row.Scan(&grantee, &g.GranteeKind, &g.GranteeName, &organization, &namespace, &repo, &g.RepositoryName, &g.Role, &by, &at, &seq)
	g.Given = givenBy(by, at, seq)
	g.Grantee, g.Organization, g.Namespace, g.Repository = projections.IDOf(grantee), projections.IDOf(organization), projections.IDOf(namespace), projections.IDOf(repo)
	return g, err
}

// repoKey is the key of a grant's repository: empty for the whole namespace.
func repoKey(repository string) ([]byte, error) {
	if repository == "" {
		return []byte{}, nil
	}
	return key(repository)
}

// Grants lists the grants on one repository, or, when repository is empty, those
// on the whole namespace.
func (r Reader) Grants(ctx context.Context, namespace, repository string) ([]Grant, error) {
	ns, err := key(namespace)
	if err != nil {
		return nil, err
	}
	repo, err := repoKey(repository)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanGrant, grantColumns+`AND g.namespace = $1 AND g.repo = $2 AND (g.repo = $3 OR n.name IS NOT NULL)
		ORDER BY g.grantee_kind, 3`, ns, repo, []byte{})
}

// GrantsOf lists the grants to a user, team or robot account itself.
func (r Reader) GrantsOf(ctx context.Context, grantee string) ([]Grant, error) {
	raw, err := key(grantee)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanGrant, grantColumns+`AND g.grantee = $1 AND (g.repo = $2 OR n.name IS NOT NULL) ORDER BY 7`, raw, []byte{})
}

// GrantsTo lists the grants to a user or robot account and to the teams that a
// user is in.
func (r Reader) GrantsTo(ctx context.Context, account string) ([]Grant, error) {
	return r.grantsTo(ctx, account, grantColumns+`AND (g.repo = $2 OR n.name IS NOT NULL) `, []byte{})
}

// GrantsEverTo is GrantsTo with those on repositories that were deleted, whose
// RepositoryName is that of the namespace.
func (r Reader) GrantsEverTo(ctx context.Context, account string) ([]Grant, error) {
	return r.grantsTo(ctx, account, grantColumns)
}

// grantsTo lists those of the grants; args are the values of its places from $2 on.
func (r Reader) grantsTo(ctx context.Context, account, those string, args ...any) ([]Grant, error) {
	raw, err := key(account)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanGrant, those+`AND g.grantee = $1
		UNION ALL `+those+`AND g.grantee IN (SELECT m.team FROM memberships m
			JOIN teams w ON w.team = m.team AND w.organization = m.organization AND w.deleted = 0
			`+inTeam+`WHERE m.account = $1 AND m.role <> '' `+stayed+`)`, append([]any{raw}, args...)...)
}
