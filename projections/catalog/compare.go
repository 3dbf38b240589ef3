package catalog

import "hubledger/projections"

// queries are those whose results a new build of the read model must share
// with the build that it replaces.
var queries = []projections.Query{
	projections.SQLQuery("entries", `SELECT repo, namespace, name, rank, words, 1 FROM public_entries
		UNION ALL SELECT repo, namespace, name, rank, words, 0 FROM private_entries`, 1),
	projections.SQLQuery("descriptions", `SELECT repo, description, topics FROM descriptions`, 1),
	projections.SQLQuery("readmes", `SELECT repo, readme FROM readmes`, 1),
	projections.SQLQuery("stars", `SELECT repo, user_id, given, seq FROM stars`, 2),
	projections.SQLQuery("pulls", `SELECT p.repo, p.tag, p.pulls, l.time FROM tag_pulls p
		JOIN tag_pulled l ON l.repo = p.repo AND l.tag = p.tag`, 2),
	projections.SQLQuery("pushes", `SELECT repo, updated, pushed FROM pushes`, 1),
	projections.SQLQuery("activity", `SELECT repo, seq, time, actor, kind, what FROM activity`, 2),
}
