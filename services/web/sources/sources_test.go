package sources_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hubledger/services/web/webtest"
)

const at = "/sources/admin/app"

// One hub has all that these need: to make one for each costs more than all they do.
func TestPages(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddGit()
	for _, step := range []func(*testing.T, *webtest.Town){whoSeesSources, source, linkAndChange} {
		step(t, town)
	}
}

// Sources are for members of their namespace, settings for its owners; to others there
// is no such page.
func whoSeesSources(t *testing.T, town *webtest.Town) {
	for _, path := range []string{"/n/admin/sources", "/n/admin/sources/link", at, at + "/-/settings", at + "/-/unlink", at + "/-/deliveries", fmt.Sprintf("%s/-/deliveries/%d", at, town.Git.Delivery)} {
		town.Admin.Get(path).Is(http.StatusOK).Lacks("<script>alert", "<img src=x")
		town.Bob.Get(path).Is(http.StatusNotFound).Lacks("git.invalid")
		if a := town.Nobody.Get(path); a.Status != http.StatusSeeOther && a.Status != http.StatusNotFound {
			t.Errorf("%s for nobody: %d", path, a.Status)
		}
	}
	town.Bob.Get("/sources").Leads("/n/bob/sources")
	town.Bob.Get("/n/bob/sources").Is(http.StatusOK).Says("watches no git repository yet", "Link a git repository")
	town.Call(http.MethodPost, "/namespaces/acme/sources", map[string]any{"name": "app", "url": "https://git.invalid/acme.git"})
	town.Call(http.MethodPut, "/orgs/acme/members/bob", map[string]string{"role": "member"})
	town.Bob.Get("/sources/acme/app").Is(http.StatusOK).Says("https://git.invalid/acme.git").Lacks("/-/settings")
	town.Bob.Get("/sources/acme/app/-/settings").Is(http.StatusForbidden)
	town.Bob.Post("/sources/acme/app/-/unlink", "do", "unlink").Is(http.StatusForbidden)
}

// A source says what was built of its refs, and a webhook what it says and what came of it.
func source(_ *testing.T, town *webtest.Town) {
	page := town.Admin.Get(at).Is(http.StatusOK)
	page.Says("https://git.invalid/app.git", "such as those of admin/app", webtest.Commit[:7], "failed", "succeeded", "Latest webhooks", "Sweep now")
	town.Admin.Get(at+"?kind=pull_request").Is(http.StatusOK).Says("pull request #7 from a fork, to main", "waiting")
	town.Admin.Post(at, "do", "sweep").Leads(at)
	delivery := fmt.Sprintf("%s/-/deliveries/%d", at, town.Git.Delivery)
	town.Admin.Get(delivery).Is(http.StatusOK).Says(webtest.Hostile, "Redeliver", "What it says", "no longer kept")
	town.Admin.Post(delivery, "do", "redeliver").Leads(at)
	town.Admin.Get(at + "/-/deliveries/999999").Is(http.StatusNotFound)
	town.Admin.Get("/sources/admin/other").Is(http.StatusNotFound)
}

// The secret of a webhook is shown when it is made, with what to fill in at the kind of
// git host, and never again; so is what is wrong with the form, at its field.
func linkAndChange(t *testing.T, town *webtest.Town) {
	form := func(kind, name, url string, more ...string) []string {
		return append([]string{"do", "link", "name", name, "url", url, "host", kind}, more...)
	}
	const link, typed = "/n/admin/sources/link", `value="ftp://example.com/x"`
	if a := town.Admin.Post(link, form("", "x", "ftp://example.com/x")...).Is(http.StatusUnprocessableEntity); !strings.Contains(a.Text, typed) || !strings.Contains(a.Text, `id="w-url"`) {
		t.Errorf("a bad URL: %s", a.Text)
	}
	if a := town.Admin.Post(link, form("", "UPPER", "https://git.invalid/x")...).Is(http.StatusUnprocessableEntity); !strings.Contains(a.Text, `id="w-name"`) {
		t.Errorf("a bad name: %s", a.Text)
	}
	for kind, says := range map[string]string{"github": "Just the push event", "gitlab": "Tag push events", "bitbucket": "Repository push", "bitbucket-server": "Test connection", "gitea": "Forgejo", "git": "hooks/post-receive"} {
		town.Admin.Post(link, form(kind, kind, "https://git.invalid/"+kind)...).Is(http.StatusOK).Says(says, "/hooks/", "it is not shown again")
	}
	town.Admin.Post(link, form("", "key", "ssh://git@git.invalid/x.git", "with", "deploy-key")...).Is(http.StatusOK).Says("ssh-ed25519 AAAA")
	town.Admin.Post(link, form("", "token", "https://git.invalid/t", "with", "token", "token", "t0ken", "user", "me")...).Is(http.StatusOK).Lacks("t0ken")
	town.Admin.Get("/sources/admin/gitlab").Is(http.StatusOK).Says("Add the webhook").Lacks("it is not shown again")
	const set = "/sources/admin/token/-/settings"
	town.Admin.Get(set).Is(http.StatusOK).Says("Now: token, as me").Lacks("t0ken")
	town.Admin.Post(set, "do", "hook-secret").Is(http.StatusOK).Says("it is not shown again")
	town.Admin.Post(set, "do", "change", "url", "https://other.invalid/t", "host", "git").Is(http.StatusUnprocessableEntity).Says("the credentials are for another host")
	town.Admin.Post(set, "do", "credentials", "with", "token").Is(http.StatusUnprocessableEntity).Says("write the token")
	town.Admin.Post(set, "do", "credentials", "with", "").Leads(set + "")
	town.Admin.Post(set, "do", "change", "url", "https://other.invalid/t", "host", "gitea").Leads(set + "")
	town.Admin.Get("/sources/admin/token").Says("https://other.invalid/t")
	town.Admin.Post("/sources/admin/token/-/unlink", "do", "unlink").Leads("/n/admin/sources")
	town.Admin.Get("/sources/admin/token").Is(http.StatusNotFound)
}
