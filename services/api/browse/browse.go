// Package browse reads what the hub's APIs show of repositories: what a
// principal may see of the catalog, with the pulls that are not in the log yet.
package browse

import (
	"context"
	"errors"

	"hubledger/projections/accounts"
	"hubledger/projections/catalog"
	"hubledger/services/internal/access"
)

// Rights knows what principals may see; see package access.
type Rights interface {
	Visible(ctx context.Context, p access.Principal) (access.Visible, error)
}

// RecentPulls knows the pulls of the current hour, which are in the log only once
// the hour has ended.
type RecentPulls interface {
	// RecentPulls counts what was pulled from a repository and is not in the log yet.
	RecentPulls(ctx context.Context, repository string) (catalog.Pulls, error)
}

// A Reader reads the catalog for principals. Recent may be nil.
type Reader struct {
	Rights   Rights
	Accounts accounts.Reader
	Catalog  catalog.Reader
	Recent   RecentPulls
}

// Visible is what a principal may see, as the catalog takes it.
func (b Reader) Visible(ctx context.Context, p access.Principal) (catalog.Visible, error) {
	v, err := b.Rights.Visible(ctx, p)
	return catalog.Visible(v), err
}

// OfNamespace lists by name, behind last, what a principal sees of a namespace:
// nothing, when there is no such namespace.
func (b Reader) OfNamespace(ctx context.Context, p access.Principal, namespace, last string, n int) ([]catalog.Entry, error) {
	ns, err := b.Accounts.Namespace(ctx, namespace)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := b.Visible(ctx, p)
	if err != nil {
		return nil, err
	}
	return b.Catalog.OfNamespace(ctx, ns.ID, v, last, n)
}

// Search finds repositories among those that a principal may see.
func (b Reader) Search(ctx context.Context, p access.Principal, q catalog.Query) (found []catalog.Entry, total int, err error) {
	if q.Visible, err = b.Visible(ctx, p); err != nil {
		return nil, 0, err
	}
	return b.Catalog.Search(ctx, q)
}
