package api_test

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/totp"
)

// A person turns a second factor on, is asked for it, and turns it off; an administrator can
// turn off another's, and nobody can turn on another's.
func TestSecondFactor(t *testing.T) {
	k := start(t)
	_, err := k.Auth().Initialize(t.Context())
	check(t, err)
	k.do("operator", "POST", "/api/v1/users", object{"name": "alice", "password": "correct horse"}).want(201)
	k.token("alice", "alice", "admin")
	const at = "/api/v1/users/alice/second-factor"
	key := totp.NewKey()
	raw, err := totp.ParseKey(key)
	check(t, err)
	step := totp.Step(time.Now())
	code := func(k int) string { return totp.Code(raw, step+uint64(k)) }
	on := func(key, password, code string) object { return object{"key": key, "password": password, "code": code} }

	k.do("alice", "PUT", at, on(key, "wrong", code(0))).want(403)
	k.do("alice", "PUT", at, on("short", "correct horse", code(0))).want(422)
	k.do("alice", "PUT", at, on(key, "correct horse", "12345")).want(422)
	k.do("operator", "PUT", at, on(key, "", code(0))).want(409)
	k.do("alice", "POST", at+"/removal", object{"password": "correct horse", "code": code(0)}).want(409) // it is off
	var made apitypes.RecoveryCodes
	k.do("alice", "PUT", at, on(key, "correct horse", code(0))).want(200).into(&made)
	k.do("alice", "PUT", at, on(key, "correct horse", code(1))).want(409)
	var now apitypes.SecondFactor
	k.do("alice", "GET", at, nil).want(200).into(&now)
	if len(made.Codes) != 10 || !now.On || now.RecoveryCodes != 10 {
		t.Fatalf("made %d codes; it is %+v", len(made.Codes), now)
	}
	var user apitypes.User
	k.do("operator", "GET", "/api/v1/users/alice", nil).want(200).into(&user)
	if user.SecondFactor == nil || !*user.SecondFactor {
		t.Error("an administrator does not see it")
	}
	for _, secret := range append(slices.Clone(made.Codes), key) {
		if list := k.filesWith(secret); len(list) > 0 {
			t.Errorf("a secret stands in %v", list)
		}
	}

	k.tokens["password"] = "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:correct horse"))
	if a := k.do("password", "GET", "/api/v1/user", nil).want(401); a.Header().Get(apitypes.CodeHeader) == "" {
		t.Errorf("it does not say that a code is needed: %v", a.Header())
	}
	k.do("password", "GET", "/api/v1/user", nil, apitypes.CodeHeader, made.Codes[0]).want(200)
	k.do("", "POST", "/v2/users/login", object{"username": "alice", "password": "correct horse"}).want(401)
	k.do("", "POST", "/v2/users/login", object{"username": "alice", "password": "correct horse"}, apitypes.CodeHeader, made.Codes[1]).want(200)

	// New recovery codes take the place of those of before; the app shows the same codes.
	k.do("operator", "POST", at+"/recovery-codes", object{"password": "", "code": ""}).want(409)
	k.do("alice", "POST", at+"/recovery-codes", object{"password": "wrong", "code": made.Codes[3]}).want(403)
	k.do("alice", "POST", at+"/recovery-codes", object{"password": "correct horse", "code": made.Codes[0]}).want(403) // it was used
	old := slices.Clone(made.Codes)
	k.do("alice", "POST", at+"/recovery-codes", object{"password": "correct horse", "code": old[3]}).want(200).into(&made)
	k.do("alice", "GET", at, nil).want(200).into(&now)
	if len(made.Codes) != 10 || slices.Contains(made.Codes, old[4]) || now.RecoveryCodes != 10 {
		t.Fatalf("made %d new codes; it is %+v", len(made.Codes), now)
	}
	k.do("password", "GET", "/api/v1/user", nil, apitypes.CodeHeader, old[4]).want(401)
	k.do("password", "GET", "/api/v1/user", nil, apitypes.CodeHeader, made.Codes[0]).want(200)
	for _, secret := range made.Codes {
		if list := k.filesWith(secret); len(list) > 0 {
			t.Errorf("a new code stands in %v", list)
		}
	}

	for _, bad := range []object{{}, {"password": "correct horse"}, {"password": "wrong", "code": made.Codes[2]}, {"password": "correct horse", "code": made.Codes[0]}} {
		k.do("alice", "POST", at+"/removal", bad).want(403, 429)
	}
	k.do("alice", "POST", at+"/removal", object{"password": "correct horse", "code": made.Codes[2]}).want(200, 429)
	k.do("operator", "POST", at+"/removal", object{}).want(200, 409)
	k.do("password", "GET", "/api/v1/user", nil).want(200)
}
