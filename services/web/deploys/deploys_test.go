package deploys_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/internal/hosting"
	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

const (
	shop = "/apps/acme/shop"
	prod = shop + "/production"
)

// One hub has all that these need, in this order: to make one for each costs more than
// all they do.
func TestPages(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddApps()
	for _, step := range []func(*testing.T, *webtest.Town){whoSees, says, decisions, twoAtOnce, settings, gates, applications, hosts, containers, whereItRuns} {
		step(t, town)
	}
}

// A page of an application is there for members of its namespace; what it changes is refused to
// whoever the API would refuse it.
func whoSees(t *testing.T, town *webtest.Town) {
	see := func(path string, admin, member, stranger int) {
		t.Helper()
		for as, want := range map[*webtest.Browser]int{town.Admin: admin, town.Alice: member, town.Bob: stranger, town.Nobody: http.StatusSeeOther} {
			if a := as.Get(path); a.Status != want {
				t.Errorf("%s: %d, wanted %d: %s", a.What, a.Status, want, a.Words())
			}
		}
	}
	held := shop + "/-/deployments/" + town.Apps.Held
	for _, path := range []string{shop, prod, prod + "/policy", shop + "/-/releases", shop + "/-/releases/2", shop + "/-/deployments", held, "/n/acme/apps", "/n/acme/hosts"} {
		see(path, 200, 200, 404)
	}
	for _, path := range []string{prod + "/deploy?release=1", prod + "/promote", prod + "/back", prod + "/exclude?host=web1", prod + "/gates/errors", prod + "/config", prod + "/config/REGION/remove", prod + "/hosts", prod + "/containers", prod + "/policy/new-gate?kind=http", prod + "/policy/gates/errors", prod + "/delete",
		shop + "/-/settings", shop + "/-/delete", "/n/acme/apps/new"} {
		see(path, 200, 403, 404)
	}
	for _, path := range []string{"/hosts", "/hosts/web1", "/hosts/web1/revoke"} {
		see(path, 200, 403, 403)
	}
	town.Admin.Get("/hosts/other").Is(http.StatusNotFound)
	town.Admin.Get(shop + "/other").Is(http.StatusNotFound)
	town.Admin.Get(shop + "/-/releases/99").Is(http.StatusNotFound)
	town.Bob.Get("/apps").Is(http.StatusOK).Lacks("acme")
	town.Alice.Get(prod).Is(http.StatusOK).Lacks(prod+"/promote", prod+"/config", `value="release"`)
	for _, form := range [][]string{{prod, "release"}, {prod + "/deploy", "deploy"}, {prod + "/promote", "promote"}, {prod + "/back", "rollback"}, {prod + "/back", "cancel"}, {prod + "/exclude", "exclude"}, {prod + "/gates/errors", "judge"},
		{prod + "/config", "set"}, {prod + "/config", "secret"}, {prod + "/config/REGION/remove", "remove"}, {prod + "/hosts", "set"}, {prod + "/policy", "save"},
		{prod + "/policy/new-gate?kind=manual", "add"}, {prod + "/policy/gates/errors", "remove"}, {prod + "/policy/gates/errors", "hook"}, {prod + "/delete", "delete"}, {shop + "/-/settings", "compose"}, {shop + "/-/settings", "environment"},
		{shop + "/-/delete", "delete"}, {"/n/acme/apps/new", "create"}} {
		fields := []string{"do", form[1], "deployment", town.Apps.Held, "release", "1", "key", "REGION", "value", "us", "secret", "x", "reason", "x", "verdict", "pass", "host", "web1", "kind", "value"}
		town.Alice.Post(form[0], fields...).Is(http.StatusForbidden)
		town.Bob.Post(form[0], fields...).Is(http.StatusNotFound)
	}
	town.Alice.Post("/hosts", "do", "invite", "name", "mine").Is(http.StatusForbidden)
	town.Alice.Post("/hosts/web1/revoke", "do", "revoke").Is(http.StatusForbidden)
}

