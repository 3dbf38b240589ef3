package web_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web"
	"hubledger/services/web/webtest"
)

// A stop is one page of the tour, in one state.
type stop struct {
	pattern string // of the page's route
	path    string
	as      string // admin, alice, bob, nobody
	name    string // of its picture
}

// tour has every page, as those who see it differently do.
func tour(town *webtest.Town) []stop {
	const repo, ns, app = "/r/{namespace}/{name...}", "/n/{namespace}", "/apps/{namespace}/{app}"
	then := "as_of=s" + fmt.Sprint(town.Then)
	return []stop{
		{"/", "/", "nobody", "home-nobody"},
		{"/", "/", "admin", "home"},
		{"/", "/", "bob", "home-empty"},
		{"/sign-in", "/sign-in", "nobody", "sign-in"},
		{"/sign-in/code", "/sign-in/code", "halfway", "sign-in-code"},
		{"/sign-out", "/sign-out", "alice", "sign-out"},
		{"/keys", "/keys", "nobody", "keys"},
		{"/catalog", "/catalog", "admin", "catalog"},
		{"/catalog", "/catalog?q=nothing-is-called-so", "nobody", "catalog-nothing"},
		{"/find", "/find?q=ap", "admin", "find"},
		{"/events", "/events", "admin", "events"},
		{"/events", "/events?q=type:image.pushed+-actor:bob", "admin", "events-filtered"},
		{"/events", "/events?q=nonsense:1", "admin", "events-wrong"},
		{"/events", "/events", "bob", "events-bob"},
		{"/events/{event}", "/events/12", "admin", "event"},
		{"/system", "/system", "admin", "system"},
		{"/system/projections/{projection}", "/system/projections/images", "admin", "projection"},
		{repo, "/r/admin/app", "admin", "repository"},
		{repo, "/r/admin/open", "nobody", "repository-public"},
		{repo + "/-/tags", "/r/admin/app/-/tags", "admin", "tags"},
		{repo + "/-/tags/{tag}", "/r/admin/app/-/tags/1.0", "admin", "tag"},
		{repo + "/-/activity", "/r/admin/app/-/activity", "admin", "activity"},
		{repo + "/-/delete-tags", "/r/admin/app/-/delete-tags?tag=1.0", "admin", "tags-delete"},
		{repo + "/-/tags/{tag}/history", "/r/admin/app/-/tags/1.0/history", "admin", "tag-history"},
		{repo + "/-/tags/{tag}/history", "/r/admin/app/-/tags/moved/history", "admin", "tag-history-moved"},
		{repo + "/-/tags/{tag}/rollback", "/r/admin/app/-/tags/moved/rollback?to=" + town.App.Digest().String(), "admin", "tag-rollback"},
		{repo + "/-/trash", "/r/admin/app/-/trash", "admin", "repository-trash"},
		{repo + "/-/trash", "/r/admin/open/-/trash", "nobody", "repository-trash-empty"},
		{repo + "/-/storage", "/r/admin/app/-/storage", "admin", "storage"},
		{repo + "/-/compare", "/r/admin/app/-/compare", "admin", "compare-empty"},
		{repo + "/-/compare", "/r/admin/app/-/compare?a=1.0&b=latest", "admin", "compare-same"},
		{repo + "/-/layers/{digest}", "/r/admin/app/-/layers/" + registrytest.Sum("first layer").String(), "admin", "layer"},
		{repo + "/-/compare", "/r/admin/app/-/compare?a=1.0&b=latest&files=1", "admin", "compare-files"},
		{repo + "/-/untagged", "/r/admin/app/-/untagged", "admin", "untagged"},
		{repo + "/-/images/{digest}", "/r/admin/app/-/images/" + town.App.Digest().String(), "admin", "image"},
		{"/builds", "/builds", "admin", "builds"},
		{"/builds", "/builds", "bob", "builds-empty"},
		{"/builds/{build}", "/builds/" + town.Git.Failed, "admin", "build-failed"},
		{"/builds/{build}", "/builds/" + town.Git.Waiting, "admin", "build-waiting"},
		{"/builds/{build}", "/builds/" + town.Git.Success, "admin", "build"},
		{"/builds/{build}/cancel", "/builds/" + town.Git.Waiting + "/cancel", "admin", "build-cancel"},
		{repo + "/-/builds", "/r/admin/app/-/builds", "admin", "repository-builds"},
		{repo + "/-/builds", "/r/admin/open/-/builds", "admin", "repository-builds-empty"},
		{repo + "/-/builds/new", "/r/admin/app/-/builds/new", "admin", "build-new"},
		{repo + "/-/pushes", "/r/admin/app/-/pushes", "admin", "pushes"},
		{repo + "/-/rules", "/r/admin/app/-/rules", "admin", "rules"},
		{repo + "/-/rules/end", "/r/admin/app/-/rules/end", "admin", "rules-end"},
		{repo + "/-/triggers", "/r/admin/app/-/triggers", "admin", "triggers"},
		{repo + "/-/triggers/{trigger}/delete", "/r/admin/app/-/triggers/" + town.Git.Trigger + "/delete", "admin", "trigger-delete"},
		{repo + "/-/build-secrets", "/r/admin/app/-/build-secrets", "admin", "build-secrets"},
		{repo + "/-/build-secrets/{secret}/delete", "/r/admin/app/-/build-secrets/NPM_TOKEN/delete", "admin", "build-secret-delete"},
		{"/builders", "/builders", "admin", "builders"},
		{"/builders/{builder}/revoke", "/builders/big-iron/revoke", "admin", "builder-revoke"},
		{"/readers", "/readers", "admin", "readers"},
		{"/readers/{reader}/revoke", "/readers/auditor/revoke", "admin", "reader-revoke"},
		{"/apps", "/apps", "admin", "apps"},
		{"/apps", "/apps", "bob", "apps-empty"},
		{"/n/{namespace}/apps", "/n/acme/apps", "alice", "namespace-apps"},
		{"/n/{namespace}/apps", "/n/bob/apps", "bob", "namespace-apps-empty"},
		{"/n/{namespace}/apps/new", "/n/acme/apps/new", "admin", "app-new"},
		{app + "/-/settings", "/apps/acme/shop/-/settings", "admin", "app-settings"},
		{app + "/-/settings", "/apps/acme/bare/-/settings", "admin", "app-settings-bare"},
		{app + "/-/delete", "/apps/acme/shop/-/delete", "admin", "app-delete"},
		{app + "/{environment}/containers", "/apps/acme/shop/production/containers", "admin", "containers"},
		{app + "/{environment}/containers", "/apps/acme/shop/preview/containers", "admin", "containers-none"},
		{app + "/{environment}/containers/{container}", "/apps/acme/shop/production/containers/" + container(town, true), "admin", "container"},
		{app + "/{environment}/containers/{container}", "/apps/acme/shop/production/containers/" + container(town, false), "admin", "container-silent"},
		{app + "/{environment}/delete", "/apps/acme/shop/production/delete", "admin", "environment-delete"},
		{app + "/{environment}/policy/new-gate", "/apps/acme/shop/production/policy/new-gate?kind=prometheus", "admin", "gate-new"},
		{app + "/{environment}/policy/gates/{gate}", "/apps/acme/shop/production/policy/gates/errors", "admin", "gate-setting"},
		{app, "/apps/acme/shop", "admin", "app"},
		{app, "/apps/acme/bare", "admin", "app-bare"},
		{app + "/{environment}", "/apps/acme/shop/production", "admin", "environment-held"},
		{app + "/{environment}", "/apps/acme/shop/production", "alice", "environment-member"},
		{app + "/{environment}", "/apps/acme/shop/staging", "admin", "environment-failed"},
		{app + "/{environment}", "/apps/acme/shop/preview", "admin", "environment-idle"},
		{app + "/{environment}/deploy", "/apps/acme/shop/staging/deploy?release=2", "admin", "deploy"},
		{app + "/{environment}/deploy", "/apps/acme/shop/staging/deploy?release=1&back=1", "admin", "deploy-back"},
		{app + "/{environment}/deploy", "/apps/acme/shop/production/deploy?release=2", "admin", "deploy-busy"},
		{app + "/{environment}/deploy", "/apps/acme/shop/preview/deploy?release=2", "admin", "deploy-first"},
		{app + "/{environment}/promote", "/apps/acme/shop/production/promote", "admin", "promote"},
		{app + "/{environment}/promote", "/apps/acme/shop/staging/promote", "admin", "promote-not"},
		{app + "/{environment}/back", "/apps/acme/shop/production/back", "admin", "go-back"},
		{app + "/{environment}/exclude", "/apps/acme/shop/production/exclude?host=web2", "admin", "exclude"},
		{app + "/{environment}/gates/{gate}", "/apps/acme/shop/production/gates/errors", "admin", "gate"},
		{app + "/{environment}/config", "/apps/acme/shop/production/config", "admin", "config"},
		{app + "/{environment}/config/{key}/remove", "/apps/acme/shop/production/config/DATABASE_URL/remove", "admin", "config-remove"},
		{app + "/{environment}/hosts", "/apps/acme/shop/production/hosts", "admin", "placement"},
		{app + "/{environment}/policy", "/apps/acme/shop/production/policy", "admin", "deploy-policy"},
		{app + "/{environment}/policy", "/apps/acme/shop/preview/policy", "alice", "deploy-policy-member"},
		{"/n/{namespace}/hosts", "/n/acme/hosts", "alice", "namespace-hosts"},
		{"/hosts", "/hosts", "admin", "hosts"},
		{"/hosts/{host}", "/hosts/web2", "admin", "host"},
		{"/hosts/{host}", "/hosts/away", "admin", "host-away"},
		{"/hosts/{host}/revoke", "/hosts/web2/revoke", "admin", "host-revoke"},
		{app + "/-/releases", "/apps/acme/shop/-/releases", "admin", "releases"},
		{app + "/-/releases", "/apps/acme/bare/-/releases", "admin", "releases-none"},
		{app + "/-/releases/{release}", "/apps/acme/shop/-/releases/2", "admin", "release"},
		{app + "/-/releases/{release}", "/apps/acme/shop/-/releases/1", "admin", "release-first"},
		{app + "/-/deployments", "/apps/acme/shop/-/deployments", "admin", "deployments"},
		{app + "/-/deployments", "/apps/acme/shop/-/deployments?environment=preview", "admin", "deployments-none"},
		{app + "/-/deployments/{deployment}", "/apps/acme/shop/-/deployments/" + town.Apps.Held, "admin", "deployment-held"},
		{app + "/-/deployments/{deployment}", "/apps/acme/shop/-/deployments/" + town.Apps.Failed, "admin", "deployment-failed"},
		{"/sources", "/sources", "admin", "sources-namespaces"},
		{"/n/{namespace}/sources", "/n/admin/sources", "admin", "sources"},
		{"/n/{namespace}/sources", "/n/bob/sources", "bob", "sources-empty"},
		{"/n/{namespace}/sources/link", "/n/admin/sources/link", "admin", "source-link"},
		{"/sources/{namespace}/{name...}", "/sources/admin/app", "admin", "source"},
		{"/sources/{namespace}/{name...}/-/settings", "/sources/admin/app/-/settings", "admin", "source-settings"},
		{"/sources/{namespace}/{name...}/-/unlink", "/sources/admin/app/-/unlink", "admin", "source-unlink"},
		{"/sources/{namespace}/{name...}/-/deliveries", "/sources/admin/app/-/deliveries", "admin", "deliveries"},
		{"/sources/{namespace}/{name...}/-/deliveries/{seq}", fmt.Sprintf("/sources/admin/app/-/deliveries/%d", town.Git.Delivery), "admin", "delivery"},
		{"/account", "/account", "alice", "account"},
		{"/account/second-factor", "/account/second-factor", "alice", "second-factor-off"},
		{"/account/second-factor", "/account/second-factor", "carol", "second-factor"},
		{"/users/{user}/tokens", "/users/admin/tokens", "admin", "tokens"},
		{"/users/{user}/tokens/{token}", "/users/admin/tokens/" + town.Token, "admin", "token"},
		{"/users/{user}/erase", "/users/alice/erase", "alice", "erase"},
		{"/users", "/users", "admin", "users"},
		{"/users/{user}", "/users/alice", "admin", "user"},
		{"/orgs", "/orgs", "bob", "organizations-none"},
		{"/orgs", "/orgs", "alice", "organizations"},
		{ns, "/n/acme", "admin", "namespace"},
		{ns, "/n/bob", "bob", "namespace-empty"},
		{ns, "/n/admin", "nobody", "namespace-public"},
		{ns + "/-/members", "/n/acme/-/members", "admin", "members"},
		{ns + "/-/members/{member}", "/n/acme/-/members/alice", "admin", "member"},
		{ns + "/-/teams", "/n/acme/-/teams", "alice", "teams"},
		{ns + "/-/teams/{team}", "/n/acme/-/teams/devs", "admin", "team"},
		{ns + "/-/teams/{team}/delete", "/n/acme/-/teams/devs/delete", "admin", "team-delete"},
		{ns + "/-/robots", "/n/acme/-/robots", "admin", "robots"},
		{ns + "/-/robots/{robot}", "/n/acme/-/robots/ci", "admin", "robot"},
		{ns + "/-/robots/{robot}/delete", "/n/acme/-/robots/ci/delete", "admin", "robot-delete"},
		{ns + "/-/robots/{robot}/tokens/{token}", "/n/acme/-/robots/ci/tokens/" + town.RobotToken, "admin", "robot-token"},
		{ns + "/-/access", "/n/acme/-/access", "admin", "namespace-access"},
		{ns + "/-/access/changes", "/n/acme/-/access/changes", "admin", "access-changes-empty"},
		{ns + "/-/access/changes", "/n/acme/-/access/changes?since=s8", "admin", "access-changes"},
		{ns + "/-/members", "/n/acme/-/members?" + then, "admin", "members-past"},
		{ns + "/-/teams", "/n/acme/-/teams?as_of=2001-01-01T12:00", "alice", "teams-past"},
		{ns + "/-/teams/{team}", "/n/acme/-/teams/devs?" + then, "admin", "team-past"},
		{ns + "/-/access", "/n/acme/-/access?" + then, "admin", "namespace-access-past"},
		{repo + "/-/access", "/r/admin/app/-/access?as=bob&" + then, "admin", "access-past"},
		{ns + "/-/usage", "/n/admin/-/usage", "admin", "usage"},
		{ns + "/-/trash", "/n/admin/-/trash", "admin", "trash"},
		{"/new", "/new", "alice", "new"},
		{repo, "/r/acme/empty", "admin", "repository-empty"},
		{repo + "/-/settings", "/r/admin/app/-/settings", "admin", "settings"},
		{repo + "/-/visibility", "/r/admin/app/-/visibility", "admin", "visibility"},
		{repo + "/-/delete", "/r/admin/app/-/delete", "admin", "delete"},
		{repo + "/-/access", "/r/admin/app/-/access?as=bob", "admin", "access"},
	}
}

