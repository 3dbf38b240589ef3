package deployer_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/events"
	"hubledger/services/deployer/hosttest"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/hosting"
	"hubledger/services/internal/machine"
	"hubledger/services/server/servertest"
)

const (
	shopPath = "/apps/acme/shop"
	prodPath = shopPath + "/environments/production"
)

// await returns a deployment once it is at a step.
func (w *world) await(id, step string) (d apitypes.Deployment) {
	w.T.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		w.call("member", "GET", shopPath+"/deployments/"+id, nil, 200, &d)
		if d.Step == step {
			return d
		}
		if time.Now().After(end) {
			w.T.Fatalf("it is not %s: %+v", step, d)
		}
	}
}

// deploy asks for a deployment of a release.
func (w *world) deploy(release int, more object) (d apitypes.Deployment) {
	w.T.Helper()
	body := object{"release": release}
	for k, v := range more {
		body[k] = v
	}
	w.call("pusher", "POST", prodPath+"/deployments", body, 201, &d)
	return d
}

func (w *world) action(as, id, what string, body object, status int) (d apitypes.Deployment) {
	w.T.Helper()
	if body == nil {
		body = object{}
	}
	if status == 201 {
		w.call(as, "POST", shopPath+"/deployments/"+id+"/"+what, body, status, &d)
	} else {
		w.call(as, "POST", shopPath+"/deployments/"+id+"/"+what, body, status, nil)
	}
	return d
}

// release makes one of another image of acme/web.
func (w *world) release(content string) int {
	w.T.Helper()
	w.push("acme/web", "1", content)
	var r apitypes.Release
	w.call("pusher", "POST", shopPath+"/releases", object{}, 201, &r)
	return r.Number
}

// deployable is a world with acme/shop on two hosts, and its first release.
func deployable(t *testing.T) (w *world, web1, web2 *hosttest.Host) {
	w = newWorld(t)
	web1, web2 = w.placed()
	w.release("web 1")
	return w, web1, web2
}

// placed makes acme/shop, on two hosts.
func (w *world) placed() (web1, web2 *hosttest.Host) {
	w.create()
	web1, web2 = hosttest.Run(w.Server, "web1"), hosttest.Run(w.Server, "web2")
	w.call("owner", "PUT", prodPath+"/hosts", object{"web": []string{"web1", "web2"}, "worker": []string{"web1", "web2"}, "stateful": []string{"web1"}}, 200, nil)
	return web1, web2
}

// open looks at the lists of all namespaces while a deployment of pusher is held.
func (w *world) open(id string) {
	w.T.Helper()
	for as, needs := range map[string]string{"pusher": "somebody has to promote it, or go back", "owner": "somebody has to promote it, or go back", "member": ""} {
		var open apitypes.List[apitypes.OpenDeployment]
		w.call(as, "GET", "/deployments", nil, 200, &open)
		if len(open.Items) != 1 || open.Items[0].ID != id || open.Items[0].Needs != needs || open.Items[0].Now.Step != "held" {
			w.T.Errorf("%s: %+v", as, open.Items)
		}
		var all apitypes.List[apitypes.Application]
		w.call(as, "GET", "/apps", nil, 200, &all)
		if len(all.Items) != 1 || all.Items[0].Name != "acme/shop" || len(all.Items[0].Environments) != 1 {
			w.T.Fatalf("%s: %+v", as, all.Items)
		}
		if now := all.Items[0].Environments[0].Now; now.Release != 1 || now.Colour != "blue" || now.Share != 50 || now.Deploys != 2 || now.By != "pusher" || len(now.Images) != 2 || now.Pinned != 3 {
			w.T.Errorf("%s: %+v", as, now)
		}
		var e apitypes.EnvironmentDetails
		w.call(as, "GET", prodPath, nil, 200, &e)
		if e.Deployment.ID != id || len(e.Running.Sides) != 3 || e.Running.Sides[1].Release != 2 || len(e.Hosts) != 2 || len(e.Placement.Web) != 2 || e.Latest != 2 {
			w.T.Errorf("%s: %+v", as, e)
		}
	}
	for _, path := range []string{"/apps", "/deployments"} {
		var none apitypes.List[object]
		if w.call("stranger", "GET", path, nil, 200, &none); len(none.Items) != 0 {
			w.T.Errorf("a stranger sees %v", none.Items)
		}
	}
	w.call("stranger", "GET", prodPath, nil, 404, nil)
}

