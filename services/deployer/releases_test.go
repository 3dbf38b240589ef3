package deployer_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"hubledger/services/internal/apitypes"
)

func TestReleases(t *testing.T) {
	w := newWorld(t)
	w.create()
	const path = "/apps/acme/shop/releases"
	var r apitypes.Release
	w.call("pusher", "POST", path, object{"note": "first"}, 201, &r)
	if r.Number != 1 || !r.Kept || r.Note != "first" || r.MadeBy != "pusher" || fmt.Sprint(r.Configurations) != "[{production 2 [] []}]" || len(r.Images) != 3 {
		t.Errorf("%+v", r)
	}
	var shown apitypes.Release
	if w.call("member", "GET", path+"/1", nil, 200, &shown); fmt.Sprint(shown.Configurations) != "[{production 2 [REGION] [DATABASE_URL]}]" {
		t.Errorf("%+v", shown.Configurations)
	}
	if i := r.Images[2]; i.Service != "web" || i.Name != "acme/web" || !i.Here || i.Tag != "1" || i.Digest != w.web.String() || i.Missing {
		t.Errorf("%+v", i)
	}
	if i := r.Images[0]; i.Name != "docker.io/library/postgres" || i.Here || i.Tag != "" {
		t.Errorf("%+v", i)
	}
	again := r
	w.call("pusher", "POST", path, object{"note": "nothing new"}, 201, &again)
	if again.Number != 1 || again.Note != "first" {
		t.Errorf("where nothing differs there is another release: %+v", again)
	}
	second := w.push("acme/web", "1", "web 2")
	w.set("config/REGION", "us")
	w.call("owner", "PATCH", "/apps/acme/shop", object{"compose": strings.Replace(shop, "role: worker", "role: worker, overlap: no", 1)}, 200, nil)
	w.call("pusher", "POST", path, object{}, 201, &r)
	if r.Number != 2 || r.Images[2].Digest != second.String() {
		t.Errorf("%+v", r)
	}
	var l apitypes.List[apitypes.Release]
	w.call("member", "GET", path+"?limit=1", nil, 200, &l)
	if len(l.Items) != 1 || l.Items[0].Number != 2 || l.Next == "" {
		t.Errorf("%+v", l)
	}
	w.call("member", "GET", strings.TrimPrefix(l.Next, "/api/v1"), nil, 200, &l)
	if len(l.Items) != 1 || l.Items[0].Number != 1 || l.Next != "" {
		t.Errorf("%+v", l)
	}
	w.call("member", "GET", path+"/1", nil, 200, &r)
	if r.Compose != shop || r.Images[2].Digest != w.web.String() {
		t.Errorf("the first release is %+v", r)
	}
	w.call("member", "GET", path+"/3", nil, 404, nil)

	var d apitypes.ReleaseDiff
	w.call("member", "GET", path+"/2/diff", nil, 200, &d)
	if d.From != 1 || len(d.Images) != 1 || d.Images[0].From.Digest != w.web.String() || d.Images[0].To.Digest != second.String() || fmt.Sprint(d.Configurations) != "[{production 2 3 [REGION]}]" {
		t.Errorf("%+v", d)
	}
	var lines []string
	for _, l := range d.Compose {
		if l.Sign != " " {
			lines = append(lines, l.Sign+strings.TrimSpace(l.Text))
		}
	}
	if got := strings.Join(lines, "|"); got != "…|-x-hubledger: {role: worker}|+x-hubledger: {role: worker, overlap: no}" {
		t.Error(got)
	}
	w.call("member", "GET", path+"/1/diff", nil, 200, &d)
	if d.From != 0 || len(d.Images) != 3 || d.Images[0].From != nil || len(d.Configurations) != 1 {
		t.Errorf("the first release against nothing: %+v", d)
	}
	w.call("member", "GET", path+"/1/diff?from=2", nil, 200, &d)
	if d.From != 2 || d.To != 1 || len(d.Images) != 1 {
		t.Errorf("%+v", d)
	}
}

// What hinders a release is said at once: for each environment and each image.
func TestReleaseRefused(t *testing.T) {
	w := newWorld(t)
	refused := func(as string, want ...string) {
		t.Helper()
		var text string
		w.call(as, "POST", "/apps/acme/shop/releases", object{}, 422, &text)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("no %q in %s", part, text)
			}
		}
	}
	compose := func(image string) object {
		return object{"name": "shop", "compose": "services: {a: {image: '" + image + "', command: 'run ${MODE}', environment: [KEY], x-hubledger: {role: worker}}}"}
	}
	w.call("owner", "POST", "/apps/acme", compose("postgres:17"), 201, nil)
	refused("owner", "has no environment to run in", "is of another registry, where a tag can move")
	w.call("owner", "PUT", "/apps/acme/shop/environments/production", nil, 200, nil)
	w.call("owner", "PUT", "/apps/acme/shop/environments/staging", nil, 200, nil)
	refused("owner", "production does not set MODE", "staging does not set MODE")
	for _, e := range []string{"production", "staging"} {
		w.call("owner", "PUT", "/apps/acme/shop/environments/"+e+"/config/MODE", object{"value": "fast"}, 200, nil)
	}
	refused("owner", "production does not set KEY", "apps secret set acme/shop staging KEY")
	w.set("secrets/KEY", "k")
	w.call("owner", "PUT", "/apps/acme/shop/environments/staging/secrets/MODE", object{"value": "k"}, 422, nil)
	w.call("owner", "PUT", "/apps/acme/shop/environments/staging/config/KEY", object{"value": "k"}, 200, nil)
	for image, reason := range map[string]string{
		host + "/acme/web:none": "there is no image", host + "/acme/none:1": "there is no image", host + "/stranger/app:1": "there is no image", // private
		host + "/acme/web@sha256:" + strings.Repeat("0", 64): "there is no image", "UPPER": "no name of an image", "elsewhere.example/acme/web:1": "another registry",
	} {
		body := compose(image)
		delete(body, "name")
		w.call("owner", "PATCH", "/apps/acme/shop", body, 200, nil)
		refused("owner", "services.a.image: ", reason)
	}
	body := compose(host + "/acme/web@" + w.web.String())
	delete(body, "name")
	w.call("owner", "PATCH", "/apps/acme/shop", body, 200, nil)
	var r apitypes.Release
	w.call("owner", "POST", "/apps/acme/shop/releases", object{}, 201, &r)
	if r.Images[0].Digest != w.web.String() || r.Images[0].Tag != "" {
		t.Errorf("%+v", r)
	}
	for as, status := range map[string]int{"member": 403, "stranger": 404, "": 401} {
		w.call(as, "POST", "/apps/acme/shop/releases", object{}, status, nil)
	}
}

