package accounts

import (
	"context"

	"hubledger/projections"
)

// A Repository is a live repository, with whether everybody may pull from it.
type Repository struct {
	ID, Namespace string
	Name          string // full
	Visibility    string // events.Public or events.Private
}

// Repository finds the live repository of that full name; ErrNotFound if there is none.
func (r Reader) Repository(ctx context.Context, name string) (*Repository, error) {
	repo := Repository{Name: name}
	var id, namespace []byte
	err := r.DB.QueryRowContext(ctx, `SELECT n.repo, n.namespace, v.visibility
		FROM names n JOIN visibilities v ON v.repo = n.repo WHERE n.name = $1 AND n.deleted = 0`, projections.Stored(name)).Scan(&id, &namespace, &repo.Visibility)
	if err != nil {
		return nil, notFound(err, "repository %s", name)
	}
	repo.ID, repo.Namespace = projections.IDOf(id), projections.IDOf(namespace)
	return &repo, nil
}
