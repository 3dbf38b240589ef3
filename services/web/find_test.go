package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	godigest "github.com/opencontainers/go-digest"

	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// The box on every page leads to what a text names: in the hub, and on the pages of a
// repository among its tags.
func TestFind(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	layer := func(content string) string { return godigest.FromString(content).String() }
	admin := webtest.As(t, hub, servertest.Admin, servertest.Password)
	one, two := registrytest.NewImage("one layer", "another"), registrytest.NewImage("one layer")
	client := hub.Client()
	client.MustPush(t, "admin/app", "1.10", one)
	client.MustPush(t, "admin/other", "2", two)
	hub.CatchUp()
	last := admin.Get("/api/v1/events?limit=1&q=type:image.pushed")
	seq, id := last.Between(`"seq":`, `,`), last.Between(`"id":"`, `"`)
	digest := one.Digest()
	image := "/r/admin/app/-/images/" + url.PathEscape(digest.String())
	nobody := webtest.NewBrowser(t, hub)
	for _, c := range []struct{ q, at, leads string }{
		{"admin/app", "", "/r/admin/app"},
		{"admin/app:1.10", "", "/r/admin/app/-/tags/1.10"},
		{"admin/app@" + digest.String(), "", image},
		{"1.10", "admin/app", "/r/admin/app/-/tags/1.10"},
		{digest.String(), "", image},
		{digest.Encoded(), "", image},
		{digest.Encoded()[:12], "", image},
		{strings.ToUpper(digest.Encoded()[:20]), "", image},
		{layer("another"), "", image}, // a layer of one image only
		{"admin", "", "/n/admin"},
		{seq, "", "/events/" + seq},
		{id, "", "/events/" + seq},
	} {
		find := "/find?" + url.Values{"q": {c.q}, "at": {c.at}}.Encode()
		admin.Get(find).Leads(c.leads)
		if a := nobody.Get(find); c.q != seq && a.Status != http.StatusOK {
			t.Errorf("%s leads who may not see it to %d %q", find, a.Status, a.Location)
		}
	}
	admin.Get("/find?q="+layer("one layer")).Is(http.StatusOK).Says("2 images and builds have it", "admin/app@"+digest.String(), "admin/other@"+two.Digest().String())
	admin.Get("/find?q=123456789012").Is(http.StatusOK).Says("Nothing that you may see is called so") // no number of an event, but perhaps of a digest
	admin.Get("/find?q=1.10").Is(http.StatusOK).Says("Nothing that you may see is called so")
	admin.Get("/r/admin/app/-/tags").Is(http.StatusOK).Says("1.10")
	if !strings.Contains(admin.Get("/r/admin/app/-/tags").Text, `<input type="hidden" name="at" value="admin/app">`) {
		t.Error("the box on a repository's pages does not say which repository that is")
	}
}
