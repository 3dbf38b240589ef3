package accounts

import (
	"context"
	"slices"
	"strconv"
	"strings"

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

// Public says which of these repositories, live or deleted, everybody may see.
func (r Reader) Public(ctx context.Context, ids []string) (map[string]bool, error) {
	is := map[string]bool{}
	for part := range slices.Chunk(ids, places) {
		args := make([]any, places)
		for k := range args {
			raw, err := key(part[min(k, len(part)-1)])
			if err != nil {
				return nil, err
			}
			args[k] = raw
		}
		found, err := projections.ListOf(ctx, r.DB, scanID, publicStatement, args...)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			is[id] = true
		}
	}
	return is, nil
}

// places is how many repositories one statement asks for: statements of each length
// would be too many to keep.
const places = 25

var publicStatement = func() string {
	var names []string
	for k := range places {
		names = append(names, "$"+strconv.Itoa(k+1))
	}
	return `SELECT repo FROM visibilities WHERE visibility = 'public' AND repo IN (` + strings.Join(names, ", ") + `)`
}()

// SomePublic lists at most n ids of repositories, live or deleted, that everybody may
// see, in any order.
func (r Reader) SomePublic(ctx context.Context, n int) ([]string, error) {
	return projections.ListOf(ctx, r.DB, scanID, `SELECT repo FROM visibilities WHERE visibility = 'public' LIMIT $1`, n)
}
