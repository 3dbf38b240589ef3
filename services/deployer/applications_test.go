package deployer_test

import (
	"fmt"
	"strings"
	"testing"

	"hubledger/services/internal/apitypes"
)

func TestApplications(t *testing.T) {
	w := newWorld(t)
	var text string
	w.call("owner", "POST", "/apps/acme", object{"name": "shop", "compose": "services: {a: {image: x, privileged: true, pid: host, x-hubledger: {role: worker}}}"}, 422, &text)
	if !strings.Contains(text, "services.a.privileged (line 1): this is refused") || !strings.Contains(text, "services.a.pid") {
		t.Error(text)
	}
	w.call("owner", "POST", "/apps/acme", object{"name": "Shop!", "compose": shop}, 422, &text)
	if !strings.Contains(text, "body.name") {
		t.Error(text)
	}
	w.create()
	w.call("owner", "POST", "/apps/acme", object{"name": "shop", "compose": shop}, 422, &text)
	if !strings.Contains(text, "there is one of that name") {
		t.Error(text)
	}
	var a apitypes.Application
	w.call("member", "GET", "/apps/acme/shop", nil, 200, &a)
	if a.Name != "acme/shop" || a.Keep != 2 || a.Compose != shop || fmt.Sprint(a.Services[2]) != "{web web "+host+"/acme/web:1 18080 18081 / }" || len(a.Environments) != 1 || a.Environments[0].Version != 2 || a.Environments[0].Missing != nil {
		t.Errorf("%+v", a)
	}
	w.call("owner", "PUT", "/apps/acme/shop/environments/staging", nil, 200, nil)
	w.call("member", "GET", "/apps/acme/shop", nil, 200, &a)
	if got := fmt.Sprint(a.Environments[1].Missing); got != "[DATABASE_URL REGION]" {
		t.Errorf("staging lacks %s", got)
	}
	var l apitypes.List[apitypes.Application]
	w.call("member", "GET", "/apps/acme", nil, 200, &l)
	if len(l.Items) != 1 || l.Items[0].Compose != "" {
		t.Errorf("%+v", l)
	}
	seq := a.Seq
	w.call("owner", "PATCH", "/apps/acme/shop", object{"keep": 3, "seq": seq}, 200, &a)
	if a.Keep != 3 || a.Compose != shop {
		t.Errorf("%+v", a)
	}
	w.call("owner", "PATCH", "/apps/acme/shop", object{"keep": 4, "seq": seq}, 409, nil)
	w.call("owner", "PATCH", "/apps/acme/shop", object{"compose": "services: {}"}, 422, nil)
	w.call("owner", "DELETE", "/apps/acme/shop", nil, 200, nil)
	w.call("owner", "GET", "/apps/acme/shop", nil, 404, nil)
	w.call("owner", "GET", "/apps/acme/shop/releases", nil, 404, nil)
	w.create() // another one of the same name
	w.call("owner", "GET", "/apps/acme/shop", nil, 200, &a)
	if len(a.Environments) != 1 || a.Latest != 0 {
		t.Errorf("the new one has %+v", a)
	}
}