// fullTour has the pages of what has as much to show as a page may have: town.AddFull made it.
func fullTour(image *registrytest.Image) []stop {
	const repo = "/r/{namespace}/{name...}"
	at := "/r/" + webtest.FullName
	return []stop{
		{repo, at, "admin", "full-repository"},
		{repo + "/-/tags", at + "/-/tags", "admin", "full-tags"},
		{repo + "/-/tags", at + "/-/tags?sort=name&q=.7", "admin", "full-tags-filtered"},
		{repo + "/-/tags/{tag}", at + "/-/tags/" + webtest.FullTag, "admin", "full-tag"},
		{repo + "/-/images/{digest}", at + "/-/images/" + image.Digest().String(), "admin", "full-image"},
		{repo + "/-/delete-tags", at + "/-/delete-tags?q=1.", "admin", "full-delete-tags"},
		{repo + "/-/activity", at + "/-/activity", "admin", "full-activity"},
		{repo + "/-/compare", at + "/-/compare?a=" + webtest.FullTag + "&b=1.0.0", "admin", "full-compare"},
		{repo + "/-/storage", at + "/-/storage", "admin", "full-storage"},
		{"/catalog", "/catalog?q=application", "admin", "full-catalog"},
		{"/events", "/events", "admin", "full-events"},
	}
}

