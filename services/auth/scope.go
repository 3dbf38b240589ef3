package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/repository"
)

// Bounds of what one request for a token may ask for.
const (
	maxScopes      = 100
	maxScopeLength = 512
)

// Types and names of resources in scopes.
const (
	typeRepository = "repository"
	typePlugin     = "repository(plugin)"
	typeRegistry   = "registry"
	nameCatalog    = "catalog"
)

// Actions of scopes.
const (
	actionPull   = "pull"
	actionPush   = "push"
	actionDelete = "delete"
	actionAll    = "*"
	actionSearch = "search" // of the catalog, by docker search
)

// A resource is one thing with the actions that are asked for or granted on it; the
// form is that of the "access" claim (distribution, "Token Authentication Implementation").
type resource struct {
	Type    string   `json:"type"`
	Class   string   `json:"class,omitempty"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (r resource) String() string {
	kind := r.Type
	if r.Class != "" {
		kind += "(" + r.Class + ")"
	}
	return kind + ":" + r.Name + ":" + strings.Join(r.Actions, ",")
}

var errScope = errors.New("invalid scope")

// parseScopes reads the scopes that a request asks for. Each text may hold several
// of them, separated by spaces (RFC 6749, section 3.3). Scopes of unknown types
// are left out, as are actions and names that nobody can have a right to; a scope
// that cannot be parsed is an error.
func parseScopes(texts []string) ([]resource, error) {
	var list []resource
	n := 0
	for _, text := range texts {
		for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
			if n++; n > maxScopes {
				return nil, fmt.Errorf("%w: more than %d of them", errScope, maxScopes)
			}
			r, known, err := parseScope(one)
			if err != nil {
				return nil, err
			}
			if known {
				list = merge(list, r)
			}
		}
	}
	return list, nil
}

// parseScope splits type:name:actions on its first and its last colon.
func parseScope(s string) (r resource, known bool, err error) {
	first, last := strings.IndexByte(s, ':'), strings.LastIndexByte(s, ':')
	if len(s) > maxScopeLength || first <= 0 || last <= first+1 {
		return resource{}, false, fmt.Errorf("%w: a scope is type:name:actions, of at most %d characters", errScope, maxScopeLength)
	}
	r.Type, r.Name = s[:first], s[first+1:last]
	asked := strings.Split(s[last+1:], ",")
	switch r.Type {
	case typeRepository, typePlugin:
		if r.Type == typePlugin {
			r.Type, r.Class = typeRepository, "plugin"
		}
		if _, err := repository.ParseName(r.Name); err != nil {
			return resource{}, false, nil
		}
		r.Actions = keep(asked, actionPull, actionPush, actionDelete, actionAll)
	case typeRegistry:
		if r.Name != nameCatalog {
			return resource{}, false, nil
		}
		r.Actions = keep(asked, actionAll, actionSearch)
	default:
		return resource{}, false, nil
	}
	return r, len(r.Actions) > 0, nil
}

// keep returns those of asked that are allowed, once each.
func keep(asked []string, allowed ...string) []string {
	var out []string
	for _, a := range asked {
		if slices.Contains(allowed, a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// merge adds r to a list that has each resource once.
func merge(list []resource, r resource) []resource {
	for i := range list {
		if list[i].Type == r.Type && list[i].Class == r.Class && list[i].Name == r.Name {
			for _, a := range r.Actions {
				if !slices.Contains(list[i].Actions, a) {
					list[i].Actions = append(list[i].Actions, a)
				}
			}
			return list
		}
	}
	return append(list, r)
}

// actionsOf are the actions that a client has to ask for to act on a level.
func actionsOf(l access.Level) []string {
	switch l {
	case access.None:
		return nil
	case access.Read:
		return []string{actionPull}
	case access.Write:
		return []string{actionPull, actionPush}
	case access.Delete:
		return []string{actionDelete}
	}
	return []string{actionAll}
}

// grantable are those of the requested actions that a level allows. To ask for
// push does not grant pull; to ask for "*" grants every allowed action by name.
func grantable(asked []string, l access.Level) []string {
	var out []string
	for _, p := range []struct {
		action string
		level  access.Level
	}{{actionPull, access.Read}, {actionPush, access.Write}, {actionDelete, access.Delete}, {actionAll, access.Admin}} {
		if l >= p.level && (slices.Contains(asked, p.action) || slices.Contains(asked, actionAll)) {
			out = append(out, p.action)
		}
	}
	return out
}

func asksPush(r resource) bool {
	return r.Type == typeRepository && (slices.Contains(r.Actions, actionPush) || slices.Contains(r.Actions, actionAll))
}

// covers reports whether granted actions allow a level.
func covers(actions []string, l access.Level) bool {
	need := actionAll
	switch l {
	case access.None:
		return true
	case access.Read:
		need = actionPull
	case access.Write:
		need = actionPush
	case access.Delete:
		need = actionDelete
	}
	return slices.Contains(actions, need) || slices.Contains(actions, actionAll)
}