// Values are for owners, secrets for nobody, and neither is in the log.
func TestConfiguration(t *testing.T) {
	w := newWorld(t)
	w.create()
	const env = "/apps/acme/shop/environments/production"
	var c apitypes.Configuration
	var text string
	w.call("owner", "GET", env+"/config", nil, 200, &c)
	if c.Version != 2 || fmt.Sprint(c.Values) != "[{REGION eu}]" || fmt.Sprint(c.Secrets) != "[DATABASE_URL]" || c.ChangedBy != "owner" {
		t.Errorf("%+v", c)
	}
	w.call("owner", "PUT", env+"/config/DATABASE_URL", object{"value": "x"}, 422, &text)
	if !strings.Contains(text, "is a secret already") {
		t.Error(text)
	}
	w.call("owner", "PUT", env+"/config/1A", object{"value": "x"}, 422, nil)
	w.call("owner", "PUT", env+"/config/A", object{"value": "x\x00"}, 422, nil)
	w.call("owner", "PUT", env+"/secrets/A", object{"value": ""}, 422, nil)
	w.call("owner", "DELETE", env+"/config/NONE", nil, 404, nil)
	w.call("owner", "DELETE", env+"/secrets/NONE", nil, 404, nil)
	w.set("config/REGION", "eu") // nothing changes
	w.set("secrets/DATABASE_URL", "postgres://other")
	w.set("config/ZONE", "eu-west-of-nowhere")
	w.call("owner", "GET", env+"/config", nil, 200, &c)
	if c.Version != 4 || fmt.Sprint(c.Values) != "[{REGION eu} {ZONE eu-west-of-nowhere}]" {
		t.Errorf("%+v", c)
	}
	w.call("owner", "PUT", env+"/config/BIG", object{"value": strings.Repeat("x", 64<<10)}, 200, nil)
	for _, name := range []string{"BIGGER", "STILL"} {
		w.call("owner", "PUT", env+"/config/"+name, object{"value": strings.Repeat("x", 64<<10)}, 200, nil)
	}
	w.call("owner", "PUT", env+"/config/TOO_MUCH", object{"value": strings.Repeat("x", 64<<10)}, 422, &text)
	if !strings.Contains(text, "at most 262144 bytes together, and with this one") {
		t.Error(text)
	}
	w.call("owner", "PUT", env+"/secrets/TOO_SECRET", object{"value": strings.Repeat("x", 64<<10)}, 422, &text)
	if want := fmt.Sprintf("at most 262144 bytes together, and with this one they would have %d", 4<<16+len("eu"+"eu-west-of-nowhere"+"postgres://other")); !strings.Contains(text, want) {
		t.Errorf("%q is missing in %s", want, text)
	}
	for _, name := range []string{"BIG", "BIGGER", "STILL", "ZONE"} {
		w.call("owner", "DELETE", env+"/config/"+name, nil, 200, nil)
	}
	w.call("owner", "DELETE", env+"/config/REGION", nil, 200, nil)
	w.call("owner", "GET", env+"/config", nil, 200, &c)
	if c.Version != 12 || len(c.Values) != 0 {
		t.Errorf("%+v", c)
	}
	for _, who := range []string{"owner", "member", ""} {
		w.call(who, "GET", "/events?limit=100", nil, 200, &text)
		if strings.Contains(text, "postgres://") {
			t.Errorf("%s reads the secret in the log", who)
		}
		if strings.Contains(text, "eu-west-of-nowhere") {
			t.Errorf("%s reads a value in the log", who)
		}
		if sees := strings.Contains(text, "configuration.set.v1"); sees != (who == "owner") {
			t.Errorf("%s sees that the configuration was set: %v", who, sees)
		}
	}
	w.call("owner", "DELETE", env, nil, 200, nil)
	w.call("owner", "GET", env+"/config", nil, 404, nil)
	w.call("owner", "PUT", env, nil, 200, nil)
	w.call("owner", "GET", env+"/config", nil, 200, &c)
	if c.Version != 0 {
		t.Errorf("an environment of the same name has the configuration of the one before: %+v", c)
	}
}

// Values of a configuration are read by owners alone, also where they make a problem.
func TestProblemsQuoteNoValues(t *testing.T) {
	w := newWorld(t)
	w.create()
	file := strings.Replace(shop, "x-hubledger: {role: stateful}", "x-hubledger: {role: stateful}\n    ports: ['${REGION}:80']\n    stop_grace_period: ${REGION}", 1)
	w.set("config/REGION", "hunter2")
	w.call("owner", "PATCH", "/apps/acme/shop", object{"compose": file}, 200, nil)
	for who, reads := range map[string]bool{"owner": true, "member": false, "pusher": false} {
		var app apitypes.Application
		var text string
		if who != "pusher" {
			w.call(who, "GET", "/apps/acme/shop", nil, 200, &app)
			if len(app.Environments) != 1 || len(app.Environments[0].Problems) == 0 || strings.Contains(app.Environments[0].Problems[0], "hunter2") != reads {
				t.Errorf("%s sees %+v", who, app.Environments)
			}
		}
		if who != "member" {
			w.call(who, "POST", "/apps/acme/shop/releases", object{}, 422, &text)
			if strings.Contains(text, "hunter2") != reads || !strings.Contains(text, "in production: ") {
				t.Errorf("%s: %s", who, text)
			}
		}
	}
}