// fullAppTour has the pages of an application with as much to show as one may have: town.AddFullApps made it.
func fullAppTour(d webtest.FullDeployed) []stop {
	const app = "/apps/{namespace}/{app}"
	at := "/apps/" + webtest.FullApp
	env := at + "/" + webtest.FullEnvironment
	return []stop{
		{"/apps", "/apps", "admin", "full-apps"},
		{app, at, "admin", "full-app"},
		{app + "/-/settings", at + "/-/settings", "admin", "full-app-settings"},
		{app + "/-/releases", at + "/-/releases", "admin", "full-releases"},
		{app + "/-/releases/{release}", at + "/-/releases/2?from=1", "admin", "full-release"},
		{app + "/-/deployments", at + "/-/deployments", "admin", "full-deployments"},
		{app + "/-/deployments/{deployment}", at + "/-/deployments/" + d.Held, "admin", "full-deployment"},
		{app + "/-/deployments/{deployment}", at + "/-/deployments/" + d.Failed, "admin", "full-deployment-failed"},
		{app + "/{environment}", env, "admin", "full-environment"},
		{app + "/{environment}/promote", env + "/promote", "admin", "full-promote"},
		{app + "/{environment}/back", env + "/back", "admin", "full-back"},
		{app + "/{environment}/containers", env + "/containers", "admin", "full-containers"},
		{app + "/{environment}/config", env + "/config", "admin", "full-config"},
		{app + "/{environment}/hosts", env + "/hosts", "admin", "full-placement"},
		{app + "/{environment}/policy", env + "/policy", "admin", "full-policy"},
		{"/hosts", "/hosts", "admin", "full-hosts"},
		{"/hosts/{host}", "/hosts/" + webtest.FullHost, "admin", "full-host"},
		{"/n/{namespace}/hosts", "/n/acme/hosts", "alice", "full-namespace-hosts"},
	}
}

