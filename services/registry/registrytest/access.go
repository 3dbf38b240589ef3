package registrytest

import (
	"context"
	"net/http"

	"hubledger/services/internal/access"
)

// AsHeader is how a request to a Hub with the default Gate says who it is: a
// login name. Without it the request is the tester's.
const AsHeader = "X-Test-As"

// A Gate stands for the hub's accounts. The zero Gate lets everybody do
// everything.
type Gate struct {
	// May, when not nil, decides; its error is the refusal. It has to allow
	// concurrent calls.
	May func(who access.Principal, need access.Need) error
	// MayIn is May with the context of the request.
	MayIn func(ctx context.Context, who access.Principal, need access.Need) error
	// Sees, when not nil, is what lists show; otherwise they show all.
	Sees func(who access.Principal) access.Visible
}

// Who is behind a request.
func (g *Gate) Who(r *http.Request) access.Principal {
	switch name := r.Header.Get(AsHeader); name {
	case "":
		return access.Principal{Kind: access.User, ID: By.Actor, Name: By.Actor}
	case access.Nobody.Name:
		return access.Nobody
	default:
		return access.Principal{Kind: access.User, ID: name, Name: name}
	}
}

// Authorize implements registry.Access.
func (g *Gate) Authorize(r *http.Request, needs ...access.Need) (access.Principal, error) {
	who := g.Who(r)
	if g.May != nil {
		for _, need := range needs {
			if err := g.May(who, need); err != nil {
				return who, err
			}
		}
	}
	if g.MayIn != nil {
		for _, need := range needs {
			if err := g.MayIn(r.Context(), who, need); err != nil {
				return who, err
			}
		}
	}
	return who, nil
}

// Repository implements registry.Rights: a principal that may read is a reader.
func (g *Gate) Repository(_ context.Context, p access.Principal, name string) (access.Decision, error) {
	if g.May != nil && g.May(p, access.Need{Repository: name, Level: access.Read}) != nil {
		return access.Decision{}, nil
	}
	return access.Decision{Level: access.Read}, nil
}

// Visible implements registry.Rights.
func (g *Gate) Visible(_ context.Context, p access.Principal) (access.Visible, error) {
	if g.Sees != nil {
		return g.Sees(p), nil
	}
	return access.Visible{All: true}, nil
}
