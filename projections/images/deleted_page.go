package images

import (
	"context"
	"time"

	"hubledger/projections"
)

// DeletedPage lists repositories that were deleted since a time and of which
// garbage collection has taken nothing since, newest first,
// at most n: those of a namespace, or of all when its id is empty. It begins
// after last, or with the first one when last is the zero DeletedRepository.
func (r Reader) DeletedPage(ctx context.Context, namespace string, since time.Time, last DeletedRepository, n int) ([]DeletedRepository, error) {
	query, args := `SELECT s.repo, n.name, s.deleted_time FROM repository_state s
		JOIN repositories n ON n.repo = s.repo WHERE s.deleted_time >= $1 AND s.deleted_time > 0 AND NOT EXISTS (SELECT 1 FROM `+liveHolds+`
			JOIN swept w ON w.blob = h.blob WHERE h.repo = s.repo AND w.seq > s.seq AND NOT `+dead+`)`, []any{since.UnixMicro()}
	if namespace != "" {
		key, err := projections.IDBytes(namespace)
		if err != nil {
			return nil, err
		}
		args = append(args, key)
		query += ` AND n.namespace = ` + projections.Marks(len(args), 1)
	}
	if last.ID != "" {
		key, err := projections.IDBytes(last.ID)
		if err != nil {
			return nil, err
		}
		args = append(args, last.Deleted.UnixMicro(), key)
		query += ` AND (s.deleted_time < ` + projections.Marks(len(args)-1, 1) + ` OR s.deleted_time = ` + projections.Marks(len(args)-1, 1) + ` AND s.repo > ` + projections.Marks(len(args), 1) + `)`
	}
	args = append(args, n)
	rows, err := r.DB.QueryContext(ctx, query+` ORDER BY s.deleted_time DESC, s.repo LIMIT `+projections.Marks(len(args), 1), args...)
	return scanDeleted(rows, err)
}
