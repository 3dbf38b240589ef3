package accounts

import (
	"context"

	"hubledger/projections"
)

// An Organization as one user sees it in a list.
type Organization struct {
	ID, Name  string
	Role      string // the user's; "" for none
	Ownerless bool   // nobody who was not erased owns it: administrators of the hub name an owner
}

const organizationColumns = `SELECT o.namespace, o.name, COALESCE(m.role, ''), CASE WHEN EXISTS (SELECT 1 FROM memberships w
	WHERE w.team = o.namespace AND w.role = 'owner' AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.account = w.account)) THEN 0 ELSE 1 END `

func scanOrganization(row projections.Row) (Organization, error) {
	var o Organization
	var id []byte
	err := row.Scan(&id, &o.Name, &o.Role, &o.Ownerless)
	o.ID = projections.IDOf(id)
	return o, err
}

// Organizations lists at most n organizations by name, after last, with the role
// of a user; an empty id is nobody's.
func (r Reader) Organizations(ctx context.Context, user, last string, n int) ([]Organization, error) {
	raw, err := repoKey(user)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanOrganization, organizationColumns+`FROM namespaces o
		LEFT JOIN memberships m ON m.team = o.namespace AND m.account = $1
		WHERE o.kind = 'organization' AND o.name > $2 ORDER BY o.name LIMIT $3`, raw, last, n)
}

// OrganizationsOf lists at most n organizations that a user is in by name, after last.
func (r Reader) OrganizationsOf(ctx context.Context, user, last string, n int) ([]Organization, error) {
	raw, err := key(user)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanOrganization, organizationColumns+`FROM memberships m CROSS JOIN namespaces o
		WHERE m.account = $1 AND m.team = m.organization AND m.role <> '' AND o.namespace = m.team AND o.kind = 'organization'
		AND o.name > $2 ORDER BY o.name LIMIT $3`, raw, last, n)
}

// Organization is one by its id, with the role of a user; ErrNotFound.
func (r Reader) Organization(ctx context.Context, id, user string) (*Organization, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	who, err := repoKey(user)
	if err != nil {
		return nil, err
	}
	o, err := scanOrganization(r.DB.QueryRowContext(ctx, organizationColumns+`FROM namespaces o
		LEFT JOIN memberships m ON m.team = o.namespace AND m.account = $1
		WHERE o.namespace = $2 AND o.kind = 'organization'`, who, raw))
	if err != nil {
		return nil, notFound(err, "organization %s", id)
	}
	return &o, nil
}

// OrganizationsMade counts the organizations that the actor of that name has made,
// whoever owns them now.
func (r Reader) OrganizationsMade(ctx context.Context, actor string) (n int, err error) {
	err = r.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM namespaces WHERE creator = $1 AND kind = 'organization'`, actor).Scan(&n)
	return n, err
}

// NamespacesOf lists at most n namespaces that a user or robot account may have a
// part in by name, after last: its own, those of its organizations, those on all
// of which it or a team of its has a role, and, for the first administrator,
// those without a kind.
func (r Reader) NamespacesOf(ctx context.Context, account, last string, n int) ([]Namespace, error) {
	raw, err := key(account)
	if err != nil {
		return nil, err
	}
	return projections.ListOf(ctx, r.DB, scanNamespace, namespaceColumns+`WHERE n.namespace IN (SELECT g.namespace FROM grants g WHERE g.grantee = $1 AND g.repo = $2 AND g.role <> ''
		UNION ALL SELECT m.organization FROM memberships m WHERE m.account = $1 AND m.role <> ''
		UNION ALL SELECT g.namespace FROM memberships m CROSS JOIN grants g WHERE m.account = $1 AND m.role <> '' AND g.grantee = m.team AND g.repo = $2 AND g.role <> ''
		UNION ALL SELECT k.namespace FROM hub h CROSS JOIN namespaces k WHERE h.one = 0 AND h.admin = $1 AND k.kind = '' AND k.name <> 'library'
		UNION ALL SELECT o.namespace FROM namespaces o WHERE o.namespace = $1 AND o.kind = 'user')
		AND n.name > $3 ORDER BY n.name LIMIT $4`, raw, []byte{}, last, n)
}
