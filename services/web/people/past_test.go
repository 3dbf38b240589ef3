package people_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"hubledger/services/web/webtest"
)

// Members, teams and roles are shown as they were at an event or a time, without forms; and what has
// changed since.
func TestRightsAsOfATime(t *testing.T) {
	h := start(t)
	owner, member := h.as("owner"), h.as("member")
	owner.Post("/n/acme/-/teams", "do", "create", "name", "devs").Leads("/n/acme/-/teams/devs")
	owner.Post("/n/acme/-/teams/devs", "do", "add", "member", "member").Leads("/n/acme/-/teams/devs")
	owner.Post("/n/acme/-/access", "do", "give", "grantee", "team:devs", "role", "write").Leads("/n/acme/-/access")
	owner.Post("/n/acme/-/members", "do", "add", "member", "stranger", "role", "member").Leads("/n/acme/-/members")
	then := fmt.Sprintf("?as_of=s%d", h.LastSeq())
	owner.Post("/n/acme/-/access", "do", "withdraw", "kind", "team", "grantee", "devs").Leads("/n/acme/-/access")
	owner.Post("/n/acme/-/teams/devs/delete", "do", "delete").Leads("/n/acme/-/teams")
	owner.Post("/n/acme/-/members/stranger", "do", "remove").Leads("/n/acme/-/members")
	owner.Post("/n/acme/-/members", "do", "add", "member", "admin", "role", "member").Leads("/n/acme/-/members")

	for path, says := range map[string][]string{
		"/n/acme/-/members":    {"stranger", "owner"},
		"/n/acme/-/teams":      {"devs"},
		"/n/acme/-/teams/devs": {"member"},
		"/n/acme/-/access":     {"team devs write", "by owner"},
	} {
		page := owner.Get(path+then).Is(http.StatusOK).Says("This is the past: how it was when event").Says("Show how it is now", "What has changed since").Says(says...).Lacks(`method="post">`)
		if page.Between(`<a href="/n/acme/-/access/changes`, `"`) != "?since="+then[len("?as_of="):] {
			t.Errorf("%s does not lead to what has changed since", path)
		}
	}
	owner.Get("/n/acme/-/members").Is(http.StatusOK).Lacks("stranger", "This is the past").Says("Add a member")
	member.Get("/n/acme/-/members"+then).Is(http.StatusOK).Says("This is the past", "stranger").Lacks("What has changed since", `value="remove"`)
	owner.Get("/n/acme/-/teams/devs").Is(http.StatusNotFound)
	owner.Get("/n/acme/-/members?as_of=2001-01-01T12:00").Is(http.StatusOK).Says("how it was at 2001-01-01 12:00 UTC", "Nobody was in it").Between(`name="as_of" value="`, `" required`)
	// The minute that has not ended yet is as of now.
	owner.Get("/n/acme/-/members?as_of="+time.Now().UTC().Format("2006-01-02T15:04")).Is(http.StatusOK).Says("This is the past", "admin")
	for point, says := range map[string]string{"nonsense": "a point in time is", "2999-01-01T12:00": "has not happened yet", "s999999": "has not happened yet"} {
		a := owner.Get("/n/acme/-/members?as_of="+point).Is(http.StatusUnprocessableEntity).Says("Add a member", says).Lacks("This is the past")
		a.Between(`id="w-as_of">`, says)
	}
	// A form acts on how it is now, also from a page whose address has another time.
	owner.Post("/n/acme/-/members"+then, "do", "add", "member", "nobody", "role", "member").Is(http.StatusUnprocessableEntity).Says("no user of that name").Lacks("stranger", "This is the past")

	const changes = "/n/acme/-/access/changes"
	owner.Get(changes).Is(http.StatusOK).Says("Since", "until").Lacks("<table")
	since := "?since=" + then[len("?as_of="):]
	owner.Get(changes+since).Is(http.StatusOK).Says("stranger in acme member nothing", "admin in acme nothing member", "member in the team devs member nothing", "team:devs on all of acme write nothing", "by owner")
	owner.Get(changes + since + "&until=" + then[len("?as_of="):]).Is(http.StatusOK).Says("nothing differs")
	owner.Get(changes+"?since=nonsense").Is(http.StatusOK).Between(`id="w-since">`, "</span>")
	owner.Get(changes+"?since=s3&until=nonsense").Is(http.StatusOK).Between(`id="w-until">`, "</span>")
	member.Get(changes + since).Is(http.StatusForbidden)
	webtest.NewBrowser(t, h.Server).Get(changes).Leads("/sign-in")
}