// The pages say what there is, and show what others have written as text.
func says(t *testing.T, town *webtest.Town) {
	const script, image = "<script>alert", "<img src=x"
	town.Admin.Get("/apps").Is(http.StatusOK).Says("acme/shop · production", "held", "release 2 of admin", "acme/bare", "no environment yet").Lacks(script, image)
	town.Admin.Get(prod).Is(http.StatusOK).Says("Release 2, in green, is held at 50 %", "beside release 1 in blue", "It waits for the gates errors, looks-good", "Go back to blue", "Promote green", "healthy", "by a person").Lacks(script, image, "the secret")
	town.Admin.Get(shop+"/staging").Is(http.StatusOK).Says("has failed, and was taken back", "exit code 3", "Release 1, in blue, has all of the traffic", "Deploy sha256:3749c150adb7 to green").Lacks(script, image, "/promote")
	town.Admin.Get(shop+"/-/deployments/"+town.Apps.Failed).Is(http.StatusOK).Says("End of the log", "panic:", "Health check", "GET /healthz", "exit code 3").Lacks(script, image)
	town.Admin.Get(shop+"/preview").Is(http.StatusOK).Says("Nothing was deployed here yet", "Set its hosts")
	town.Admin.Get(shop+"/-/releases/2?from=1").Is(http.StatusOK).Says("DATABASE_URL", "REGION").Lacks(script, image, "the secret")
	town.Admin.Get("/").Is(http.StatusOK).Says("Deployments that need you", "acme/shop · production", "somebody has to promote it", "acme/shop · staging")
	town.Alice.Get("/").Is(http.StatusOK).Lacks("Deployments that need you")
	if a := town.Admin.Get("/events?q=type:deployment.requested").Is(http.StatusOK); !strings.Contains(a.Text, `href="/apps/acme/shop"`) {
		t.Error("the audit log does not link the application")
	}
}

// What a person decides is confirmed on a page of its own, with a reason where that is needed.
func decisions(t *testing.T, town *webtest.Town) {
	held := town.Apps.Held
	promote := prod + "/promote"
	town.Admin.Get(promote).Is(http.StatusOK).Says("50 % → 100 %", "2 gates have not passed", "What changes")
	town.Admin.Post(promote, "do", "promote", "deployment", held, "reason", "").Is(http.StatusConflict).Says("gates have not passed")
	town.Admin.Post(prod+"/gates/errors", "do", "judge", "deployment", held, "verdict", "pass", "reason", " ").Is(http.StatusUnprocessableEntity).Says("say why")
	town.Admin.Post(prod+"/gates/errors", "do", "judge", "deployment", held, "verdict", "pass", "reason", "they were old").Leads(prod)
	town.Admin.Get(prod).Is(http.StatusOK).Says("It waits for the gates looks-good", "they were old")
	// Another one has the environment: who comes second is told who.
	town.Admin.Get(prod + "/deploy?release=1").Is(http.StatusOK).Says("admin has production with the deployment of release 2").Lacks(`value="deploy"`)
	town.Admin.Post(prod+"/deploy", "do", "deploy", "release", "1").Is(http.StatusConflict).Says("of admin has production (held)")
	town.Admin.Post(prod+"/exclude", "do", "exclude", "deployment", held, "host", "other").Is(http.StatusUnprocessableEntity).Says("no host other")
	// What a form says of a deployment that ended long ago changes nothing.
	first := town.Admin.Get("/api/v1"+shop+"/deployments?environment=production&limit=1").Is(http.StatusOK).Between(`"id":"`, `"`)
	if first != held {
		t.Fatal(first, held)
	}
	town.Admin.Post(promote, "do", "promote", "deployment", town.Apps.Failed, "reason", "x").Is(http.StatusConflict)
}

// Of two persons who press at once one wins, and the other is told who.
func twoAtOnce(t *testing.T, town *webtest.Town) {
	town.Call(http.MethodPut, "/namespaces/acme/grants/user/alice", map[string]string{"role": "write"})
	if a := town.Alice.Get(prod).Is(http.StatusOK); !strings.Contains(a.Text, prod+"/promote") {
		t.Error("alice may promote now, and is not asked: ", a.Words())
	}
	town.Alice.Post(prod+"/promote", "do", "promote", "deployment", town.Apps.Held, "reason", "it looks good").Leads(prod)
	second := town.Admin.Post(prod+"/promote", "do", "promote", "deployment", town.Apps.Held, "reason", "me, too")
	if second.Status == http.StatusSeeOther {
		second.Leads(prod)
	}
	town.Await("production", town.Apps.Held, "ended")
	town.Admin.Get(prod).Is(http.StatusOK).Says("Release 2, in green, has all of the traffic", "live", "Roll back to this")
	seq := town.Admin.Get("/api/v1"+shop+"/deployments/"+town.Apps.Held).Is(http.StatusOK).Between(`"promotedBy":"`, `"`)
	if seq != "alice" {
		t.Errorf("%s has promoted it", seq)
	}
	again := town.Admin.Post(prod+"/promote", "do", "promote", "deployment", town.Apps.Held, "reason", "me, too").Leads(prod)
	_, was, _ := strings.Cut(again.Location, "?was=")
	town.Admin.Get(prod + "?was=" + was).Is(http.StatusOK).Says("was faster")
}