// container is one of acme/shop, on a host that says how it is or on another.
func container(town *webtest.Town, answers bool) string {
	host := town.Apps.Web2
	if answers {
		host = town.Apps.Web1
	}
	if host == nil { // only the patterns are wanted
		return ""
	}
	return host.Container(*host.In("production", "green"), "web", 0)
}

func browserOf(town *webtest.Town, name string) *webtest.Browser {
	return map[string]*webtest.Browser{"admin": town.Admin, "alice": town.Alice, "bob": town.Bob, "nobody": town.Nobody,
		"carol": town.Carol, "halfway": town.Halfway}[name]
}

// Every page that there is is on the tour.
func TestTourHasEveryPage(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range tour(&webtest.Town{App: registrytest.NewImage("x")}) {
		seen[s.pattern] = true
	}
	for _, rt := range web.New(web.Config{}).Routes {
		if rt.Method == http.MethodGet && !strings.HasPrefix(rt.Pattern, "/assets/") && rt.Pattern != "/orgs/{namespace}" && !seen[rt.Pattern] {
			t.Errorf("the page %s is not on the tour: add it to services/web/tour_test.go", rt.Pattern)
		}
	}
}

// A page answers 200, is at most 20 KB packed, and shows no text of a pusher as HTML.
func TestTour(t *testing.T) {
	town := webtest.NewTown(t)
	town.AddGit()
	town.AddApps()
	town.AddPast()
	town.AddSecondFactor()
	for _, s := range append(tour(town), fullTour(town.AddFull(120))...) {
		a := browserOf(town, s.as).Get(s.path).Is(http.StatusOK).Lacks("<script>alert", "<img src=x")
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write([]byte(a.Text))
		z.Close()
		if packed.Len() > 20_000 {
			t.Errorf("%s: %d bytes packed, at most 20,000", s.path, packed.Len())
		}
		if n := strings.Count(a.Text, `"/assets/`); n > 2 {
			t.Errorf("%s needs %d requests, at most 3", s.path, n+1)
		}
		own, _, _ := strings.Cut(a.Text, `<article class="prose">`) // a README has headings of its own
		if n := strings.Count(own, "<h1"); n != 1 {
			t.Errorf("%s has %d headings of the first level", s.path, n)
		}
	}
}

