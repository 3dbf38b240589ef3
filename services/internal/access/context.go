package access

import "context"

type principalKey struct{}

// WithPrincipal notes on a request's context who it comes from, where the way by
// which it came proves that: the admin socket's requests are the operator's.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf is what WithPrincipal has noted; false when nothing was, and the
// request's credentials say who it comes from.
func PrincipalOf(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}
