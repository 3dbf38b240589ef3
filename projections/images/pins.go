package images

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"hubledger/events"
	"hubledger/projections"
)

func (a *applier) application(id, name string, live bool, keep int) {
	a.ops.Write(applications, a.id(id), text(name), flag(live), num(int64(keep)), a.seq)
}

func (a *applier) released(p events.ReleaseMade) {
	a.ops.Write(latestReleases, a.id(p.Application), num(int64(p.Number)))
	for _, image := range p.Images {
		if image.Held {
			a.ops.Write(pins, a.id(image.Repository), a.digest(digest.Digest(image.Digest)), a.id(p.Application), num(int64(p.Number)))
		}
	}
}

// Pinned are the live manifests of a repository, by its id, that an application keeps for
// one of its latest releases, with the latest of these, such as "release 3 of acme/shop".
// What belongs to them stays with them; see image.DeleteManifest.
func (r Reader) Pinned(ctx context.Context, repo string) (map[digest.Digest]string, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT p.digest, a.name, MAX(p.number) FROM pins p JOIN applications a ON a.application = p.application AND a.live = 1
		JOIN latest_releases l ON l.application = p.application AND p.number > l.number - a.keep
		JOIN manifests m ON m.repo = p.repo AND m.digest = p.digest LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE p.repo = $1 AND NOT `+dead+` GROUP BY p.digest, a.name ORDER BY p.digest, a.name`, key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	pinned := map[digest.Digest]string{}
	for rows.Next() {
		var sum []byte
		var name string
		var number int
		if err := rows.Scan(&sum, &name, &number); err != nil {
			return nil, err
		}
		if d := DigestOf(sum); pinned[d] == "" {
			pinned[d] = fmt.Sprintf("release %d of %s", number, name)
		}
	}
	return pinned, rows.Err()
}
