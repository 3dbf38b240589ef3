package people_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

const password = "correct horse battery"

// A hub has people: acme is owned by owner, member is in it, stranger is not.
type hub struct {
	*servertest.Server
	t testing.TB
}

func start(t *testing.T) *hub {
	h := &hub{servertest.Start(t, server.Config{}), t}
	ctx := t.Context()
	for _, name := range []string{"owner", "member", "stranger"} {
		id, seq, err := account.CreateUser(ctx, h.Log(), servertest.By, name)
		h.Done(seq, err)
		h.Done(h.Auth().SetPassword(ctx, servertest.By, id, password))
	}
	id, seq, err := account.CreateOrganization(ctx, h.Log(), servertest.By, "acme", h.Account("owner").ID)
	h.Done(seq, err)
	h.Done(account.GrantMembership(ctx, h.Log(), servertest.By, id, id, h.Account("member").ID, events.RoleMember))
	return h
}

func (h *hub) as(name string) *webtest.Browser {
	h.t.Helper()
	if name == "" {
		return webtest.NewBrowser(h.t, h.Server)
	}
	if name == servertest.Admin {
		return webtest.As(h.t, h.Server, name, servertest.Password)
	}
	return webtest.As(h.t, h.Server, name, password)
}

// Each page is shown to whom it is for, and to nobody else. "in" leads to the sign-in page.
func TestWhoSeesWhat(t *testing.T) {
	h := start(t)
	owner := h.as("owner")
	owner.Post("/n/acme/-/teams", "do", "create", "name", "devs", "description", `"><script>alert(1)</script>`).Leads("/n/acme/-/teams/devs")
	owner.Post("/n/acme/-/robots", "do", "create", "name", "ci", "description", `"><script>alert(1)</script>`).Leads("/n/acme/-/robots/ci")
	browsers := map[string]*webtest.Browser{"nobody": h.as(""), "stranger": h.as("stranger"), "member": h.as("member"), "owner": owner, "admin": h.as(servertest.Admin)}
	for path, want := range map[string]string{
		"/account":                     "nobody in, stranger 200, member 200, owner 200, admin 200",
		"/users/owner/tokens":          "nobody in, stranger 403, member 403, owner 200, admin 200",
		"/users/owner/erase":           "nobody in, stranger 403, member 403, owner 200, admin 200",
		"/orgs":                        "nobody in, stranger 200, member 200, owner 200, admin 200",
		"/users":                       "nobody in, stranger 403, member 403, owner 403, admin 200",
		"/users/member":                "nobody /n/member, stranger /n/member, owner /n/member, admin 200",
		"/users/acme":                  "nobody /n/acme, owner /n/acme, admin /n/acme",
		"/users/acme+ci":               "nobody /n/acme/-/robots/ci, owner /n/acme/-/robots/ci",
		"/users/operator":              "nobody 200, owner 200",
		"/orgs/acme":                   "nobody /n/acme, owner /n/acme",
		"/n/nothing":                   "nobody 404, stranger 404, owner 404, admin 404",
		"/n/acme":                      "nobody 404, stranger 404, member 200, owner 200, admin 200",
		"/n/member":                    "nobody 404, stranger 404, member 200, owner 404, admin 200",
		"/n/acme/-/members":            "nobody in, stranger 404, member 200, owner 200, admin 200",
		"/n/acme/-/members/member":     "nobody in, stranger 404, member 200, owner 200, admin 200",
		"/n/acme/-/members/stranger":   "owner 404, admin 404",
		"/n/acme/-/teams":              "nobody in, stranger 404, member 200, owner 200, admin 200",
		"/n/acme/-/teams/devs":         "nobody in, stranger 404, member 200, owner 200, admin 200",
		"/n/acme/-/teams/none":         "member 404, owner 404",
		"/n/acme/-/teams/devs/delete":  "nobody in, stranger 404, member 403, owner 200, admin 200",
		"/n/acme/-/robots":             "nobody in, stranger 404, member 403, owner 200, admin 200",
		"/n/acme/-/robots/ci":          "nobody in, stranger 404, member 403, owner 200, admin 200",
		"/n/acme/-/robots/ci/delete":   "nobody in, stranger 404, member 403, owner 200, admin 200",
		"/n/acme/-/access":             "nobody in, stranger 404, member 403, owner 200, admin 200",
		"/n/acme/-/usage":              "nobody in, stranger 404, member 200, owner 200, admin 200",
		"/n/acme/-/trash":              "nobody in, stranger 404, member 403, owner 200, admin 200",
		"/users/owner/tokens/" + noone: "owner 404",
	} {
		for one := range strings.SplitSeq(want, ", ") {
			who, is, _ := strings.Cut(one, " ")
			a := browsers[who].Get(path)
			a.Lacks("<script>alert(1)")
			got := fmt.Sprint(a.Status)
			if a.Status == http.StatusSeeOther {
				got = a.Location
			}
			if strings.HasPrefix(got, "/sign-in?") {
				got = "in"
			}
			if got != is {
				t.Errorf("%s as %s: %s, want %s", path, who, got, is)
			}
		}
	}
}

