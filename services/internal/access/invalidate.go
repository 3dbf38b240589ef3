package access

import (
	"encoding/json"
	"slices"
	"strings"

	"hubledger/events"
	"hubledger/projections"
)

// Committed forgets what a commit of the accounts projection changed. It is
// the projection's OnCommit: called before anyone who waits for the commit goes
// on. parked says whether the projection has set any event aside.
func (r *Rights) Committed(c projections.Commit, parked bool) {
	if c.Events == nil || parked {
		r.forget()
		return
	}
	for k := range c.Events {
		r.committed(&c.Events[k])
	}
}

func (r *Rights) forget() {
	r.decisions.clear()
	r.credentials.clear()
}

// committed drops what an event changes, by its type. Frequent events, such as
// pushes, new repositories and tokens, drop little or nothing. Memberships change
// seldom, and any decision may depend on them, so they drop everything.
func (r *Rights) committed(e *events.Event) {
	family, _, _ := events.SplitType(e.Type())
	aggregate, _, _ := strings.Cut(family, ".")
	switch aggregate {
	case "hub", "robot":
		r.forget()
	case "namespace", "quota", "membership", "team", "grant":
		if family != "membership.invited" && family != "membership.uninvited" {
			r.decisions.clear()
		}
	case "user":
		if family != "user.email_changed" {
			r.forget()
		}
	case "token":
		if family != "token.issued" {
			r.revoked(e)
		}
	case "repository":
		if family != "repository.described" && family != "repository.summary_changed" && family != "repository.policy_changed" {
			r.repositoryChanged(e)
		}
	}
}

// revoked drops a token and those that end with it.
func (r *Rights) revoked(e *events.Event) {
	var p struct{ Token string }
	if json.Unmarshal(e.Data, &p) != nil {
		r.credentials.clear()
		return
	}
	r.credentials.dropIf(func(v any) bool {
		c, ok := v.(*credential)
		return ok && c.token != nil && (c.token.ID == p.Token || slices.Contains(c.token.Issuers, p.Token))
	})
}

func (r *Rights) repositoryChanged(e *events.Event) {
	var p struct{ Name string }
	if json.Unmarshal(e.Data, &p) != nil {
		r.decisions.clear()
		return
	}
	r.decisions.drop(p.Name, anyName)
}