func TestDeploy(t *testing.T) {
	w, web1, web2 := deployable(t)
	d := w.await(w.deploy(1, nil).ID, "ended")
	if d.Outcome != "promoted" || d.Colour != "blue" || d.Replaces != 0 || d.By != "pusher" {
		t.Fatalf("%+v", d)
	}
	eventually(t, func() bool { return web2.Slot(hosting.Blue).Share == 100 })
	blue := web2.Slot(hosting.Blue)
	web := hosttest.Service(blue, "web")
	if web == nil || web.Run != 1 || web.Pull != host+"/acme/web@"+w.web.String() || web.Values["DATABASE_URL"] != "postgres://secret" || web.Values["REGION"] != "eu" || web.Values["HUBLEDGER_COLOUR"] != "blue" || web.Values["HUBLEDGER_RELEASE"] != "1" {
		t.Errorf("%+v", web)
	}
	if blue.Live != 2 || blue.Application != "acme/shop" || hosttest.Service(blue, "db") != nil || hosttest.Service(web1.Slot(""), "db").Run != 1 || web2.Slot("") != nil {
		t.Errorf("%+v, %+v", blue, web1.Slot(""))
	}
	if web.Outside || !hosttest.Service(web1.Slot(""), "db").Outside {
		t.Errorf("images of other registries: %+v, %+v", web, web1.Slot(""))
	}
	if blue.Scale != 2 {
		t.Errorf("%+v", blue)
	}
	between := time.Now()

	n := w.release("web 2")
	d = w.await(w.deploy(n, nil).ID, "held")
	if d.Share != 50 || d.Replaces != 1 || d.Colour != "green" || !slices.Contains(d.Can, "promote") || len(d.Hosts) != 2 || d.Hosts[0].Grey {
		t.Errorf("%+v", d)
	}
	w.open(d.ID)
	var busy string
	w.call("owner", "POST", prodPath+"/deployments", object{"release": 1}, 409, &busy)
	if !strings.Contains(busy, "of pusher has production (held)") {
		t.Error(busy)
	}
	w.call("owner", "DELETE", prodPath, nil, 409, nil)
	w.call("owner", "DELETE", shopPath, nil, 409, &busy)
	if !strings.Contains(busy, "of pusher has production (held)") || !strings.Contains(busy, "type hubledger cancel acme/shop production") {
		t.Error(busy)
	}
	w.action("member", d.ID, "promote", nil, 403)
	w.action("pusher", d.ID, "promote", nil, 201)
	w.await(d.ID, "ended")
	w.action("pusher", d.ID, "rollback", nil, 409) // it has ended
	var now, then apitypes.RunningState
	w.call("member", "GET", prodPath+"/running", nil, 200, &now)
	w.call("member", "GET", prodPath+"/running?at="+url.QueryEscape(between.UTC().Format(time.RFC3339Nano)), nil, 200, &then)
	side := func(s apitypes.RunningState) (text string) {
		for _, one := range s.Sides {
			text += fmt.Sprintf("%s%d %s %d %v|", one.Colour, one.Release, one.Phase, one.Share, one.Hosts)
		}
		return text
	}
	if got := side(now); got != "blue1 keep 0 [web1 web2]|green2 run 100 [web1 web2]|2 run 0 [web1]|" {
		t.Error(got)
	}
	if got := side(then); got != "blue1 run 100 [web1 web2]|1 run 0 [web1]|" {
		t.Error(got)
	}
	w.tokens["admin"] = w.Token(servertest.Admin, events.LevelAdmin)
	asOf := url.QueryEscape(between.UTC().Format(time.RFC3339Nano))
	// everywhere is what the API lists for the whole hub, on all pages.
	everywhere := func(as, query string) (text string) {
		w.T.Helper()
		for path := "/running?limit=1" + query; path != ""; {
			var page apitypes.List[apitypes.RunningEnvironment]
			w.call(as, "GET", path, nil, 200, &page)
			for _, e := range page.Items {
				text += e.Application + " " + e.Environment + ": " + side(e.RunningState)
			}
			path = strings.TrimPrefix(page.Next, "/api/v1")
		}
		return text
	}
	for _, c := range []struct{ as, query, want string }{
		{"member", "", "acme/shop production: " + side(now)},
		{"admin", "", "acme/shop production: " + side(now)},
		{"member", "&as_of=" + asOf, "acme/shop production: " + side(then)},
		{"member", fmt.Sprintf("&as_of=s%d", then.Seq), "acme/shop production: " + side(then)},
		{"member", "&host=web2", "acme/shop production: blue1 keep 0 [web1 web2]|green2 run 100 [web1 web2]|"},
		{"member", "&host=web2&as_of=" + asOf, "acme/shop production: blue1 run 100 [web1 web2]|"},
		{"member", "&host=none", ""},
		{"member", "&as_of=s1", ""},
		{"stranger", "", ""},
		{"stranger", "&as_of=" + asOf, ""},
	} {
		if got := everywhere(c.as, c.query); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.as, c.query, got, c.want)
		}
	}
	w.call("member", "GET", "/running?as_of=yesterday", nil, 422, nil)
	w.call("member", "GET", "/running?as_of=2999-01-01", nil, 422, nil)
	w.call("", "GET", "/running", nil, 401, nil)
	d = w.await(w.deploy(1, object{"rollback": true, "note": "broken"}).ID, "ended")
	if d.Outcome != "promoted" || d.Kind != "rollback" || d.Colour != "blue" {
		t.Errorf("%+v", d)
	}
	var l apitypes.List[apitypes.Deployment]
	w.call("member", "GET", shopPath+"/deployments?limit=2&environment=production", nil, 200, &l)
	if len(l.Items) != 2 || l.Items[0].ID != d.ID || l.Next == "" {
		t.Errorf("%+v", l)
	}
	w.call("member", "GET", strings.TrimPrefix(l.Next, "/api/v1"), nil, 200, &l)
	if len(l.Items) != 1 || l.Items[0].Release != 1 {
		t.Errorf("%+v", l)
	}
	for repository, want := range map[string]bool{"acme/web": true, "acme/job": true, "stranger/app": false} {
		if may, err := w.Planner().Pulls(t.Context(), web1.ID, repository); err != nil || may != want {
			t.Errorf("%s: %t, %v", repository, may, err)
		}
	}
	w.call("owner", "DELETE", prodPath, nil, 200, nil)
	eventually(t, func() bool {
		return web1.Slot(hosting.Blue) == nil && web1.Slot("") == nil && web2.Slot(hosting.Blue) == nil
	})
	if got, before := everywhere("member", ""), everywhere("member", "&as_of="+asOf); got != "" || before != "acme/shop production: "+side(then) {
		t.Errorf("of an environment that was deleted: %q now, %q before", got, before)
	}
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to pass")
		}
	}
}

