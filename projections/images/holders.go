package images

import (
	"context"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A Hold is one blob that one manifest needs.
type Hold struct {
	Blob, Manifest digest.Digest
	Size           int64 // of the blob in bytes
}

// RepositoryHolds calls fn with the holds of all live manifests of a repository,
// ordered by blob, whether or not the repository itself is live.
func (r Reader) RepositoryHolds(ctx context.Context, repo string, fn func(Hold) error) error {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT h.blob, h.manifest, h.size FROM `+liveHolds+`
		WHERE h.repo = $1 AND NOT `+dead+` ORDER BY h.blob, h.manifest`, key)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var blob, manifest []byte
		var h Hold
		if err := rows.Scan(&blob, &manifest, &h.Size); err != nil {
			return err
		}
		h.Blob, h.Manifest = DigestOf(blob), DigestOf(manifest)
		if err := fn(h); err != nil {
			return err
		}
	}
	return rows.Err()
}

// HeldElsewhere says whether a live image of another live repository needs the
// blob. It looks only at repositories of the same namespace unless everywhere is
// set: not everybody may learn what other namespaces have.
func (r Reader) HeldElsewhere(ctx context.Context, repo string, d digest.Digest, everywhere bool) (bool, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return false, err
	}
	where := ""
	if !everywhere {
		where = ` JOIN repositories n ON n.repo = h.repo AND n.namespace = (SELECT namespace FROM repositories WHERE repo = $2)`
	}
	// Two ranges of the key, so that the repository's own holds are not read.
	for _, side := range []string{"<", ">"} {
		held, err := exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM `+liveHolds+`
			JOIN repository_state s ON s.repo = h.repo AND s.deleted_time = 0`+where+`
			WHERE h.blob = $1 AND h.repo `+side+` $2 AND NOT `+dead+` LIMIT 1`, sum, key))
		if held || err != nil {
			return held, err
		}
	}
	return false, nil
}

// EverHeld says whether an image of a repository in the namespace, by its id,
// needs the blob or, while it lived, did.
func (r Reader) EverHeld(ctx context.Context, namespace string, d digest.Digest) (bool, error) {
	key, sum, err := rowKey(namespace, d)
	if err != nil {
		return false, err
	}
	return exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM holds h JOIN repositories n ON n.repo = h.repo
		WHERE h.blob = $2 AND n.namespace = $1 LIMIT 1`, key, sum))
}

// LiveHolders names repositories in which a live image needs the blob, in the
// order of their ids, at most n.
func (r Reader) LiveHolders(ctx context.Context, d digest.Digest, n int) ([]string, error) {
	sum, err := DigestBytes(d)
	if err != nil {
		return nil, err
	}
	var list []string
	for after := []byte{}; len(list) < n; {
		var name string
		err := notFound(r.DB.QueryRowContext(ctx, `SELECT n.name, h.repo FROM `+liveHolds+`
			JOIN repository_state s ON s.repo = h.repo AND s.deleted_time = 0
			JOIN repositories n ON n.repo = h.repo
			WHERE h.blob = $1 AND h.repo > $2 AND NOT `+dead+` ORDER BY h.repo LIMIT 1`, sum, after).Scan(&name, &after), "blob %s", d)
		if isNotFound(err) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, nil
}

// LastPush is the sequence of the latest event that made a manifest live: its
// own push, that of an index that names it, or the restoring of a tag. 0 for none.
func (r Reader) LastPush(ctx context.Context, repo string, d digest.Digest) (seq uint64, err error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return 0, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT CASE WHEN r.seq > m.seq THEN r.seq ELSE m.seq END FROM manifests m
		LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest WHERE m.repo = $1 AND m.digest = $2`, key, sum).Scan(&seq)
	if isNotFound(notFound(err, "manifest %s", d)) {
		return 0, nil
	}
	return seq, err
}
