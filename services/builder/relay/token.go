package relay

import (
	"context"
	"time"
)

// A grant is what a token is for.
type grant struct {
	repository string
	push       bool
}

type token struct {
	text string
	ends time.Time
}

// early is how long before its end a token is not used any more: an upload that
// begins with it should be answered before.
const early = 30 * time.Second

const maxGrants = 1000 // of one build

// token is a token for requests about a repository. One serves until it ends, so a
// push may last longer than any of them.
func (r *Relay) token(ctx context.Context, repository string) (string, error) {
	if r.config.Credentials == nil {
		return "", nil
	}
	g := grant{repository, repository == r.config.Repository}
	r.mu.Lock()
	t, ok := r.tokens[g]
	r.mu.Unlock()
	if ok && time.Until(t.ends) > early {
		return t.text, nil
	}
	text, ends, err := r.config.Credentials.Token(ctx, repository, g.push)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.tokens) >= maxGrants {
		clear(r.tokens)
	}
	r.tokens[g] = token{text, ends}
	return text, nil
}
