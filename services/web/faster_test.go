package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hubledger/services/web/webtest"
)

// Of two persons who save the same thing at once the second one is told who was faster, and with
// what; what the second one wrote is kept, beside what is there now, and is saved when it is sent again.
func TestWhoWasFaster(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddApps()
	town.Call(http.MethodPut, "/orgs/acme/members/alice", map[string]string{"role": "owner"})
	town.Call(http.MethodPost, "/namespaces/acme/sources", map[string]any{"name": "app", "url": "https://git.invalid/acme.git"})
	const (
		prod, shop   = "/apps/acme/shop/production", "/apps/acme/shop/-/settings"
		repo, source = "/r/acme/web/-", "/sources/acme/app/-/settings"
		rules        = "version: 1\nrules:\n  - name: main\n    branch: main\n    tags: [latest]\n"
	)
	type fields = []string
	for _, form := range []struct {
		page, do     string
		theirs, mine fields
		kept, now    string // what the page has of mine, and says of theirs
	}{
		{prod + "/policy", "save", fields{"steps", "10"}, fields{"steps", "5, 25"}, `value="5, 25"`, "There now: 10"},
		{prod + "/policy/new-gate?kind=manual", "add", fields{"name", "theirs"}, fields{"name", "mine"}, `value="mine"`, ""},
		{prod + "/policy/new-gate?kind=http", "add", fields{"name", "one", "url", "http://{host}/"}, fields{"name", "two", "url", "http://{host}:{port}/"}, `value="http://{host}:{port}/"`, ""},
		{prod + "/policy/gates/one", "save", fields{"url", "http://theirs/"}, fields{"url", "http://mine/"}, `value="http://mine/"`, "There now: http://theirs/"},
		{prod + "/config", "set", fields{"key", "REGION", "value", "theirs"}, fields{"key", "REGION", "value", "mine"}, `>mine</textarea>`, "REGION theirs"},
		{prod + "/config", "secret", fields{"key", "TOKEN", "secret", "theirs"}, fields{"key", "TOKEN", "secret", "mine"}, `value="TOKEN"`, ""},
		{prod + "/config/REGION/remove", "remove", nil, fields{"kind", "value"}, `name="do" value="remove"`, ""},
		{"/apps/acme/shop/preview/hosts", "set", fields{"web", "web1"}, fields{"web", "web1", "worker", "web1"}, `name="worker" value="web1" aria-label="web1: worker" checked`, ""},
		{shop, "compose", fields{"compose", webtest.Compose + "# theirs\n"}, fields{"compose", webtest.Compose + "# mine\n"}, "# mine\n", ""},
		{shop, "keep", fields{"keep", "7"}, fields{"keep", "8"}, `value="8"`, "There now: 7"},
		{repo + "/settings", "describe", fields{"description", "theirs"}, fields{"description", "mine"}, `value="mine"`, "There now: theirs"},
		{repo + "/settings", "readme", fields{"readme", "theirs"}, fields{"readme", "mine"}, `>mine</textarea>`, "There now: theirs"},
		{repo + "/settings", "policy", fields{"immutableTags", "v1"}, fields{"immutableTags", "v2"}, `>v2</textarea>`, "There now: v1"},
		{repo + "/storage", "save", fields{"keepLast", "3"}, fields{"keepLast", "4"}, `value="4"`, "There now: 3"},
		{source, "change", fields{"url", "https://git.invalid/acme/theirs.git", "host", "gitea"}, fields{"url", "https://git.invalid/acme/mine.git", "host", "gitea"}, `value="https://git.invalid/acme/mine.git"`, "There now: https://git.invalid/acme/theirs.git"},
		{source, "credentials", fields{"with", "token", "token", "theirs"}, fields{"with", "token", "token", "mine"}, `name="do" value="credentials"`, "Now: token"},
		{source, "status", fields{"status", "on"}, fields{"status", "on", "statusToken", "mine"}, `name="do" value="status"`, ""},
		{repo + "/rules", "save", fields{"source", "acme/app", "rules", rules}, fields{"source", "acme/app", "rules", strings.Replace(rules, "main", "dev", 2)}, "branch: dev", "There now: version: 1"},
	} {
		t.Run(form.page+" "+form.do, func(t *testing.T) {
			seq := func(a *webtest.Answer) string { return a.Between(`name="seq" value="`, `"`) }
			send := func(as *webtest.Browser, seq string, more fields) *webtest.Answer {
				return as.Post(form.page, append(fields{"do", form.do, "seq", seq}, more...)...)
			}
			seen := seq(town.Admin.Get(form.page).Is(http.StatusOK))
			if form.theirs == nil { // the other one sets something else of the same
				town.Alice.Post(prod+"/config", "do", "set", "seq", seen, "key", "ELSE", "value", "x").Is(http.StatusSeeOther)
			} else {
				send(town.Alice, seen, form.theirs).Is(http.StatusSeeOther)
			}
			late := send(town.Admin, seen, form.mine).Is(http.StatusConflict).Says("Somebody was faster: alice", "Nothing of yours was saved", form.now)
			if !strings.Contains(late.Text, form.kept) {
				t.Errorf("what was written is not kept: there is no %s: %s", form.kept, late.Text)
			}
			if now := seq(late); now == seen {
				t.Errorf("the form is that of event %s still", now)
			} else {
				send(town.Admin, now, form.mine).Is(http.StatusSeeOther)
			}
		})
	}
}
