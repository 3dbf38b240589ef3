package builds

import (
	"context"
	"time"

	"hubledger/projections"
)

// A SealedLog is the file that has the log of a build that has ended.
type SealedLog struct {
	Digest  string // "" when nothing was kept of the log
	Size    int64  // bytes of the file
	Written int64  // bytes that the build wrote
	Time    time.Time
}

// SealedLog is that of a build; ErrNotFound while there is none.
func (r Reader) SealedLog(ctx context.Context, build string) (*SealedLog, error) {
	raw, err := key(build)
	if err != nil {
		return nil, err
	}
	var l SealedLog
	var sealed int64
	err = r.DB.QueryRowContext(ctx, `SELECT o.digest, o.size, o.written, o.time FROM logs o WHERE o.build = $1`, raw).Scan(&l.Digest, &l.Size, &l.Written, &sealed)
	l.Time = timeOf(sealed)
	return one(&l, err)
}

// Unsealed lists at most n builds that ended before a time and whose logs are not sealed,
// those first that ended first.
func (r Reader) Unsealed(ctx context.Context, before time.Time, n int) ([]Build, error) {
	return projections.ListOf(ctx, r.DB, scanBuild, buildColumns+`JOIN unsealed u ON u.build = q.build WHERE u.time < $1 ORDER BY u.time LIMIT $2`, before.UnixMicro(), n)
}
