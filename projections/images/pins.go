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

// requested: a request says what all sides have, and what comes to one of them and to the
// stateful services.
func (a *applier) requested(p events.DeploymentRequested) {
	a.ops.Write(deployed, a.id(p.Deployment), a.id(p.Environment), num(int64(p.Release)))
	have := map[string]int{"blue": 0, "green": 0, "": 0}
	for _, side := range p.Before {
		if _, known := have[side.Colour]; known && side.Phase != "gone" {
			have[side.Colour] = side.Release
		}
	}
	for colour, before := range have {
		number := before
		if colour == p.Colour || colour == "" && len(p.Placement.Stateful) > 0 {
			number = p.Release
		}
		a.ops.Write(onHosts, a.id(p.Environment), text(colour), num(int64(number)), num(int64(before)), a.id(p.Deployment), a.seq)
	}
}

// wanted are the releases of all applications that hold their images, as a table of application
// and number: the latest ones, those that are on hosts, and those that an environment may go back to.
const wanted = `(SELECT p.application, p.number FROM pins p JOIN latest_releases l ON l.application = p.application
		JOIN applications a ON a.application = p.application WHERE p.repo = $1 AND p.number > l.number - a.keep
	UNION SELECT e.application, h.number FROM environments e JOIN on_hosts h ON h.environment = e.environment WHERE e.live = 1 AND e.application IN (SELECT p.application FROM pins p WHERE p.repo = $1)
	UNION SELECT e.application, h.before FROM environments e JOIN on_hosts h ON h.environment = e.environment WHERE e.live = 1 AND e.application IN (SELECT p.application FROM pins p WHERE p.repo = $1)
		AND (h.colour = '' OR NOT EXISTS (SELECT 1 FROM admitted d WHERE d.deployment = h.deployment))
	UNION SELECT r.application, r.number FROM (` + ranked + `) r JOIN applications a ON a.application = r.application WHERE r.place <= a.keep)`

// ranked are the releases that were promoted in environments, the latest one in the first place.
const ranked = `SELECT t.application, t.number, ROW_NUMBER() OVER (PARTITION BY t.environment ORDER BY t.seq DESC) AS place FROM (
	SELECT e.application, e.environment, d.number, MAX(m.seq) AS seq FROM environments e JOIN deployed d ON d.environment = e.environment JOIN promotions m ON m.deployment = d.deployment
	WHERE e.live = 1 AND e.application IN (SELECT p.application FROM pins p WHERE p.repo = $1) GROUP BY e.application, e.environment, d.number) t`

// Pinned are the live manifests of a repository, by its id, that an application holds for one
// of its releases, with the latest of these, such as "release 3 of acme/shop": for one of its latest
// so many, one that is on the hosts of an environment, and one of the latest so many that were
// promoted in an environment. What belongs to them stays with them; see image.DeleteManifest.
func (r Reader) Pinned(ctx context.Context, repo string) (map[digest.Digest]string, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return nil, err
	}
	rows, err := r.DB.QueryContext(ctx, `SELECT p.digest, a.name, MAX(p.number) FROM `+wanted+` w JOIN pins p ON p.application = w.application AND p.number = w.number AND p.repo = $1
		JOIN applications a ON a.application = p.application AND a.live = 1
		JOIN manifests m ON m.repo = p.repo AND m.digest = p.digest LEFT JOIN revivals r ON r.repo = m.repo AND r.digest = m.digest
		WHERE NOT `+dead+` GROUP BY p.digest, a.name ORDER BY p.digest, a.name`, key)
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
