package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/repository"
)

// errNobody: a request needs credentials and has none.
var errNobody = errors.New("authentication required")

// Authorize returns the principal of a request if they may do all that it needs:
// now, and by the registry token if the request has one. The zero Need, of GET
// /v2/, is met by any credentials and by an anonymous token, but not without
// either: so docker login finds out where to log in. The error is an
// *access.Denied or that of a name (repository.ErrName).
func (s *Auth) Authorize(r *http.Request, needs ...access.Need) (access.Principal, error) {
	id, err := s.identify(r)
	if err != nil {
		return access.Nobody, s.refusal(r, err, scopeOf(needs))
	}
	for _, need := range needs {
		if err := s.authorize(r, id, need, needs); err != nil {
			return id.Principal, err
		}
	}
	return id.Principal, nil
}

// anonymous reports whether a request has no credentials at all, not even an
// anonymous token.
func (id identity) anonymous() bool { return id.Kind == access.Anonymous && id.token == nil }

// authorize is Authorize for one need. A refusal names the scope of all of them.
func (s *Auth) authorize(r *http.Request, id identity, need access.Need, needs []access.Need) error {
	switch {
	case need.Catalog:
		if id.anonymous() {
			return s.authenticate(r, scopeOf(needs))
		}
		if id.token != nil && !id.token.catalog {
			return s.unauthorized(r, scopeOf(needs), "insufficient_scope", "the token does not allow listing repositories", nil)
		}
		return nil
	case need.Repository == "":
		if id.anonymous() {
			return s.authenticate(r, scopeOf(needs))
		}
		return nil
	}
	name, err := repository.ParseName(need.Repository)
	if err != nil {
		return err
	}
	decision, err := s.Rights.Repository(r.Context(), id.Principal, name.Full)
	if err != nil {
		return s.refusal(r, err, scopeOf(needs))
	}
	allowed := decision.Level >= need.Level
	switch {
	case allowed && (id.token == nil || covers(id.token.actions[name.Full], need.Level)):
		return nil
	case id.anonymous():
		return s.authenticate(r, scopeOf(needs))
	case allowed:
		return s.unauthorized(r, scopeOf(needs), "insufficient_scope", "the token was not asked for "+strings.Join(actionsOf(need.Level), ",")+" on "+name.Full, nil)
	}
	if r.Method == http.MethodHead && id.token != nil && slices.Contains(id.token.Refused, need.Repository) {
		// The answer to a HEAD has no message, and most clients begin a push with one
		// and give up at anything but 404. After a 404 they go on to push, and that
		// answer tells the reason. The token shows that a push was asked for: a client
		// that pulls is refused here, since a 404 would hide that a login is missing.
		return &access.Denied{Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: "repository name not known to this registry"}
	}
	message, err := s.explain(r.Context(), origin.Of(r).Host, id.Principal, name, need.Level, decision)
	if err != nil {
		return s.refusal(r, err, scopeOf(needs))
	}
	if id.token != nil {
		return s.unauthorized(r, scopeOf(needs), "insufficient_scope", message, nil)
	}
	return &access.Denied{Status: http.StatusForbidden, Code: "DENIED", Message: message}
}

func (s *Auth) authenticate(r *http.Request, scope string) *access.Denied {
	return s.unauthorized(r, scope, "", errNobody.Error(), nil)
}

// scopeOf is the scope that a client has to ask the token service for.
func scopeOf(needs []access.Need) string {
	var list []resource
	for _, n := range needs {
		switch {
		case n.Catalog:
			list = merge(list, resource{Type: typeRegistry, Name: nameCatalog, Actions: []string{actionAll}})
		case n.Repository != "" && n.Level != access.None:
			if _, err := repository.ParseName(n.Repository); err == nil {
				list = merge(list, resource{Type: typeRepository, Name: n.Repository, Actions: actionsOf(n.Level)})
			}
		}
	}
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = r.String()
	}
	return strings.Join(texts, " ")
}

// explain is the message why a principal may not do something, with what would
// have worked. It reveals nothing that the principal may not see.
func (s *Auth) explain(ctx context.Context, host string, p access.Principal, name repository.Name, level access.Level, d access.Decision) (string, error) {
	if p.Limit != nil && p.Limit.Repositories != nil && !slices.Contains(p.Limit.Repositories, name.Full) {
		// The holder of the token must not learn what else its owner may see.
		return "the access token is not valid for " + name.Full, nil
	}
	if p.Limit != nil && p.Limit.Level < level {
		unlimited := p
		unlimited.Limit = nil
		could, err := s.Rights.Repository(ctx, unlimited, name.Full)
		if err != nil {
			return "", err
		}
		if could.Level >= level {
			return "the access token does not allow to " + verbs[level] + " " + name.Full, nil
		}
	}
	if p.Kind == access.Anonymous {
		if level == access.Read {
			return fmt.Sprintf("there is no %s, or it needs a login: docker login %s", name.Full, host), nil
		}
		return fmt.Sprintf("to %s %s needs a login: docker login %s", verbs[level], name.Full, host), nil
	}
	if level != access.Write {
		if d.Level == access.None {
			return fmt.Sprintf("there is no %s, or you may not see it", name.Full), nil
		}
		return fmt.Sprintf("you may not %s %s", verbs[level], name.Full), nil
	}
	if p.Admin && d.Namespace == nil {
		return fmt.Sprintf("there is no user or organization %q: create it first", name.Namespace), nil
	}
	why := "you may not push to " + name.Full
	if name.Namespace == access.Library {
		why = fmt.Sprintf("%q is a top-level name for administrators", name.Full)
	}
	better, err := s.ownRepository(ctx, p, name)
	if err != nil || better == "" {
		return why, err
	}
	return why + "; push to " + host + "/" + better, nil
}

var verbs = map[access.Level]string{access.Read: "pull from", access.Write: "push to", access.Delete: "delete from", access.Admin: "administer"}

// ownRepository is the same name in the principal's own namespace, "" when they
// may not push there either.
func (s *Auth) ownRepository(ctx context.Context, p access.Principal, name repository.Name) (string, error) {
	own, _, _ := strings.Cut(p.Name, "+")
	rest := name.Full
	if name.Namespace != access.Library {
		rest = strings.TrimPrefix(rest, name.Namespace+"/")
	}
	parsed, err := repository.ParseName(own + "/" + rest)
	if err != nil || parsed.Full == name.Full {
		return "", nil // too long, or the same name
	}
	d, err := s.Rights.Repository(ctx, p, parsed.Full)
	if err != nil || d.Level < access.Write {
		return "", err
	}
	return parsed.Full, nil
}