const noone = "0191d1a0-0000-7000-8000-000000000001"

// What is refused stands at its field, with what was typed, and changes nothing.
func TestRefusedForms(t *testing.T) {
	h := start(t)
	owner, admin := h.as("owner"), h.as(servertest.Admin)
	before := h.LastSeq()
	wrong := regexp.MustCompile(`<span class="wrong"[^>]*>[^<]+</span>`)
	const hostile = `"><script>alert(1)</script>`
	for _, c := range []struct {
		by    *webtest.Browser
		path  string
		form  []string
		typed string // is in the form again
		says  string
	}{
		{owner, "/account", []string{"do", "email", "email", "no address"}, "no address", "this is no e-mail address"},
		{owner, "/account", []string{"do", "password", "old", "wrong", "new", "another one"}, "", "the password is wrong"},
		{owner, "/account", []string{"do", "password", "old", password, "new", "short"}, "", "8 to 256 characters"},
		{owner, "/users/owner/tokens", []string{"do", "create", "name", "", "level", "read", "expires", "never"}, "", "expected length"},
		{owner, "/users/owner/tokens", []string{"do", "create", "name", "x", "level", "read", "expires", "soon"}, `value="x"`, "choose when it expires"},
		{owner, "/users/owner/erase", []string{"do", "erase", "confirm", "other", "password", password}, `value="other"`, "write the login name once more"},
		{owner, "/users/owner/erase", []string{"do", "erase", "confirm", "owner", "password", "wrong"}, `value="owner"`, "the password is wrong"},
		{owner, "/orgs", []string{"do", "create", "name", "Not A Name"}, "Not A Name", "a name is"},
		{owner, "/orgs", []string{"do", "create", "name", "acme"}, "acme", "taken"},
		{admin, "/users", []string{"do", "create", "name", hostile}, "&#34;&gt;&lt;script", "a name is"},
		{owner, "/n/acme/-/members", []string{"do", "add", "member", hostile, "role", "member"}, "&#34;&gt;&lt;script", "no user of that name"},
		{owner, "/n/acme/-/members", []string{"do", "add", "member", "", "role", "member"}, "", "write a name"},
		{owner, "/n/acme/-/teams", []string{"do", "create", "name", "Not A Name"}, "Not A Name", "a name is"},
		{owner, "/n/acme/-/robots", []string{"do", "create", "name", "Not A Name"}, "Not A Name", "a name is"},
		{owner, "/n/acme/-/access", []string{"do", "give", "grantee", "nobody", "role", "read"}, `value="nobody"`, "no user of that name"},
		{owner, "/n/acme/-/access", []string{"do", "give", "grantee", "team:none", "role", "read"}, `value="team:none"`, "no team of that name"},
		{owner, "/n/acme/-/access", []string{"do", "give", "grantee", "owner", "role", "admin"}, `value="owner"`, "owner owns acme"},
		{owner, "/n/acme/-/access", []string{"do", "give", "grantee", "", "role", "read"}, "", "who gets the role"},
		{admin, "/n/acme/-/usage", []string{"do", "quota", "bytes", "many", "images", "0"}, `value="many"`, "a whole number"},
	} {
		a := c.by.Post(c.path, c.form...)
		if a.Status < 400 || a.Status >= 500 {
			t.Errorf("%s %v: %d", c.path, c.form, a.Status)
		}
		if !strings.Contains(wrong.FindString(a.Text), c.says) {
			t.Errorf("%s %v: at the field stands %q, wanted %q: %s", c.path, c.form, wrong.FindString(a.Text), c.says, a.Words())
		}
		if !strings.Contains(a.Text, c.typed) {
			t.Errorf("%s %v: %q is gone", c.path, c.form, c.typed)
		}
		a.Lacks("<script>alert(1)", `value="`+password)
	}
	if after := h.LastSeq(); after != before {
		t.Errorf("%d events", after-before)
	}
	h.as("member").Post("/n/acme/-/members", "do", "add", "member", "stranger", "role", "member").Is(http.StatusForbidden)
	h.as("stranger").Post("/n/acme/-/teams", "do", "create", "name", "x").Is(http.StatusNotFound)
	h.as("stranger").Post("/users", "do", "create", "name", "friend").Is(http.StatusForbidden)
}