// Configuration, policy and hosts are set by forms, with what is wrong at its field.
func settings(t *testing.T, town *webtest.Town) {
	config := prod + "/config"
	town.Admin.Post(config, "do", "set", "key", "not a name", "value", "x").Is(http.StatusUnprocessableEntity).Between(`name="key"`, `aria-invalid="true"`)
	town.Admin.Post(config, "do", "set", "key", "REGION", "value", "us").Leads(config)
	town.Admin.Post(config, "do", "secret", "key", "TOKEN", "secret", "never-shown-again").Leads(config)
	town.Admin.Get(config).Is(http.StatusOK).Says("REGION", "us", "TOKEN", "never shown").Lacks("never-shown-again")
	town.Admin.Post(config, "do", "secret", "key", "not a name", "secret", "never-shown-again").Is(http.StatusUnprocessableEntity).Lacks("never-shown-again")
	town.Admin.Post(config+"/TOKEN/remove", "do", "remove", "kind", "secret").Leads(config)
	town.Admin.Get(config + "/TOKEN/remove").Is(http.StatusNotFound)

	policy := prod + "/policy"
	wrong := town.Admin.Post(policy, "do", "save", "steps", "5, many", "pause", "x", "onPush", "acme/web", "freezes", "someday", "pull", "x").Is(http.StatusUnprocessableEntity)
	for _, field := range []string{"steps", "pause", "onPush", "freezes", "pull"} {
		wrong.Between(`id="w-`+field+`"`, "</span>")
	}
	wrong.Between(`name="steps"`, `value="5, many"`)
	town.Admin.Post(policy, "do", "save", "steps", "5 25", "automatic", "1.5", "two", "on", "rollBack", "on", "onPush", "acme/web:v*", "freezes", "fri,sat 16:00-24:00 the weekend\r\n2026-12-24T00:00:00Z 2026-12-27T00:00:00Z", "built", "on", "ref", "refs/heads/main", "start", "2").Leads(policy)
	a := town.Admin.Get("/api/v1" + shop + "/environments/production/policy").Is(http.StatusOK)
	for _, want := range []string{`"steps":[5,25]`, `"automatic":90`, `"two":true`, `"rollBack":true`, `"tag":"v*"`, `"begin":"16:00"`, `"why":"the weekend"`, `"until":"2026-12-27T00:00:00Z"`, `"ref":"refs/heads/main"`, `"looks-good"`, `"start":120`} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("the policy has no %s: %s", want, a.Text)
		}
	}
	// The API names the field that is wrong, also where only it can see that.
	town.Admin.Post(policy, "do", "save", "steps", "50, 25").Is(http.StatusUnprocessableEntity).Between(`id="w-steps"`, "percents from 1 to 99")
	town.Admin.Get(policy).Is(http.StatusOK).Says("5, 25", "fri,sat 16:00-24:00 the weekend", "acme/web:v*")
	town.Admin.Post(policy, "do", "save").Leads(policy)
	if a := town.Admin.Get("/api/v1" + shop + "/environments/production/policy").Is(http.StatusOK); !strings.Contains(a.Text, `"policy":{"gates":[{"name":"errors"`) || strings.Contains(a.Text, "steps") {
		t.Error(a.Text)
	}

	place := shop + "/preview/hosts"
	town.Admin.Post(place, "do", "set", "web", "nowhere").Is(http.StatusUnprocessableEntity).Says("there is no host nowhere")
	town.Admin.Post(place, "do", "set", "web", "web1", "worker", "web1", "stateful", "web1").Leads(shop + "/preview")
	town.Admin.Get(place).Is(http.StatusOK).Between(`name="web" value="web1"`, "checked")
}

