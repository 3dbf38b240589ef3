package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"hubledger/services/api"
	"hubledger/services/internal/account"
	"hubledger/services/internal/command"
	"hubledger/services/internal/endpoint"
)

// All that is said of a new repository is one request; what is refused of it
// leaves nothing.
func TestCreateAndDescribe(t *testing.T) {
	k := start(t)
	k.user("alice")
	before := k.LastSeq()
	for _, bad := range []object{{"description": "two\nlines"}, {"description": strings.Repeat("x", 101)}, {"topics": []string{"Not A Topic"}}, {"readme": strings.Repeat("ü", 60_000)}} {
		bad["name"] = "alice/said"
		k.do("alice", "POST", "/api/v1/repositories", bad).want(422)
	}
	if k.LastSeq() != before {
		t.Error("what was refused left events")
	}
	var said struct {
		Description, Visibility string
		Topics                  []string
		Seq                     uint64
	}
	k.do("alice", "POST", "/api/v1/repositories", object{"name": "alice/said", "visibility": "public", "description": "A tool", "readme": "# Tool", "topics": []string{"go", "cli"}}).want(201).into(&said)
	if said.Description != "A tool" || said.Visibility != "public" || len(said.Topics) != 2 || said.Seq != k.LastSeq() {
		t.Errorf("made %+v", said)
	}
}

// noPasswords fails where the process could have died.
type noPasswords struct{ api.Passwords }

func (noPasswords) SetPassword(context.Context, command.By, string, string) (uint64, error) {
	return 0, errors.New("cut off")
}

// A creation that stops half-way says so, and the same request ends it.
func TestUserIsFinished(t *testing.T) {
	k := start(t)
	ask, key := object{"name": "alice", "password": "correct horse", "admin": true}, "0191d1a0-0000-7000-8000-00000000000f"
	create := func() answer { return k.do("operator", "POST", "/api/v1/users", ask, "Idempotency-Key", key) }
	k.replace(func(c *api.Config, _ *endpoint.Config) { c.Passwords = noPasswords{c.Passwords} })
	if a := create().want(500); !strings.Contains(a.Body.String(), "the user alice was made") || strings.Contains(a.Body.String(), "cut off") || a.Header().Get("Retry-After") == "" {
		t.Errorf("%v %s", a.Header(), a.Body)
	}
	k.served = k.Handler
	k.CatchUp()
	if a := create().want(409); a.Header().Get("Retry-After") == "" {
		t.Errorf("while it may still be being made: %v %s", a.Header(), a.Body)
	}
	k.replace(func(c *api.Config, _ *endpoint.Config) { c.FinishUsersAfter = time.Nanosecond })
	var made struct {
		Name  string
		Admin bool
		Seq   uint64
	}
	create().want(201).into(&made)
	if made.Name != "alice" || !made.Admin || made.Seq != k.LastSeq() {
		t.Errorf("%+v", made)
	}
	k.do("", "POST", "/v2/users/login", object{"username": "alice", "password": "correct horse"}).want(200)
	if a := create().want(201); a.Header().Get("Idempotency-Replayed") == "" {
		t.Error("the finished one is made once more")
	}
	// Who has a password is nobody's to finish, and neither is an organization.
	k.do("operator", "POST", "/api/v1/users", object{"name": "alice", "password": "another one"}).want(409)
	k.do("operator", "POST", "/api/v1/orgs", object{"name": "acme", "owner": "alice"}).want(201)
	k.do("operator", "POST", "/api/v1/users", object{"name": "acme"}).want(409)
}

// An organization that two owners left at once gets one from an administrator.
func TestOrganizationWithoutOwner(t *testing.T) {
	k, ctx := start(t), context.Background()
	alice, bob := k.user("alice"), k.user("bob")
	acme := k.made(account.CreateOrganization(ctx, k.Log(), tester, "acme", alice))
	k.do("alice", "PUT", "/api/v1/orgs/acme/members/bob", object{"role": "owner"}).want(200)
	for _, id := range []string{alice, bob} {
		k.Done(account.RevokeMembership(ctx, k.Log(), tester, acme, acme, id))
	}
	k.do("bob", "PUT", "/api/v1/orgs/acme/members/bob", object{"role": "owner"}).want(404)
	k.do("operator", "PUT", "/api/v1/orgs/acme/members/bob", object{"role": "owner"}).want(200)
	k.do("bob", "POST", "/api/v1/orgs/acme/teams", object{"name": "devs"}).want(201)
}