// In Chromium, light and dark, on a desktop and on a phone, no page puts an error on the
// console or scrolls sideways, and axe-core finds nothing serious. HUBLEDGER_TOUR is a part of the patterns, or of the
// names of the pictures, of the pages that are wanted, HUBLEDGER_SHOTS a
// folder for the pictures.
func TestTourInChromium(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" && os.Getenv("HUBLEDGER_SHOTS") == "" {
		t.Skip("HUBLEDGER_SOAK is not set: Chromium takes a minute or two")
	}
	axe := readAxe(t)
	town := webtest.NewTown(t)
	town.AddGit()
	town.AddApps()
	town.AddPast()
	town.AddSecondFactor()
	stops := append(tour(town), fullTour(town.AddFull(10_000))...)
	stops = append(stops, fullAppTour(town.AddFullApps(fullHosts))...)
	for _, as := range []string{"nobody", "admin", "alice", "bob", "carol", "halfway"} {
		var chromium *webtest.Chromium
		for _, s := range stops {
			if s.as != as || os.Getenv("HUBLEDGER_TOUR") != "" && !strings.Contains(s.pattern+" "+s.name, os.Getenv("HUBLEDGER_TOUR")) {
				continue
			}
			if chromium == nil {
				chromium = webtest.OpenChromium(t, town.Server, browserOf(town, as))
			}
			for _, look := range []struct {
				name   string
				width  int64
				height int64
				dark   bool
			}{{"light", 1280, 800, false}, {"dark", 1280, 800, true}, {"phone", 360, 740, false}, {"phone-dark", 360, 740, true}} {
				chromium.Window(look.width, look.height, look.dark)
				chromium.Open(s.path)
				for _, e := range chromium.Errors() {
					t.Errorf("%s, %s: %s", s.path, look.name, e)
				}
				for _, e := range chromium.Sideways() {
					t.Errorf("%s, %s: %s", s.path, look.name, e)
				}
				for _, v := range chromium.Axe(axe) {
					if v.Impact == "serious" || v.Impact == "critical" {
						t.Errorf("%s, %s: %s %s: %s: %s", s.path, look.name, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, " | "))
					}
				}
				if folder := os.Getenv("HUBLEDGER_SHOTS"); folder != "" {
					if err := os.WriteFile(filepath.Join(folder, s.name+"-"+look.name+".png"), chromium.Shot(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// fullHosts are the hosts of the very full application: as many as make pages count hosts instead of listing them.
const fullHosts = 40

// readAxe reads the program of axe-core, which `task axe` fetches.
func readAxe(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../.tmp/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("HUBLEDGER_REQUIRE") == "1" {
			t.Fatal("axe-core is not there: go tool -modfile=tools/go.mod task axe: ", err)
		}
		t.Skip("axe-core is not there: go tool -modfile=tools/go.mod task axe")
	}
	return string(text)
}
