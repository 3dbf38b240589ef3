package tagged

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"hubledger/projections/registry"
)

// child is an image that an index names, nil when it is not there: an index
// may be sparse.
func (r Reader) child(ctx context.Context, repo string, d digest.Digest) (*Image, error) {
	key, err := registry.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	sum, err := registry.DigestBytes(d)
	if err != nil {
		return nil, nil // it was never pushed, then
	}
	image := &Image{Digest: d}
	var platform string
	var text []byte
	var at int64
	err = r.DB.QueryRowContext(ctx, `SELECT m.platform, m.time, CASE WHEN m.size <= $2 THEN m.bytes ELSE $3 END
		FROM manifests m LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE m.repo = $1 AND m.digest = $4 AND NOT EXISTS (SELECT 1 FROM deletions d WHERE d.repo = m.repo AND d.digest = m.digest
			AND d.undone = 0 AND d.deletion > m.seq AND d.deletion > COALESCE(r.seq, 0))`, key, maxParsed, []byte{}, sum).Scan(&platform, &at, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	image.Pushed = time.UnixMicro(at).UTC()
	if image.Platform, err = platformOf(platform); err != nil || len(text) == 0 {
		return image, err
	}
	m, err := registry.ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d, err)
	}
	image.Size = sizeOf(m)
	return image, nil
}