// Gates are added, changed and removed by forms; the URL of an error tracker is shown once.
func gates(t *testing.T, town *webtest.Town) {
	policy := prod + "/policy"
	town.Admin.Get(policy + "/new-gate?kind=other").Is(http.StatusNotFound)
	town.Admin.Get(policy + "/gates/other").Is(http.StatusNotFound)
	wrong := town.Admin.Post(policy+"/new-gate?kind=http", "do", "add", "name", "answers", "url", "ftp://x", "passes", "many").Is(http.StatusUnprocessableEntity)
	wrong.Between(`id="w-passes"`, "whole number")
	town.Admin.Post(policy+"/new-gate?kind=http", "do", "add", "name", "answers", "url", "ftp://x").Is(http.StatusUnprocessableEntity).Between(`id="w-url"`, "write the address")
	town.Admin.Post(policy+"/new-gate?kind=http", "do", "add", "name", "Not a name", "url", "http://{host}:{port}/").Is(http.StatusUnprocessableEntity).Between(`id="w-name"`, "lower-case")
	town.Admin.Post(policy+"/new-gate?kind=http", "do", "add", "name", "answers", "url", "http://{host}:{port}/", "passes", "5").Leads(policy)
	town.Admin.Post(policy+"/new-gate?kind=prometheus", "do", "add", "name", "slow", "url", "http://prometheus:9090", "query", `p99{colour="{colour}"}`, "most", "0.5", "factor", "1.5").Leads(policy)
	town.Admin.Post(policy+"/new-gate?kind=webhook", "do", "add", "name", "bugs", "format", "sentry", "most", "2").Leads(policy + "/gates/bugs")
	bugs := policy + "/gates/bugs"
	town.Admin.Get(bugs).Is(http.StatusOK).Says("It has no URL yet")
	url := town.Admin.Post(bugs, "do", "hook", "key", "the-key-of-sentry").Is(http.StatusOK).Says("Give this URL").Lacks("the-key-of-sentry").Between("<code tabindex=\"0\">", "</code>")
	if _, path, ok := strings.Cut(url, "/hooks/gates/"); !ok || len(path) < 20 {
		t.Errorf("the URL is %s", url)
	}
	town.Admin.Get(bugs).Is(http.StatusOK).Says("It has a URL").Lacks(url)
	town.Admin.Get(policy).Is(http.StatusOK).Says("answers", "slow", `p99{colour=`, "has a URL").Lacks(url)
	town.Admin.Post(bugs, "do", "unhook").Leads(bugs)
	town.Admin.Get(bugs).Is(http.StatusOK).Says("It has no URL yet")
	town.Admin.Post(bugs, "do", "hook").Is(http.StatusOK)
	town.Admin.Post(bugs, "do", "save", "format", "rollbar", "most", "2", "seconds", "60").Leads(bugs)
	town.Admin.Post(policy+"/gates/answers", "do", "remove").Leads(policy)
	town.Admin.Get(policy + "/gates/answers").Is(http.StatusNotFound)
	a := town.Admin.Get("/api/v1" + shop + "/environments/production/policy").Is(http.StatusOK)
	for _, want := range []string{`"hooks":["bugs"]`, `"format":"rollbar"`, `"seconds":60`, `"most":0.5`, `"factor":1.5`} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("the policy has no %s: %s", want, a.Text)
		}
	}
	town.Admin.Post(bugs, "do", "remove").Leads(policy)
	if a := town.Admin.Get("/api/v1" + shop + "/environments/production/policy").Is(http.StatusOK); strings.Contains(a.Text, "bugs") {
		t.Errorf("the URL of a gate that is gone stays: %s", a.Text)
	}
}

