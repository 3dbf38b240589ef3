package images

import (
	"context"
	"encoding/json"
	"fmt"

	"hubledger/events"
	"hubledger/projections"
)

// NamespaceOf is the id of the namespace of a repository, live or deleted.
func (r Reader) NamespaceOf(ctx context.Context, repo string) (string, error) {
	key, err := projections.IDBytes(repo)
	if err != nil {
		return "", err
	}
	var ns []byte
	err = r.DB.QueryRowContext(ctx, `SELECT namespace FROM repositories WHERE repo = $1`, key).Scan(&ns)
	return projections.IDOf(ns), notFound(err, "repository %s", repo)
}

// NamespaceID is the id of the namespace of that name; ErrNotFound if there is none.
func (r Reader) NamespaceID(ctx context.Context, name string) (string, error) {
	var ns []byte
	err := r.DB.QueryRowContext(ctx, `SELECT namespace FROM namespaces WHERE name = $1`, name).Scan(&ns)
	return projections.IDOf(ns), notFound(err, "namespace %s", name)
}

// WithPolicy lists live repositories that were ever given a policy, after
// last in byte order, at most n.
func (r Reader) WithPolicy(ctx context.Context, last string, n int) ([]Repository, error) {
	rows, err := r.DB.QueryContext(ctx, `SELECT n.repo, n.namespace, n.name, p.policy FROM policies p
		JOIN repositories o ON o.repo = p.repo JOIN names n ON n.name = o.name AND n.repo = o.repo
		WHERE n.deleted = 0 AND n.name > $1 ORDER BY n.name LIMIT $2`, last, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Repository
	for rows.Next() {
		var id, ns []byte
		var policy string
		var repo Repository
		if err := rows.Scan(&id, &ns, &repo.Name, &policy); err != nil {
			return nil, err
		}
		repo.ID, repo.Namespace = projections.IDOf(id), projections.IDOf(ns)
		if repo.Policy, err = policyOf(policy); err != nil {
			return nil, fmt.Errorf("policy of %s: %w", repo.Name, err)
		}
		list = append(list, repo)
	}
	return list, rows.Err()
}

func policyOf(text string) (p events.RepositoryPolicy, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &p)
	}
	return p, err
}
