package client

import "testing"

func TestHidden(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/users/bob":                              "there is no user bob that you may see; `hubledger users ls` lists what you may see",
		"/api/v1/users/bob/tokens/1":                     "there is no user bob that you may see, or it has nothing named 1; `hubledger users ls` lists what you may see",
		"/api/v1/orgs/acme/teams":                        "there is no organization acme that you may see; `hubledger orgs ls` lists what you may see",
		"/api/v1/orgs/acme/teams/devs":                   "there is no organization acme that you may see, or it has nothing named devs; `hubledger orgs ls` lists what you may see",
		"/api/v1/namespaces/acme/quota":                  "there is no user or organization acme that you may see; `hubledger orgs ls` lists what you may see",
		"/api/v1/repositories/acme/a%2Fb/policy":         "there is no repository acme/a/b that you may see; `hubledger repos ls` lists what you may see",
		"/api/v1/repositories/library/app/tags/1.0":      "there is no repository app that you may see, or it has nothing named 1.0; `hubledger repos ls` lists what you may see",
		"/api/v1/repositories/acme/app/grants/user/al":   "there is no repository acme/app that you may see, or it has nothing named al; `hubledger repos ls` lists what you may see",
		"/api/v1/repositories/acme/app/tags/1.0/history": "there is no repository acme/app that you may see, or it has nothing named 1.0; `hubledger repos ls` lists what you may see",
		"/api/v1/orgs/acme/teams/devs/members/al":        "there is no organization acme that you may see, or it has nothing named al; `hubledger orgs ls` lists what you may see",
		"/api/v1/apps/acme":                              "there is no user or organization acme that you may see; `hubledger orgs ls` lists what you may see",
		"/api/v1/apps/acme/shop":                         "there is no application acme/shop that you may see; `hubledger apps ls acme` lists what you may see",
		"/api/v1/apps/acme/shop/releases/3/diff":         "there is no application acme/shop that you may see, or it has nothing named 3; `hubledger apps ls acme` lists what you may see",
		"/api/v1/search":                                 "",
		"/api/v1/deleted/x":                              "",
		"/api/v1/repositories/acme":                      "",
	} {
		if got := hidden(path); got != want {
			t.Errorf("%s: %q\nwant %q", path, got, want)
		}
	}
}
