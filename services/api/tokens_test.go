package api_test

import (
	"testing"

	"hubledger/services/internal/apitypes"
)

// What a token has issued ends with it, whoever it was issued to, and so on. A
// docker login issues nothing and ends with its password.
func TestTokensEndWithTheirIssuer(t *testing.T) {
	k := start(t)
	k.user("olga")
	k.credentials("olga")
	k.do("olga", "POST", "/api/v1/orgs", object{"name": "acme"}).want(201)
	k.do("olga", "POST", "/api/v1/orgs/acme/robots", object{"name": "ci"}).want(201)
	const mine, robots = "/api/v1/users/olga/tokens", "/api/v1/orgs/acme/robots/ci/tokens"
	issue := func(as, by, where string) apitypes.IssuedToken {
		t.Helper()
		var made apitypes.IssuedToken
		k.do(by, "POST", where, object{"name": as, "level": "admin"}).want(201).into(&made)
		k.tokens[as] = made.Secret
		return made
	}
	for _, as := range []string{"olga, docker login", "olga, docker login as a password", "olga, session of a docker login", "olga, registry token"} {
		k.do(as, "POST", mine, object{"name": "x", "level": "read"}).want(403)
		k.do(as, "POST", robots, object{"name": "x", "level": "read"}).want(403)
	}
	first := issue("first", "olga, by password", mine)
	second := issue("second", "first", mine)
	issue("third", "second", robots)
	issue("apart", "olga, session", mine)
	if first.Issuer != "" || second.Issuer != first.ID {
		t.Errorf("issuers %q and %q", first.Issuer, second.Issuer)
	}
	list := func(where string) map[string]apitypes.Token {
		t.Helper()
		var page struct{ Items []apitypes.Token }
		k.do("olga, by password", "GET", where, nil).want(200).into(&page)
		named := map[string]apitypes.Token{}
		for _, v := range page.Items {
			named[v.Name] = v
		}
		return named
	}
	if n := list(mine)["first"].IssuedTokens; n != 2 {
		t.Errorf("%d tokens would end with the first", n)
	}
	for _, as := range []string{"first", "second", "third", "apart"} {
		k.do(as, "GET", "/api/v1/user", nil).want(200)
	}
	k.do("olga, by password", "DELETE", mine+"/"+first.ID, nil).want(200)
	for _, as := range []string{"first", "second", "third"} {
		k.do(as, "GET", "/api/v1/user", nil).want(401)
	}
	k.do("apart", "GET", "/api/v1/user", nil).want(200)
	if of, robot := list(mine), list(robots); of["first"].Ended != "revoked" || of["second"].Ended != "issuer" || robot["third"].Ended != "issuer" ||
		of["apart"].Ended != "" || of["first"].IssuedTokens != 0 {
		t.Errorf("after: %+v, %+v", of, robot)
	}

	k.do("olga, docker login", "GET", "/api/v1/user", nil).want(200)
	k.do("operator", "PUT", "/api/v1/users/olga/password", object{"new": "another battery staple"}).want(200)
	for _, as := range []string{"olga, docker login", "olga, session of a docker login", "olga, session", "olga, by password", "olga, registry token"} {
		k.do(as, "GET", "/api/v1/user", nil).want(401)
	}
	var after struct{ Items []apitypes.Token }
	k.do("apart", "GET", mine, nil).want(200).into(&after)
	logins := 0
	for _, v := range after.Items {
		if v.Kind == "login" {
			logins++
			if v.Ended != "password" {
				t.Errorf("a login of the password before: %+v", v)
			}
		}
	}
	if logins != 1 {
		t.Errorf("%d logins", logins)
	}
}
