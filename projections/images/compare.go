package images

import "hubledger/projections"

// queries are those whose results a new build of the read model must share
// with the build that it replaces.
var queries = []projections.Query{
	projections.SQLQuery("repositories", `SELECT name, repo, deleted FROM names`, 1),
	projections.SQLQuery("tags", `SELECT t.repo, t.tag, t.digest FROM tags t WHERE t.deleted = 0 AND NOT `+gone, 2),
	projections.SQLQuery("manifests", `SELECT m.repo, m.digest, m.media_type, m.bytes
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE NOT `+dead, 2),
	projections.SQLQuery("referrers", `SELECT f.repo, f.subject, f.digest, f.media_type, f.artifact_type, f.annotations
		FROM referrers f JOIN manifests m ON m.repo = f.repo AND m.digest = f.digest
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE NOT `+dead, 3),
	projections.SQLQuery("blobs", `SELECT h.blob, h.repo, h.manifest FROM holds h`, 3),
	projections.SQLQuery("pins", `SELECT p.repo, p.digest, p.application, p.number, a.live, a.keep, l.number FROM pins p JOIN applications a ON a.application = p.application
		JOIN latest_releases l ON l.application = p.application`, 4),
}