// What fails to start leaves what runs alone, and says why without secrets.
func TestBrokenRelease(t *testing.T) {
	w, _, web2 := deployable(t)
	w.await(w.deploy(1, nil).ID, "ended")
	web2.Spoil(func(s *hosting.Seen) {
		if strings.HasSuffix(s.ID, "-green") && s.Phase == hosting.Run {
			s.Healthy, s.Fatal, s.Error = false, true, "the container ended"
			s.Containers = []hosting.SeenContainer{{Service: "web", State: "exited", ExitCode: 3, Log: "cannot reach postgres://secret"}}
		}
	})
	d := w.await(w.deploy(w.release("web 2"), nil).ID, "ended")
	if d.Outcome != "failed" || len(d.Reasons) != 1 || d.Reasons[0] != "web2: web: the container ended (exit code 3)" || d.Log != "cannot reach ***" {
		t.Errorf("%+v", d)
	}
	if blue := web2.Slot(hosting.Blue); blue.Share != 100 || blue.Phase != hosting.Run {
		t.Errorf("%+v", blue)
	}
}

// After the promotion, while the release of before is drained, one can go back.
func TestGoingBackAfterPromotion(t *testing.T) {
	w, web1, _ := deployable(t)
	w.await(w.deploy(1, nil).ID, "ended")
	d := w.await(w.deploy(w.release("web 2"), nil).ID, "held")
	web1.Spoil(func(s *hosting.Seen) { s.Drained = false }) // a WebSocket stays
	w.action("pusher", d.ID, "promote", nil, 201)
	if d = w.await(d.ID, "draining"); d.Share != 100 || !slices.Contains(d.Can, "rollback") {
		t.Errorf("%+v", d)
	}
	w.action("pusher", d.ID, "rollback", object{"reason": "500s"}, 201)
	w.await(d.ID, "leaving")
	eventually(t, func() bool { return web1.Slot(hosting.Blue).Share == 100 && web1.Slot(hosting.Green).Share == 0 })
	web1.Spoil(nil)
	if d = w.await(d.ID, "ended"); d.Outcome != "rolled_back" {
		t.Errorf("%+v", d)
	}
}

