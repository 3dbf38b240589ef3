package endpoint

import (
	"context"
	"net/http"

	"hubledger/projections/accounts"
	"hubledger/services/internal/access"
	"hubledger/services/internal/command"
	"hubledger/services/internal/repository"
)

// A Call is a request that is permitted, with what was looked up to decide that.
type Call struct {
	Principal  access.Principal
	Request    *http.Request
	Namespace  *accounts.Namespace  // of {namespace}
	Level      access.Level         // on that namespace, or on the repository
	Repository *accounts.Repository // of {namespace}/{name}
}

type callKey struct{}

// CallOf is the call of a request that is served.
func CallOf(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }

// By signs the commands of the call.
func (c *Call) By() command.By { return c.Principal.By("/hub") }

// RepositoryID is what the commands on the call's repository take.
func (c *Call) RepositoryID() repository.ID {
	return repository.ID{Namespace: c.Repository.Namespace, Repository: c.Repository.ID}
}

// MaySeeAll says whether the caller is that user, or administers the hub, by a
// credential that is not limited to some repositories.
func (c *Call) MaySeeAll(a *accounts.Account) bool {
	return c.Principal.Administers() || c.Principal.ID == a.ID && !c.Principal.Scoped()
}

// account identifies the principal's account among all kinds of accounts.
func (c *Call) account() string { return string(c.Principal.Kind) + " " + c.Principal.ID }