var secret = regexp.MustCompile(`<code[^>]*>(hlt_[^<]+)</code>`)

// A token is made, shown once, good for docker, and revoked.
func TestAccessTokens(t *testing.T) {
	h := start(t)
	b := h.as("owner")
	made := b.Post("/users/owner/tokens", "do", "create", "name", `<b>laptop`, "level", "write", "repositories", "owner/app\r\nowner/other", "expires", "30 days").Is(200)
	made.Says("shown this once", "docker login", "<b>laptop", "owner/app, owner/other", "in 29 days").Lacks("<b>laptop")
	found := secret.FindStringSubmatch(made.Text)
	if found == nil {
		t.Fatalf("no secret on %s", made.Words())
	}
	again := b.Get("/users/owner/tokens").Is(200).Lacks(found[1])
	if code := basic(t, h, "owner", found[1]); code != 200 {
		t.Errorf("the token: %d", code)
	}
	page := regexp.MustCompile(`/users/owner/tokens/[0-9a-f-]{36}`).FindString(again.Text)
	b.Get(page).Is(200).Says("is refused within a second", "cannot be undone")
	b.Post(page, "do", "revoke").Leads("/users/owner/tokens")
	if code := basic(t, h, "owner", found[1]); code != 401 {
		t.Errorf("the revoked token: %d", code)
	}
	b.Get("/users/owner/tokens").Says("There is no access token").Lacks("it was revoked")
	b.Get("/users/owner/tokens?tokens=ended").Says("These are refused", "it was revoked").Lacks("Revoke ")
	h.as(servertest.Admin).Get("/users/owner/tokens").Is(200).Lacks("Make the token")
}