// A host that is away holds the deployment up; without it, it goes on.
func TestHostIsAway(t *testing.T) {
	w, _, web2 := deployable(t)
	w.await(w.deploy(1, nil).ID, "ended")
	web2.Leave(true)
	d := w.deploy(w.release("web 2"), nil)
	d = w.await(d.ID, "pulling")
	if !strings.Contains(d.Waits, "web2") || !slices.Contains(d.Can, "exclude-host") {
		t.Errorf("%+v", d)
	}
	w.action("pusher", d.ID, "exclude-host", object{"host": "web3"}, 422)
	w.action("pusher", d.ID, "exclude-host", object{"host": "web2", "reason": "its disk is dead"}, 201)
	d = w.await(d.ID, "held")
	w.action("pusher", d.ID, "promote", nil, 201)
	w.await(d.ID, "ended")
	web2.Leave(false)
	// It comes back, and takes no part in what it was left out of.
	eventually(t, func() bool { return web2.Slot(hosting.Green) == nil && web2.Slot(hosting.Blue).Phase == hosting.Keep })
}

// A host that is revoked in the middle of a deployment says so there at once, and what it saw before
// counts no more.
func TestRevokedInMidDeployment(t *testing.T) {
	w, _, web2 := deployable(t)
	w.await(w.deploy(1, nil).ID, "ended")
	d := w.await(w.deploy(w.release("web 2"), nil).ID, "held")
	_, seq, err := machine.Revoke(t.Context(), w.Log(), servertest.By, events.MachineHost, "web2")
	w.Done(seq, err)
	w.CatchUp()
	web2.Leave(true)
	const why = "web2 was revoked, and does not come back: exclude it"
	w.call("member", "GET", shopPath+"/deployments/"+d.ID, nil, 200, &d)
	if !strings.Contains(d.Waits, why) || slices.Contains(d.Can, "promote") || !slices.Contains(d.Can, "exclude-host") || !d.Hosts[1].Grey || d.Hosts[1].Error != "it was revoked, and does not come back: exclude it" {
		t.Errorf("%+v", d)
	}
	var refused string
	w.call("pusher", "POST", shopPath+"/deployments/"+d.ID+"/promote", object{}, 409, &refused)
	if !strings.Contains(refused, "green is not healthy on web2 ("+why+")") {
		t.Error(refused)
	}
	w.action("pusher", d.ID, "exclude-host", object{"host": "web2"}, 201)
	w.action("pusher", d.ID, "promote", nil, 201)
	if d = w.await(d.ID, "ended"); d.Outcome != "promoted" {
		t.Errorf("%+v", d)
	}
}

// A release whose image was deleted is refused before anything is done, and says which one.
func TestDeletedImage(t *testing.T) {
	w, _, _ := deployable(t)
	first := w.web
	for _, content := range []string{"web 2", "web 3", "web 4"} { // two are kept
		w.release(content)
	}
	a, err := w.Client().Do("DELETE", "/v2/acme/web/manifests/"+first.String(), nil)
	if err != nil || a.Status != 202 {
		t.Fatalf("%+v, %v", a, err)
	}
	w.CatchUp()
	var refused string
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": 1}, 422, &refused)
	if want := "the image of web, acme/web@" + first.String() + ", was deleted"; !strings.Contains(refused, want) {
		t.Errorf("%q is missing in %s", want, refused)
	}
}

