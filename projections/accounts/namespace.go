package accounts

import (
	"context"

	"hubledger/projections"
)

// A Namespace is the first component of repository names.
type Namespace struct {
	ID, Name    string
	Kind        string // "user", "organization"; "" for one without an account
	QuotaBytes  int64  // 0 for no limit
	QuotaImages int64  // 0 for no limit
}

const namespaceColumns = `SELECT n.namespace, n.name, n.kind, COALESCE(q.bytes, 0), COALESCE(q.images, 0)
	FROM namespaces n LEFT JOIN quotas q ON q.namespace = n.namespace `

func scanNamespace(row projections.Row) (Namespace, error) {
	var n Namespace
	var id []byte
	err := row.Scan(&id, &n.Name, &n.Kind, &n.QuotaBytes, &n.QuotaImages)
	n.ID = projections.IDOf(id)
	return n, err
}

// Namespace finds a namespace by its name; ErrNotFound if there is none.
func (r Reader) Namespace(ctx context.Context, name string) (*Namespace, error) {
	n, err := scanNamespace(r.DB.QueryRowContext(ctx, namespaceColumns+`WHERE n.name = $1`, projections.Stored(name)))
	if err != nil {
		return nil, notFound(err, "namespace %s", name)
	}
	return &n, nil
}

// NamespaceByID finds a namespace by its id; ErrNotFound if there is none.
func (r Reader) NamespaceByID(ctx context.Context, id string) (*Namespace, error) {
	raw, err := key(id)
	if err != nil {
		return nil, err
	}
	n, err := scanNamespace(r.DB.QueryRowContext(ctx, namespaceColumns+`WHERE n.namespace = $1`, raw))
	if err != nil {
		return nil, notFound(err, "namespace %s", id)
	}
	return &n, nil
}

// Namespaces lists at most n namespaces by name, after last.
func (r Reader) Namespaces(ctx context.Context, last string, n int) ([]Namespace, error) {
	return projections.ListOf(ctx, r.DB, scanNamespace, namespaceColumns+`WHERE n.name > $1 ORDER BY n.name LIMIT $2`, last, n)
}

// Kindless lists the ids of namespaces without a kind, which the first
// administrator owns, except that of top-level images.
func (r Reader) Kindless(ctx context.Context) ([]string, error) {
	return projections.ListOf(ctx, r.DB, scanID, `SELECT namespace FROM namespaces WHERE kind = '' AND name <> 'library' ORDER BY name`)
}

func scanID(row projections.Row) (string, error) {
	var id []byte
	err := row.Scan(&id)
	return projections.IDOf(id), err
}