// basic is the status of a request with that name and secret.
func basic(t *testing.T, h *hub, name, secret string) int {
	t.Helper()
	r, err := http.NewRequest("GET", h.URL+"/api/v1/user", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(name, secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Browsers can be signed out from another one; a changed password signs out all.
func TestBrowsers(t *testing.T) {
	h := start(t)
	first, second, third := h.as("owner"), h.as("owner"), h.as("owner")
	page := first.Get("/account").Is(200).Says("this one")
	if n := strings.Count(page.Text, `name="do" value="end"`); n != 2 {
		t.Errorf("%d browsers to sign out", n)
	}
	id := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(page.Text)[1]
	first.Post("/account", "do", "end", "token", id).Leads("/account")
	first.Post("/account", "do", "end-others").Leads("/account")
	for _, other := range []*webtest.Browser{second, third} {
		other.Get("/account").Leads("/sign-in")
	}
	first.Get("/account").Is(200).Lacks(`value="end-others"`)
	first.Post("/account", "do", "email", "email", "owner@example.org").Leads("/account")
	first.Get("/account").Says("E-mail").Is(200)
	if page := first.Get("/account"); !strings.Contains(page.Text, `value="owner@example.org"`) {
		t.Error("the address is not shown")
	}
	first.Post("/account", "do", "email", "email", "").Leads("/account")
	first.Post("/account", "do", "password", "old", password, "new", "another battery").Leads("/sign-in")
	first.Get("/account").Leads("/sign-in")
	webtest.As(t, h.Server, "owner", "another battery")
}

// Members are added, invited, made owners, and leave; teams and robot accounts are made
// and deleted; roles are given and withdrawn.
func TestOrganization(t *testing.T) {
	h := start(t)
	owner, member, stranger := h.as("owner"), h.as("member"), h.as("stranger")
	owner.Post("/n/acme/-/members", "do", "add", "member", "stranger", "role", "owner").Leads("/n/acme/-/members")
	owner.Get("/n/acme/-/members").Says("Invited", "stranger")
	stranger.Get("/account").Says("invites you to acme as owner")
	stranger.Post("/account", "do", "accept", "organization", "acme").Leads("/n/acme")
	stranger.Get("/n/acme").Is(200).Says("You are an owner")
	owner.Post("/n/acme/-/members", "do", "add", "member", "member", "role", "owner").Leads("/n/acme/-/members")
	owner.Post("/n/acme/-/members", "do", "withdraw", "user", "member").Leads("/n/acme/-/members")
	member.Get("/account").Lacks("invites you")

	owner.Post("/n/acme/-/teams", "do", "create", "name", "devs", "description", "Developers").Leads("/n/acme/-/teams/devs")
	owner.Post("/n/acme/-/teams/devs", "do", "add", "member", "nobody").Is(http.StatusUnprocessableEntity).Says("only members of the organization")
	owner.Post("/n/acme/-/teams/devs", "do", "add", "member", "member").Leads("/n/acme/-/teams/devs")
	owner.Post("/n/acme/-/access", "do", "give", "grantee", "team:devs", "role", "write").Leads("/n/acme/-/access")
	owner.Get("/n/acme/-/access").Says("team devs write", "by owner")
	member.Get("/n/acme").Is(200).Says("Make a repository")
	owner.Post("/n/acme/-/access", "do", "withdraw", "kind", "team", "grantee", "devs").Leads("/n/acme/-/access")
	member.Get("/n/acme").Is(200).Lacks("Make a repository")
	member.Post("/n/acme/-/teams/devs", "do", "remove", "member", "member").Leads("/n/acme/-/teams/devs")
	owner.Get("/n/acme/-/teams/devs/delete").Says("cannot be undone")
	owner.Post("/n/acme/-/teams/devs/delete", "do", "delete").Leads("/n/acme/-/teams")
	owner.Get("/n/acme/-/teams/devs").Is(404)

	owner.Post("/n/acme/-/robots", "do", "create", "name", "ci").Leads("/n/acme/-/robots/ci")
	made := owner.Post("/n/acme/-/robots/ci", "do", "create", "name", "job", "level", "write", "expires", "never").Is(200).Says("docker login", "acme+ci")
	token := secret.FindStringSubmatch(made.Text)[1]
	if code := basic(t, h, "acme+ci", token); code != 200 {
		t.Errorf("the robot's token: %d", code)
	}
	page := regexp.MustCompile(`/n/acme/-/robots/ci/tokens/[0-9a-f-]{36}`).FindString(made.Text)
	owner.Get(page).Is(200)
	owner.Post(page, "do", "revoke").Leads("/n/acme/-/robots/ci")
	if code := basic(t, h, "acme+ci", token); code != 401 {
		t.Errorf("the revoked token: %d", code)
	}
	owner.Post("/n/acme/-/robots/ci/delete", "do", "delete").Leads("/n/acme/-/robots")

	member.Get("/n/acme/-/members/member").Says("Leave acme")
	member.Post("/n/acme/-/members/member", "do", "remove").Leads("/account")
	member.Get("/n/acme").Is(404)
	owner.Post("/n/acme/-/members/stranger", "do", "role", "role", "member").Leads("/n/acme/-/members")
	stranger.Get("/n/acme").Says("You are a member")
	stranger.Post("/orgs", "do", "create", "name", "beta").Leads("/n/beta")
	stranger.Get("/orgs").Says("beta owner")
}

// Administrators make users, lock them out, reset passwords, set quotas and erase.
func TestUsers(t *testing.T) {
	h := start(t)
	admin := h.as(servertest.Admin)
	made := admin.Post("/users", "do", "create", "name", "newcomer", "email", "new@example.org").Is(200).Says("The password of newcomer.", "shown this once")
	shown := regexp.MustCompile(`<code[^>]*>([A-Z2-7]{20,})</code>`)
	first := shown.FindStringSubmatch(made.Text)[1]
	newcomer := webtest.As(t, h.Server, "newcomer", first)
	admin.Get("/users").Is(200).Says("newcomer", "active").Lacks(first)
	reset := admin.Post("/users/newcomer", "do", "password").Is(200).Says("The new password of newcomer.")
	newcomer.Get("/account").Leads("/sign-in")
	newcomer = webtest.As(t, h.Server, "newcomer", shown.FindStringSubmatch(reset.Text)[1])
	admin.Post("/users/newcomer", "do", "standing", "what", "disabled", "to", "yes").Leads("/users/newcomer")
	newcomer.Get("/account").Leads("/sign-in")
	admin.Get("/users/newcomer").Says("Disabled", "Enable newcomer")
	admin.Post("/users/newcomer", "do", "standing", "what", "disabled", "to", "no").Leads("/users/newcomer")
	newcomer.Get("/account").Is(200)
	admin.Post("/users/newcomer", "do", "standing", "what", "admin", "to", "yes").Leads("/users/newcomer")
	newcomer.Get("/users").Is(200)
	admin.Post("/users/newcomer", "do", "standing", "what", "admin", "to", "no").Leads("/users/newcomer")
	admin.Post("/n/newcomer/-/usage", "do", "quota", "bytes", "1,000,000", "images", "5").Leads("/n/newcomer/-/usage")
	newcomer.Get("/n/newcomer/-/usage").Is(200).Says("of 1.0 MB", "0 of 5").Lacks("Set the quota")
	newcomer.Post("/n/newcomer/-/usage", "do", "quota", "bytes", "0", "images", "0").Is(http.StatusForbidden)
	admin.Post("/users/newcomer/erase", "do", "erase", "confirm", "newcomer").Leads("/users/newcomer")
	admin.Get("/users/newcomer").Is(200).Says("Erased: the name is given to nobody else").Lacks("Reset the password")
	admin.Get("/users").Says("erased")
	newcomer.Get("/account").Leads("/sign-in")
	stranger := h.as("stranger")
	stranger.Post("/users/stranger/erase", "do", "erase", "confirm", "stranger", "password", password).Leads("/")
	stranger.Get("/account").Leads("/sign-in")
}

// Long lists of names are in pages with a box that filters them; what one page does not
// have is still found by its address.
func TestLongListsOfNames(t *testing.T) {
	town := webtest.NewTown(t)
	for n := range 52 {
		town.Call(http.MethodPost, "/orgs/acme/teams", map[string]any{"name": fmt.Sprintf("team%02d", n)})
	}
	town.CatchUp()
	const page = "/n/acme/-/teams"
	a := town.Admin.Get(page).Is(http.StatusOK).Says("53", "team48", "Next page").Lacks("/teams/team49\"")
	_, next, _ := strings.Cut(a.Text, `<p class="more"><a class="button" href="`)
	next, _, _ = strings.Cut(next, `"`)
	town.Admin.Get(strings.ReplaceAll(next, "&amp;", "&")).Is(http.StatusOK).Says("team49", "team51").Lacks("/teams/team48\"", "Next page")
	town.Admin.Get(page+"?q=TEAM51").Is(http.StatusOK).Says("1 found", "team51", "show all").Lacks("team50")
	town.Admin.Get(page + "?q=" + url.QueryEscape(webtest.Hostile)).Is(http.StatusOK).Says("None has").Lacks("<script>alert")
	town.Admin.Get(page + "?cursor=x").Is(http.StatusUnprocessableEntity)
	town.Admin.Get(page+"/team51").Is(http.StatusOK).Says("team51", "Nobody is in it")
	town.Admin.Get(page + "/team5").Is(http.StatusNotFound)
	town.Admin.Get("/n/acme/-/members/alice").Is(http.StatusOK).Says("alice")
	town.Admin.Get("/n/acme/-/members/ali").Is(http.StatusNotFound)
	town.Admin.Get("/n/acme/-/robots/ci").Is(http.StatusOK)
	town.Admin.Get("/n/acme/-/robots/c").Is(http.StatusNotFound)
}
