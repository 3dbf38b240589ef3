package catalog

import (
	"context"
	"slices"

	"hubledger/projections"
)

// HasStar says whether the user has given the repository a star.
func (r Reader) HasStar(ctx context.Context, repo, user string) (bool, error) {
	id, err := projections.IDBytes(repo)
	if err != nil {
		return false, err
	}
	who, err := projections.IDBytes(user)
	if err != nil {
		return false, err
	}
	var n int
	err = r.DB.QueryRowContext(ctx, `SELECT count(*) FROM stars WHERE repo = $1 AND user_id = $2 AND given = 1`, id, who).Scan(&n)
	return n > 0, err
}

// maxStarred is how many of a user's stars are read, the newest ones.
const maxStarred = 10_000

// Starred lists the visible live repositories to which a user has given a star,
// the newest star first: at most n, without the first offset ones.
func (r Reader) Starred(ctx context.Context, user string, v Visible, offset, n int) ([]Entry, error) {
	who, err := projections.IDBytes(user)
	if err != nil {
		return nil, err
	}
	list, err := scopes(v, "")
	if err != nil {
		return nil, err
	}
	var hits []hit
	for _, sc := range list {
		s := r.stmt()
		source := `FROM (SELECT repo, seq FROM stars WHERE user_id = ` + s.arg(who) + ` AND given = 1
			ORDER BY seq DESC LIMIT ` + s.arg(maxStarred) + `) g JOIN ` + sc.table + ` e ON e.repo = g.repo WHERE 1 = 1`
		if sc.only != nil {
			source = where(source, s.inTexts("e.name", sc.only))
		}
		s.add("SELECT e.id, g.seq %s ORDER BY g.seq DESC LIMIT %s", where(source, sc.conditions(s)...), s.arg(offset+n))
		found, err := r.newest(ctx, s, sc.table)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	slices.SortFunc(hits, func(a, b hit) int { return int(min(1, max(-1, a.rank-b.rank))) })
	from := min(offset, len(hits))
	return r.load(ctx, hits[from:min(from+n, len(hits))])
}

// newest reads pairs of an entry's id and a sequence, which becomes its rank.
func (r Reader) newest(ctx context.Context, s *stmt, table string) (list []hit, err error) {
	rows, err := r.DB.QueryContext(ctx, s.String(), s.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		h := hit{table: table}
		if err := rows.Scan(&h.id, &h.rank); err != nil {
			return nil, err
		}
		h.rank = -h.rank
		list = append(list, h)
	}
	return list, rows.Err()
}
