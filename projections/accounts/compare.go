package accounts

import "hubledger/projections"

// queries are those whose results a new build of the read model must share
// with the build that it replaces.
var queries = []projections.Query{
	projections.SQLQuery("namespaces", `SELECT n.name, n.namespace, n.kind, COALESCE(q.bytes, 0), COALESCE(q.images, 0)
		FROM namespaces n LEFT JOIN quotas q ON q.namespace = n.namespace`, 1),
	projections.SQLQuery("users", accountColumns+`WHERE n.kind = 'user'`, 1),
	projections.SQLQuery("robots", robotColumns+`WHERE r.deleted = 0`, 1),
	projections.SQLQuery("teams", `SELECT t.team, t.organization, t.name, t.description FROM teams t WHERE t.deleted = 0`, 1),
	projections.SQLQuery("memberships", `SELECT m.team, m.account, m.role, CASE WHEN d.seq > m.seq THEN 0 ELSE 1 END
		FROM memberships m LEFT JOIN departures d ON d.organization = m.organization AND d.account = m.account WHERE m.role <> ''`, 2),
	projections.SQLQuery("invitations", `SELECT i.organization, i.account, i.role, i.inviter, i.expires FROM invitations i WHERE i.role <> ''`, 2),
	projections.SQLQuery("grants", `SELECT g.grantee, g.namespace, g.repo, g.role FROM grants g WHERE g.role <> ''`, 3),
	projections.SQLQuery("tokens", tokenColumns, 1),
	projections.SQLQuery("repositories", `SELECT n.name, n.repo, v.visibility
		FROM names n JOIN visibilities v ON v.repo = n.repo WHERE n.deleted = 0`, 1),
	projections.SQLQuery("machines", machineColumns, 1),
}
