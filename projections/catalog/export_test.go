package catalog

import "context"

// Alike are the parts of names that are similar to a term.
func (r Reader) Alike(ctx context.Context, term string) ([]string, error) {
	f := finder{Reader: r}
	return f.alike(ctx, term)
}
