package images

import (
	"context"
	"time"

	"hubledger/projections"
)

// A Usage is the storage that the live images of some repositories need.
type Usage struct {
	Repositories int   `json:"repositories"`
	Tags         int64 `json:"tags"`
	Manifests    int64 `json:"manifests"`
	Blobs        int64 `json:"blobs"`  // distinct ones
	Bytes        int64 `json:"bytes"`  // of distinct blobs and of manifests
	Unique       int64 `json:"unique"` // bytes that no other repository needs: deleting all would free them
}

// Shared are the bytes that other repositories need, too.
func (u Usage) Shared() int64 { return u.Bytes - u.Unique }

// usageTime bounds the time for one usage, which reads every hold of the
// repositories.
const usageTime = 30 * time.Second

// RepositoryUsage is the usage of one live repository. Blobs that other
// repositories need, too, are shared; it looks only at repositories of the same
// namespace unless everywhere is set: not everybody may learn what other
// namespaces have.
func (r Reader) RepositoryUsage(ctx context.Context, repo string, everywhere bool) (Usage, error) {
	outside := `h2.repo <> $1`
	if !everywhere {
		outside += ` AND n2.namespace = (SELECT namespace FROM repositories WHERE repo = $1)`
	}
	return r.usage(ctx, repo, `SELECT repo FROM repository_state WHERE repo = $1 AND deleted_time = 0`, outside)
}

// NamespaceUsage is the usage of all live repositories of a namespace together.
// Blobs that other namespaces need, too, are shared if everywhere is set;
// otherwise it does not look at other namespaces.
func (r Reader) NamespaceUsage(ctx context.Context, namespace string, everywhere bool) (Usage, error) {
	outside := `1 = 0`
	if everywhere {
		outside = `n2.namespace <> $1`
	}
	return r.usage(ctx, namespace, `SELECT repo FROM names WHERE namespace = $1 AND deleted = 0`, outside)
}

// usage adds up the repositories that the query repos selects; outside is true
// of a hold h2 in a repository n2 that is not one of them.
func (r Reader) usage(ctx context.Context, id, repos, outside string) (u Usage, err error) {
	key, err := projections.IDBytes(id)
	if err != nil {
		return u, err
	}
	ctx, cancel := context.WithTimeout(ctx, usageTime)
	defer cancel()
	err = r.DB.QueryRowContext(ctx, `WITH mine AS (`+repos+`),
		b AS (SELECT h.blob AS blob, MAX(h.size) AS size FROM mine CROSS JOIN `+liveHolds+` WHERE h.repo = mine.repo AND NOT `+dead+` GROUP BY h.blob)
		SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN EXISTS (
			SELECT 1 FROM holds h2 JOIN manifests m ON m.repo = h2.repo AND m.digest = h2.manifest
			LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
			JOIN repository_state s ON s.repo = h2.repo AND s.deleted_time = 0
			JOIN repositories n2 ON n2.repo = h2.repo
			WHERE h2.blob = b.blob AND (`+outside+`) AND NOT `+dead+`) THEN 0 ELSE size END), 0) AS BIGINT) FROM b`, key).
		Scan(&u.Blobs, &u.Bytes, &u.Unique)
	if err != nil {
		return u, err
	}
	err = r.DB.QueryRowContext(ctx, `WITH mine AS (`+repos+`) SELECT COUNT(*) FROM mine`, key).Scan(&u.Repositories)
	if err != nil {
		return u, err
	}
	err = r.DB.QueryRowContext(ctx, `WITH mine AS (`+repos+`)
		SELECT COUNT(*) FROM mine CROSS JOIN tags t WHERE t.repo = mine.repo AND t.deleted = 0 AND NOT `+gone, key).Scan(&u.Tags)
	if err != nil {
		return u, err
	}
	var own int64
	err = r.DB.QueryRowContext(ctx, `WITH mine AS (`+repos+`)
		SELECT COUNT(*), CAST(COALESCE(SUM(m.size), 0) AS BIGINT) FROM mine CROSS JOIN manifests m
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE m.repo = mine.repo AND NOT `+dead, key).
		Scan(&u.Manifests, &own)
	u.Bytes += own
	u.Unique += own
	return u, err
}

// NamespaceContent calls manifest with every live manifest in the live
// repositories of a namespace, and blob with every blob that one of them holds,
// once for each manifest. sum is a digest as the tables hold it, valid only
// during the call.
func (r Reader) NamespaceContent(ctx context.Context, namespace string, manifest func(repo, sum []byte, size int64), blob func(sum []byte, size int64)) error {
	key, err := projections.IDBytes(namespace)
	if err != nil {
		return err
	}
	each := func(query string, fn func(a, b []byte, size int64)) error {
		rows, err := r.DB.QueryContext(ctx, query, key)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var a, b []byte
			var size int64
			if err := rows.Scan(&a, &b, &size); err != nil {
				return err
			}
			fn(a, b, size)
		}
		return rows.Err()
	}
	if err := each(`SELECT m.repo, m.digest, m.size FROM names n JOIN manifests m ON m.repo = n.repo
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE n.namespace = $1 AND n.deleted = 0 AND NOT `+dead, manifest); err != nil {
		return err
	}
	return each(`SELECT h.repo, h.blob, h.size FROM names n CROSS JOIN `+liveHolds+`
		WHERE h.repo = n.repo AND n.namespace = $1 AND n.deleted = 0 AND NOT `+dead, func(_, sum []byte, size int64) { blob(sum, size) })
}
