package images_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

// The history of a tag is walked through with links and a form, and a tag is rolled back
// from there.
func TestPastOfTag(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	var images []*registrytest.Image
	for _, name := range []string{"one", "two", "three"} {
		images = append(images, client.MustPush(t, "admin/past", "latest", registrytest.NewImage(name)))
	}
	town.CatchUp()
	short := func(k int) string { return images[k].Digest().String()[:19] }
	const tag, page, back = "/r/admin/past/-/tags/latest", "/r/admin/past/-/tags/latest/history", "/r/admin/past/-/tags/latest/rollback"
	town.Bob.Get(page).Is(http.StatusNotFound)
	town.Nobody.Get(page).Is(http.StatusNotFound)
	town.Admin.Get("/r/admin/past/-/tags/never/history").Is(http.StatusNotFound)
	town.Nobody.Get("/r/admin/open/-/tags/1/history").Is(http.StatusOK).Says("until now the tag names").Lacks("rollback", "Roll back")
	town.Admin.Get(tag).Is(http.StatusOK).Says("the images that latest has named")

	a := town.Admin.Get(page).Is(http.StatusOK).Says("3 of 3", "until now the tag names "+short(2), "The tag names it now", "Roll back…")
	before := strings.ReplaceAll(linkOf(t, a, "← Before"), "&amp;", "&")
	a = town.Admin.Get(before).Is(http.StatusOK).Says("2 of 3", "the tag named "+short(1), "Compare with now", "Roll latest back to it…")
	if command := regexp.MustCompile(`docker pull \S+/(admin/past):(latest\.asof\.s[0-9]+)<`).FindStringSubmatch(a.Text); command == nil {
		t.Error("no command pulls it as of then")
	} else if d, err := client.Pull(command[1], command[2]); err != nil || d != images[1].Digest() {
		t.Errorf("%s pulls %s, %v", command[0], d, err)
	}
	for _, link := range []string{"First", "← Before"} {
		town.Admin.Get(linkOf(t, a, link)).Is(http.StatusOK).Says("1 of 3", "the tag named "+short(0))
	}
	town.Admin.Get(linkOf(t, a, "Last")).Is(http.StatusOK).Says("3 of 3")
	if got := town.Admin.Get(page + "?place=2").Is(http.StatusSeeOther).Location; got != before {
		t.Errorf("the slider leads to %s, wanted %s", got, before)
	}
	town.Admin.Get(page + "?place=99").Leads(page)
	town.Admin.Get(page + "?place=x").Is(http.StatusOK)
	town.Admin.Get(page + "?at=99999999").Is(http.StatusNotFound)
	town.Admin.Get(page + "?cursor=x").Is(http.StatusUnprocessableEntity)
	town.Admin.Get(page+"?when=2020-01-01T00:00").Is(http.StatusOK).Says("The tag was not there yet at 2020-01-01T00:00 UTC", "1 of 3")
	town.Admin.Get(page + "?when=2100-01-01T00:00").Is(http.StatusOK).Says("3 of 3")

	// Rolling back: a page says what changes, then the button.
	to, from := images[0].Digest().String(), images[2].Digest().String()
	town.Bob.Get(back + "?to=" + to).Is(http.StatusNotFound)
	town.Admin.Get(back+"?to="+to).Is(http.StatusOK).Says("From "+short(2), "To "+short(0), "Roll latest back to "+short(0), "without a tag")
	town.Admin.Get(back + "?to=" + url.QueryEscape(webtest.Hostile)).Is(http.StatusOK).Says("The tag has not named that image").Lacks("<script>alert")
	town.Bob.Post(back, "do", "rollback", "to", to, "from", from).Is(http.StatusNotFound)
	town.Admin.Post(back, "do", "rollback").Is(http.StatusUnprocessableEntity).Says("say to which image")
	client.MustPush(t, "admin/past", "latest", images[1])
	town.CatchUp()
	town.Admin.Post(back, "do", "rollback", "to", to, "from", from).Is(http.StatusConflict).Says("has changed meanwhile", "by admin", "From "+short(1))
	done := town.Admin.Post(back, "do", "rollback", "to", to, "from", images[1].Digest().String()).Leads(page)
	town.Admin.Get(done.Location).Is(http.StatusOK).Says("Done: event", "5 of 5", "until now the tag names "+short(0))
	town.Admin.Get(tag).Is(http.StatusOK).Says("rolled admin/past:latest back to " + short(0))
	town.Admin.Get(back + "?to=" + to).Is(http.StatusOK).Says("names " + short(0) + " already")

	// Deleted images and tags are part of it.
	client.Must(t, "DELETE", "/v2/admin/past/manifests/"+from, nil).Want(t, 202)
	client.Must(t, "DELETE", "/v2/admin/past/manifests/latest", nil).Want(t, 202)
	town.CatchUp()
	town.Admin.Get(tag).Is(http.StatusNotFound)
	town.Admin.Get(page).Is(http.StatusOK).Says("6 of 6", "the tag names no image : admin had deleted it", "deleted , restorable until")
	town.Admin.Get(back+"?to="+from).Is(http.StatusOK).Says("was deleted", "Restore it from the trash")
	town.Admin.Get(back+"?to="+to).Is(http.StatusOK).Says("From no image", "Roll latest back to")
	town.Admin.Post(back, "do", "rollback", "to", to).Leads(page)
	town.Admin.Get(tag).Is(http.StatusOK)

	town.Call(http.MethodPut, "/repositories/admin/past/policy", map[string]any{"immutableTags": []string{"latest"}, "sparseIndexes": false})
	town.Admin.Get(back + "?to=" + images[1].Digest().String()).Is(http.StatusOK).Says("The tag is immutable")
	town.Admin.Post(back, "do", "rollback", "to", images[1].Digest().String()).Is(http.StatusConflict).Says("immutable")
}

// linkOf is the address of the link with that text.
func linkOf(t *testing.T, a *webtest.Answer, text string) string {
	t.Helper()
	head, _, ok := strings.Cut(a.Text, `">`+text+`</a>`)
	k := strings.LastIndex(head, `href="`)
	if !ok || k < 0 {
		t.Fatalf("%s has no link %s", a.What, text)
	}
	return strings.ReplaceAll(head[k+len(`href="`):], "&amp;", "&")
}
