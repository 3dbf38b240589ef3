package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
)

// A tag's history, a rollback by it, and the trash with what was deleted, as people and
// scripts use them.
func TestPastOfTags(t *testing.T) {
	k := start(t)
	k.user("alice")
	k.user("bob")
	c := k.Client()
	const repo, api = "alice/app", "/api/v1/repositories/alice/app"
	pushed := map[string]*registrytest.Image{}
	push := func(tag, name string) string {
		t.Helper()
		if pushed[name] == nil {
			pushed[name] = registrytest.NewImage(name)
		}
		return c.MustPush(t, repo, tag, pushed[name]).Digest().String()
	}
	one := push("latest", "one")
	push("latest", "one")
	two := push("latest", "two")
	k.CatchUp()

	type spans = apitypes.List[apitypes.TagSpan]
	history := func(query string) (list spans) {
		t.Helper()
		k.do("alice", "GET", api+"/tags/latest/history"+query, nil).want(200).into(&list)
		return list
	}
	list := history("?limit=1")
	if len(list.Items) != 1 || list.Next == "" || list.Items[0].Digest != two || list.Items[0].Until != nil || list.Items[0].Now.State != "there" || list.Items[0].By == "" {
		t.Fatalf("history %+v", list)
	}
	newest := list.Items[0]
	var next spans
	k.do("alice", "GET", list.Next, nil).want(200).into(&next)
	if len(next.Items) != 1 || next.Next != "" || next.Items[0].Digest != one || next.Items[0].Ended != newest.Seq || !next.Items[0].Until.Equal(newest.From) {
		t.Fatalf("history %+v", next)
	}
	k.do("alice", "GET", api+"/tags/never/history", nil).want(404)
	k.do("alice", "GET", api+"/tags/latest/history?cursor=x", nil).want(422)
	k.do("bob", "GET", api+"/tags/latest/history", nil).want(404)

	var past apitypes.Tag
	k.do("alice", "GET", api+"/tags/latest?as_of=s"+fmt.Sprint(newest.Seq-1), nil).want(200).into(&past)
	if past.Digest != one || past.Now == nil || past.Now.State != "there" || past.Seq >= newest.Seq || past.MediaType == "" {
		t.Errorf("as of before: %+v", past)
	}
	var tags apitypes.List[apitypes.Tag]
	k.do("alice", "GET", api+"/tags?as_of=s"+fmt.Sprint(newest.Seq-1), nil).want(200).into(&tags)
	if len(tags.Items) != 1 || tags.Items[0].Digest != one || tags.Next != "" {
		t.Errorf("the list as of before: %+v", tags)
	}
	k.do("alice", "GET", api+"/tags/latest?as_of="+time.Now().UTC().Format(time.RFC3339Nano), nil).want(200).into(&past)
	if past.Digest != two {
		t.Errorf("as of now: %+v", past)
	}
	k.do("alice", "GET", api+"/tags/latest?as_of=2001-01-01", nil).want(404)
	k.do("bob", "GET", api+"/tags/latest?as_of=2001-01-01", nil).want(404)
	for query, says := range map[string]string{"as_of=x": "a point in time", "as_of=s999999": "has not happened", "as_of=2999-01-01": "has not happened"} {
		if a := k.do("alice", "GET", api+"/tags?"+query, nil).want(422); !strings.Contains(a.Body.String(), says) || !strings.Contains(a.Body.String(), "query.as_of") {
			t.Errorf("%s: %s", query, a.Body)
		}
	}
	k.do("alice", "GET", api+"/tags?as_of=s1&sort=size", nil).want(422)

	back := api + "/tags/latest/rollback"
	k.do("alice", "POST", back, object{"to": "one"}).want(422)
	k.do("alice", "POST", back, object{"to": pushed["one"].Digest().String(), "from": "x"}).want(422)
	if a := k.do("alice", "POST", back, object{"to": "sha256:" + strings.Repeat("a", 64)}).want(422); !strings.Contains(a.Body.String(), "body.to") {
		t.Errorf("not at the field: %s", a.Body)
	}
	k.do("bob", "POST", back, object{"to": one}).want(404)
	var done apitypes.Change
	k.do("alice", "POST", back, object{"to": one, "from": two}).want(200).into(&done)
	if list := history(""); len(list.Items) != 3 || list.Items[0].Digest != one || list.Items[0].Seq != done.Seq || list.Items[0].By != "alice" {
		t.Errorf("history %+v", list)
	}
	var told apitypes.FullEvent
	k.do("alice", "GET", fmt.Sprintf("/api/v1/events/%d", done.Seq), nil).want(200).into(&told)
	if want := "rolled alice/app:latest back to " + one[:19] + " of " + next.Items[0].From.Format("2 January 2006 15:04 UTC") + ", from " + two[:19]; told.Text != want {
		t.Errorf("told as %q, wanted %q", told.Text, want)
	}
	if a := k.do("alice", "POST", back, object{"to": one, "from": two}).want(200); a.Header().Get("Hubledger-Sequence") != fmt.Sprint(done.Seq) {
		t.Errorf("again: %v", a.Header())
	}
	three := push("latest", "three")
	if a := k.do("alice", "POST", back, object{"to": two, "from": one}).want(409); !strings.Contains(a.Body.String(), "has changed meanwhile") || !strings.Contains(a.Body.String(), three) {
		t.Errorf("over a push: %s", a.Body)
	}

	// A tag is deleted by what was confirmed.
	k.do("alice", "DELETE", api+"/tags/latest?digest="+url.QueryEscape(one), nil).want(409)
	k.do("alice", "DELETE", api+"/tags/latest?digest=one", nil).want(422)
	k.do("alice", "DELETE", api+"/tags/latest?digest="+url.QueryEscape(three), nil).want(200)
	c.Must(t, "DELETE", "/v2/"+repo+"/manifests/"+two, nil).Want(t, 202)
	push("x", "four")
	four := push("y", "four")
	c.Must(t, "DELETE", "/v2/"+repo+"/manifests/"+four, nil).Want(t, 202)
	k.CatchUp()
	if list := history("?limit=2"); !list.Items[0].Deleted || list.Items[0].Digest != three || list.Items[0].Now.State != "there" {
		t.Errorf("history of a deleted tag %+v", list)
	}
	k.do("alice", "POST", back, object{"to": two}).want(409)

	var trash apitypes.List[apitypes.Trashed]
	k.do("alice", "GET", api+"/trash?limit=2", nil).want(200).into(&trash)
	if len(trash.Items) != 2 || trash.Next == "" {
		t.Fatalf("trash %+v", trash)
	}
	image, second := trash.Items[0], trash.Items[1]
	if image.Kind != "image" || image.Digest != four || fmt.Sprint(image.Tags) != "[x y]" || image.By == "" || image.Fate.State != "deleted" || !image.Fate.Until.Equal(image.Deleted.Add(time.Hour)) {
		t.Errorf("a deleted image %+v", image)
	}
	if second.Kind != "image" || second.Digest != two || len(second.Tags) != 0 {
		t.Errorf("a deleted image without tags %+v", second)
	}
	k.do("alice", "GET", trash.Next, nil).want(200).into(&trash)
	if len(trash.Items) != 1 || trash.Items[0].Kind != "tag" || trash.Items[0].Tag != "latest" || trash.Items[0].By != "alice" || trash.Items[0].NeedsImage || trash.Items[0].Fate.State != "deleted" {
		t.Errorf("a deleted tag %+v", trash)
	}
	k.do("alice", "POST", api+"/manifests/"+four+"/restore", nil).want(200)
	k.do("alice", "GET", api+"/trash", nil).want(200).into(&trash)
	if len(trash.Items) != 2 {
		t.Errorf("a restored image is in the trash: %+v", trash)
	}
	k.do("bob", "GET", api+"/trash", nil).want(404)
}