func TestPolicies(t *testing.T) {
	w, _, _ := deployable(t)
	policy := func(body object) { w.call("owner", "PUT", prodPath+"/policy", body, 200, nil) }
	w.await(w.deploy(1, nil).ID, "ended")
	n := w.release("web 2")
	w.call("pusher", "PUT", prodPath+"/policy", object{}, 403, nil)
	w.call("owner", "PUT", prodPath+"/policy", object{"steps": []int{50, 10}}, 422, nil)
	w.call("owner", "PUT", prodPath+"/policy", object{"gates": []object{{"name": "x", "kind": "http", "url": "http://me:secret@x/"}}}, 422, nil)
	w.call("owner", "PUT", prodPath+"/policy", object{"onPush": []object{{"repository": "stranger/app", "tag": "*"}}}, 422, nil)

	policy(object{"owners": true})
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": n}, 403, nil)
	policy(object{"freezes": []object{{"from": "2020-01-01T00:00:00Z", "until": "2990-01-01T00:00:00Z", "why": "holidays"}}})
	var refused string
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": n}, 422, &refused)
	if !strings.Contains(refused, "nothing is deployed until 2990-01-01 00:00 UTC (holidays)") {
		t.Error(refused)
	}
	policy(object{"built": object{"ref": "refs/heads/main"}})
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": n}, 422, &refused)
	if !strings.Contains(refused, "was not built here at refs/heads/main") {
		t.Error(refused)
	}
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": 1, "rollback": true}, 422, &refused)
	if !strings.Contains(refused, "was not built here at refs/heads/main") {
		t.Errorf("by going back, required provenance is passed by: %s", refused)
	}
	policy(object{"two": true})
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": n, "rollback": true}, 422, &refused)
	if want := "release 2 was never promoted in production, so there is no going back to it: type hubledger deploy acme/shop production --release 2"; !strings.Contains(refused, want) {
		t.Errorf("%q is missing in %s", want, refused)
	}
	policy(object{"two": true, "gates": []object{{"name": "looks", "kind": "manual"}}})
	d := w.await(w.deploy(n, nil).ID, "held")
	w.action("pusher", d.ID, "promote", object{"reason": "me"}, 403)
	w.action("owner", d.ID, "promote", nil, 409) // the gate
	w.action("owner", d.ID, "gates/looks", object{"verdict": "pass"}, 422)
	w.action("owner", d.ID, "gates/other", object{"verdict": "pass", "reason": "x"}, 422)
	w.action("owner", d.ID, "gates/looks", object{"verdict": "pass", "reason": "fine"}, 201)
	w.action("owner", d.ID, "promote", nil, 201)
	if d = w.await(d.ID, "ended"); d.Gates[0].Verdict != "pass" || !d.Gates[0].Manual {
		t.Errorf("%+v", d.Gates)
	}
}

// A host that is not enrolled for a namespace, or not known, is said to be none; so is what else
// stands against a deployment.
func TestWhatStandsAgainstADeployment(t *testing.T) {
	w := newWorld(t)
	w.create()
	w.call("owner", "PUT", prodPath+"/hosts", object{"web": []string{"web9"}}, 422, nil)
	hosttest.Enroll(w.Server, "web1")
	w.call("owner", "PUT", prodPath+"/hosts", object{"web": []string{"web1"}}, 200, nil)
	w.release("web 1")
	var refused string
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": 1}, 422, &refused)
	for _, want := range []string{"no host of production has the role worker", "no host of production has the role stateful", "hubledger apps hosts set acme/shop production --worker HOST"} {
		if !strings.Contains(refused, want) {
			t.Errorf("%q is missing in %s", want, refused)
		}
	}
	w.call("pusher", "POST", prodPath+"/deployments", object{"release": 7}, 422, nil)
	w.call("stranger", "POST", prodPath+"/deployments", object{"release": 1}, 404, nil)
}