// What a kept release pins cannot be deleted, by any way that leads to it, and can again
// when the release is no longer kept.
func TestReleasesHoldImages(t *testing.T) {
	w := newWorld(t)
	w.create()
	w.call("owner", "POST", "/apps/acme/shop/releases", object{}, 201, nil)
	w.push("acme/web", "1", "web 2") // the first is named by no tag any more
	var text string
	w.call("owner", "DELETE", "/repositories/acme/web", nil, 409, &text)
	if !strings.Contains(text, "release 1 of acme/shop has "+w.web.String()+" of the repository") {
		t.Error(text)
	}
	manifest := "/v2/acme/web/manifests/" + w.web.String()
	if a := w.Client().Must(t, "DELETE", manifest, nil).WantError(t, 403, "DENIED"); !strings.Contains(string(a.Body), "release 1 of acme/shop") {
		t.Errorf("%s", a.Body)
	}
	w.call("owner", "PUT", "/repositories/acme/web/cleanup", object{"untaggedDays": 1}, 200, nil)
	other := w.push("acme/web", "other", "other")
	w.Client().Must(t, "DELETE", "/v2/acme/web/manifests/"+other.String(), nil).Want(t, 202)

	w.call("owner", "PATCH", "/apps/acme/shop", object{"keep": 1}, 200, nil)
	w.call("owner", "POST", "/apps/acme/shop/releases", object{}, 201, nil) // with web 2
	w.Client().Must(t, "DELETE", manifest, nil).Want(t, 202)
	var r apitypes.Release
	w.call("owner", "GET", "/apps/acme/shop/releases/1", nil, 200, &r)
	if r.Kept || !r.Images[2].Missing {
		t.Errorf("release 1 is %+v", r)
	}
	w.call("owner", "DELETE", "/repositories/acme/web", nil, 409, nil)
	w.call("owner", "DELETE", "/apps/acme/shop", nil, 200, nil)
	w.call("owner", "DELETE", "/repositories/acme/web", nil, 200, nil)
}

// An image of another namespace is pinned, and still its owner's to delete.
func TestReleasesHoldNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	w.call("stranger", "PATCH", "/repositories/stranger/app", object{"visibility": "public"}, 200, nil)
	w.call("owner", "POST", "/apps/acme", object{"name": "shop", "compose": "services: {a: {image: '" + host + "/stranger/app:1', x-hubledger: {role: worker}}}"}, 201, nil)
	w.call("owner", "PUT", "/apps/acme/shop/environments/production", nil, 200, nil)
	var r apitypes.Release
	w.call("owner", "POST", "/apps/acme/shop/releases", object{}, 201, &r)
	w.call("stranger", "DELETE", "/repositories/stranger/app", nil, 200, nil)
	w.call("owner", "GET", "/apps/acme/shop/releases/1", nil, 200, &r)
	if !r.Images[0].Missing {
		t.Errorf("%+v", r)
	}
}

// Those who may not pull an image of another namespace do not learn by a release whether it is
// there still.
func TestReleasesTellNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	visible := func(how string) {
		w.call("stranger", "PATCH", "/repositories/stranger/app", object{"visibility": how}, 200, nil)
		w.CatchUp()
	}
	visible("public")
	w.call("owner", "POST", "/apps/acme", object{"name": "shop", "compose": "services: {a: {image: '" + host + "/stranger/app:1', x-hubledger: {role: worker}}}"}, 201, nil)
	w.call("owner", "PUT", "/apps/acme/shop/environments/production", nil, 200, nil)
	w.call("owner", "POST", "/apps/acme/shop/releases", object{}, 201, nil)
	look := func(as string) (list apitypes.List[apitypes.Release]) {
		t.Helper()
		w.call(as, "GET", "/apps/acme/shop/releases", nil, 200, &list)
		return list
	}
	if r := look("member"); r.Items[0].Images[0].Missing {
		t.Errorf("public, and %+v", r)
	}
	visible("private")
	there := look("member")
	w.call("stranger", "DELETE", "/repositories/stranger/app/tags/1", nil, 200, nil)
	w.Client().Must(t, "DELETE", "/v2/stranger/app/manifests/"+there.Items[0].Images[0].Digest, nil).Want(t, 202)
	w.CatchUp()
	if gone := look("member"); !reflect.DeepEqual(there, gone) {
		t.Errorf("private: %+v, and deleted: %+v", there, gone)
	}
}