// Applications and environments are made, changed and deleted by forms; what is wrong with a Compose
// file is said beside it, all at once, and what was typed stays.
func applications(t *testing.T, town *webtest.Town) {
	const fresh, bad = "/n/acme/apps/new", "services:\r\n  web:\r\n    image: x\r\n    privileged: true\r\n    devices: [/dev/kvm]\r\n"
	town.Admin.Get(fresh).Is(http.StatusOK).Says("/acme/web:1")
	for _, do := range []string{"check", "create"} {
		wrong := town.Admin.Post(fresh, "do", do, "name", "second", "compose", bad).Is(http.StatusUnprocessableEntity)
		field := wrong.Between(`id="w-compose"`, "</div>")
		for _, want := range []string{"services.web.privileged", "services.web.devices", "line 4", "line 5"} {
			if !strings.Contains(field, want) {
				t.Errorf("%s: beside the field stands no %s: %s", do, want, field)
			}
		}
		wrong.Between(`name="name"`, `value="second"`)
	}
	town.Admin.Post(fresh, "do", "check", "name", "second", "compose", webtest.Compose).Is(http.StatusOK).Says("The Compose file is good", "DATABASE_URL")
	town.Admin.Post(fresh, "do", "create", "name", "Not A Name", "compose", webtest.Compose).Is(http.StatusUnprocessableEntity).Between(`id="w-name"`, "lower-case")
	town.Admin.Post(fresh, "do", "create", "name", "second", "compose", webtest.Compose, "environment", "Not A Name").Is(http.StatusUnprocessableEntity).Between(`id="w-environment"`, "lower-case")
	town.Admin.Get("/apps/acme/second").Is(http.StatusNotFound) // nothing was made
	town.Admin.Post(fresh, "do", "create", "name", "shop", "compose", webtest.Compose).Is(http.StatusUnprocessableEntity).Between(`id="w-name"`, "</span>")
	town.Admin.Post(fresh, "do", "create", "name", "second", "compose", strings.ReplaceAll(webtest.Compose, "\n", "\r\n"), "environment", "production").Leads("/apps/acme/second/production/hosts")

	const set = "/apps/acme/second/-/settings"
	page := town.Admin.Get(set).Is(http.StatusOK).Says("production")
	if got := town.Admin.Get("/api/v1/apps/acme/second").Is(http.StatusOK).Text; strings.Contains(got, `\r`) {
		t.Error("the Compose file has the line breaks of the form")
	}
	seq := page.Between(`name="seq" value="`, `"`)
	town.Admin.Post(set, "do", "compose", "seq", seq, "compose", bad).Is(http.StatusUnprocessableEntity).Says("3 fields are refused")
	town.Admin.Post(set, "do", "compose", "seq", seq, "compose", webtest.Compose+"# changed\n").Leads(set)
	town.Admin.Post(set, "do", "compose", "seq", seq, "compose", webtest.Compose+"# by another\n").Is(http.StatusConflict).Says("# by another")
	town.Admin.Get(set).Is(http.StatusOK).Says("# changed")
	town.Admin.Post(set, "do", "keep", "keep", "many").Is(http.StatusUnprocessableEntity).Between(`id="w-keep"`, "1 to 100")
	town.Admin.Post(set, "do", "keep", "keep", "8").Leads(set)
	town.Admin.Post(set, "do", "environment", "environment", "Not A Name").Is(http.StatusUnprocessableEntity).Between(`id="w-environment"`, "lower-case")
	town.Admin.Post(set, "do", "environment", "environment", "staging").Leads("/apps/acme/second/staging/hosts")
	town.Admin.Get("/apps/acme/second/staging/delete").Is(http.StatusOK).Says("Nothing runs there")
	town.Admin.Post("/apps/acme/second/staging/delete", "do", "delete").Leads("/apps/acme/second")
	town.Admin.Get("/apps/acme/second/staging").Is(http.StatusNotFound)
	town.Admin.Get("/apps/acme/second/-/delete").Is(http.StatusOK).Says("Delete acme/second?", "production")
	town.Admin.Post("/apps/acme/second/-/delete", "do", "delete").Leads("/n/acme/apps")
	town.Admin.Get("/apps/acme/second").Is(http.StatusNotFound)
}

func hosts(t *testing.T, town *webtest.Town) {
	town.Admin.Get("/hosts/web1").Is(http.StatusOK).Says("acme/shop · production", "running", "Release 2")
	town.Admin.Get("/hosts/away").Is(http.StatusOK).Says("does not answer")
	town.Admin.Post("/hosts", "do", "invite", "name", "Not A Name").Is(http.StatusConflict)
	town.Admin.Post("/hosts/away/revoke", "do", "revoke").Leads("/hosts")
	town.Admin.Get("/hosts/away").Is(http.StatusNotFound)
}

