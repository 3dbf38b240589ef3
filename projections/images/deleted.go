package images

import (
	"context"
	"database/sql"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections"
)

// A DeletedRepository can be restored until the undelete window ends.
type DeletedRepository struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Deleted time.Time `json:"deleted"`
}

// DeletedRepositories lists the repositories that were deleted since a time,
// newest first: those of that full name, or all when it is empty.
func (r Reader) DeletedRepositories(ctx context.Context, name string, since time.Time) ([]DeletedRepository, error) {
	rows, err := r.DB.QueryContext(ctx, `SELECT s.repo, n.name, s.deleted_time FROM repository_state s
		JOIN repositories n ON n.repo = s.repo WHERE s.deleted_time >= $1 AND s.deleted_time > 0
		AND ($2 = '' OR n.name = $2) ORDER BY s.deleted_time DESC, s.repo`, since.UnixMicro(), name)
	return scanDeleted(rows, err)
}

func scanDeleted(rows *sql.Rows, err error) ([]DeletedRepository, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []DeletedRepository
	for rows.Next() {
		var id []byte
		var d DeletedRepository
		var at int64
		if err := rows.Scan(&id, &d.Name, &at); err != nil {
			return nil, err
		}
		d.ID, d.Deleted = projections.IDOf(id), time.UnixMicro(at).UTC()
		list = append(list, d)
	}
	return list, rows.Err()
}

// A DeletedTag is what a deleted tag named, when it was pushed, and when it was deleted.
type DeletedTag struct {
	Digest          digest.Digest
	Pushed, Deleted time.Time
}

// DeletedTag finds a deleted tag. ErrNotFound when the latest event of the tag is
// not a deletion.
func (r Reader) DeletedTag(ctx context.Context, repo, tag string) (t DeletedTag, err error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return t, err
	}
	var sum []byte
	var deleted, pushed int64
	err = r.DB.QueryRowContext(ctx, `SELECT t.digest, t.time, COALESCE((SELECT h.pushed FROM tag_history h
			WHERE h.repo = t.repo AND h.tag = t.tag AND h.deleted = 0 ORDER BY h.seq DESC LIMIT 1), t.time)
		FROM tags t WHERE t.repo = $1 AND t.tag = $2 AND t.deleted = 1`, key, tag).Scan(&sum, &deleted, &pushed)
	return DeletedTag{DigestOf(sum), time.UnixMicro(pushed).UTC(), time.UnixMicro(deleted).UTC()}, notFound(err, "deleted tag %s", tag)
}

// WasPushed says whether a manifest of that digest ever was in the repository,
// live or deleted.
func (r Reader) WasPushed(ctx context.Context, repo string, d digest.Digest) (bool, error) {
	key, sum, err := rowKey(repo, d)
	if err != nil {
		return false, err
	}
	return exists(r.DB.QueryRowContext(ctx, `SELECT 1 FROM manifests WHERE repo = $1 AND digest = $2`, key, sum))
}
