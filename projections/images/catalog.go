package images

import (
	"context"
	"slices"

	"hubledger/projections"
)

// Visible says which live repositories a list may name.
type Visible struct {
	All          bool     // every repository
	Public       bool     // every public repository
	Namespaces   []string // ids: every repository in them
	Repositories []string // ids
	Only         []string // restricts the rest to these full names; nil: no restriction
}

// Catalog lists the visible live repositories after last in byte order, at
// most n. Each kind of visibility is one range of an index, so that repositories
// that are not visible cost no time.
func (r Reader) Catalog(ctx context.Context, v Visible, last string, n int) ([]string, error) {
	if v.Only != nil {
		return r.catalogOf(ctx, v, last, n)
	}
	if v.All {
		return stringsOf(r.DB.QueryContext(ctx, `SELECT name FROM names WHERE name > $1 AND deleted = 0 ORDER BY name LIMIT $2`, last, n))
	}
	var all []string
	add := func(names []string, err error) error {
		all = append(all, names...)
		return err
	}
	if v.Public {
		if err := add(stringsOf(r.DB.QueryContext(ctx, `SELECT v.name FROM visibility v JOIN names n ON n.name = v.name AND n.repo = v.repo
			WHERE v.public = 1 AND v.name > $1 AND n.deleted = 0 ORDER BY v.name LIMIT $2`, last, n))); err != nil {
			return nil, err
		}
	}
	for _, id := range v.Namespaces {
		key, err := projections.IDBytes(id)
		if err != nil {
			return nil, err
		}
		if err := add(stringsOf(r.DB.QueryContext(ctx, `SELECT name FROM names WHERE namespace = $1 AND name > $2 AND deleted = 0
			ORDER BY name LIMIT $3`, key, last, n))); err != nil {
			return nil, err
		}
	}
	for chunk := range slices.Chunk(v.Repositories, 500) {
		args := []any{last}
		for _, id := range chunk {
			key, err := projections.IDBytes(id)
			if err != nil {
				return nil, err
			}
			args = append(args, key)
		}
		if err := add(stringsOf(r.DB.QueryContext(ctx, `SELECT n.name FROM repositories p JOIN names n ON n.name = p.name AND n.repo = p.repo
			WHERE p.repo IN (`+projections.Marks(2, len(chunk))+`) AND n.name > $1 AND n.deleted = 0`, args...))); err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return append([]string{}, all[:min(n, len(all))]...), nil
}

// catalogOf is Catalog restricted to v.Only: it looks up each of these names.
func (r Reader) catalogOf(ctx context.Context, v Visible, last string, n int) ([]string, error) {
	names := slices.Sorted(slices.Values(v.Only))
	list := []string{}
	for _, name := range slices.Compact(names) {
		if name <= last || len(list) == n {
			continue
		}
		var repo, ns []byte
		var public int
		err := notFound(r.DB.QueryRowContext(ctx, `SELECT n.repo, n.namespace, COALESCE(v.public, 0) FROM names n
			LEFT JOIN visibility v ON v.repo = n.repo WHERE n.name = $1 AND n.deleted = 0`, name).Scan(&repo, &ns, &public), "repository %s", name)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if v.All || v.Public && public == 1 || slices.Contains(v.Namespaces, projections.IDOf(ns)) || slices.Contains(v.Repositories, projections.IDOf(repo)) {
			list = append(list, name)
		}
	}
	return list, nil
}