// Containers are looked at by who may deploy: what they write, how they were made, what runs in them.
func containers(t *testing.T, town *webtest.Town) {
	list := prod + "/containers"
	page := town.Admin.Get(list).Is(http.StatusOK).Says("web 0", "web1", "running", "hubledger apps logs -f acme/shop production")
	web := list + "/" + town.Apps.Web1.Container(*town.Apps.Web1.In("production", "green"), "web", 0)
	if !strings.Contains(page.Text, `href="`+web+`"`) {
		t.Errorf("there is no link to %s", web)
	}
	a := town.Admin.Get(web).Is(http.StatusOK).Says("web 0 on web1", "listening on :8080", "12:00:02 a request that fails", "cut after 4 KiB", "/app serve", "DATABASE_URL", "127.0.0.1:18080", "268 MB").Lacks("<script>alert", "<img src=x")
	if !strings.Contains(a.Text, `<span class="sgr-green">ok</span>`) || !strings.Contains(a.Text, `class="err"`) {
		t.Error("the log has no colours")
	}
	// A host that says nothing: what is known is shown, and why the rest is not.
	other := list + "/" + town.Apps.Web2.Container(*town.Apps.Web2.In("production", "green"), "web", 0)
	town.Admin.Get(other).Is(http.StatusOK).Says("web 0 on web2", "web2: the host does not answer such questions now").Lacks("data-log")
	town.Admin.Get(list + "/000000000000").Is(http.StatusNotFound)
	town.Bob.Get(web).Is(http.StatusNotFound)
}

// What a container writes comes by itself.
func TestContainerLogInChromium(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddApps()
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	c.Window(1280, 900, false)
	c.Open(prod + "/containers/" + town.Apps.Web1.Container(*town.Apps.Web1.In("production", "green"), "web", 0))
	c.Wait(`document.querySelector(".log") && document.querySelector(".log").innerText.includes("12:01:00 it goes on")`)
	if n := webtest.Run(c, chromedp.Evaluate[int](`document.querySelector(".log").children.length`)); n != 5 {
		t.Errorf("the log has %d lines", n)
	}
	for _, e := range c.Errors() {
		t.Error(e)
	}
}

// A repository, a tag and an image say where they run, to whoever may see that.
func whereItRuns(t *testing.T, town *webtest.Town) {
	town.Call(http.MethodPatch, "/repositories/acme/web", map[string]any{"visibility": "public"})
	digest := town.Admin.Get("/api/v1/repositories/acme/web/tags/1").Is(http.StatusOK).Between(`"digest":"`, `"`)
	for _, path := range []string{"/r/acme/web", "/r/acme/web/-/tags", "/r/acme/web/-/tags/1", "/r/acme/web/-/images/" + digest} {
		if a := town.Alice.Get(path).Is(http.StatusOK).Says("acme/shop/production on 2 hosts"); !strings.Contains(a.Text, `href="`+prod+`"`) {
			t.Errorf("%s has no link", path)
		}
		town.Bob.Get(path).Is(http.StatusOK).Lacks("acme/shop")
		town.Nobody.Get(path).Is(http.StatusOK).Lacks("acme/shop")
	}
}

// A deployment from the first to the last button: in Chromium the page of the environment changes by
// itself; without scripts it is loaded again, into the same state.
func TestDeployInChromium(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddApps()
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	for _, scripts := range []bool{true, false} {
		next := map[bool]string{true: "-green", false: "-blue"}[scripts] // the colour that has no traffic
		c.Scripts(scripts)
		c.Window(1280, 900, false)
		town.Client().MustPush(t, "acme/web", "1", registrytest.NewImage(fmt.Sprint("web 3, scripts ", scripts)))
		town.CatchUp()
		town.Apps.Web2.Spoil(func(s *hosting.Seen) { s.Healthy = s.Healthy && !strings.HasSuffix(s.ID, next) })
		c.Open(shop + "/staging")
		press := func(selector string) {
			t.Helper()
			c.Wait(fmt.Sprintf("document.querySelector(%q)", selector))
			webtest.Run(c, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).click()", selector)))
		}
		says := func(text string) {
			t.Helper()
			c.Wait(fmt.Sprintf("document.querySelector('main') && document.querySelector('main').innerText.includes(%q)", text))
		}
		press(`button[value="release"]`)
		says("What changes")
		press(`button[value="deploy"]`)
		says("its containers start, without traffic")
		town.Apps.Web2.Spoil(nil)
		says("is held at 50 %") // by itself
		press(`a.primary[href$="/promote"]`)
		says("50 % → 100 %")
		press(`button[value="promote"]`)
		says("has all of the traffic")
		says("Roll back to this")
		for _, e := range c.Errors() {
			t.Error(e)
		}
	}
}
