package images_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

func TestTagsPage(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	for _, tag := range []string{"1.9", "1.10"} {
		client.MustPush(t, "admin/tags", tag, registrytest.NewImage(tag))
	}
	client.MustPush(t, "admin/tags", "latest", registrytest.NewImage("1.10"))
	town.CatchUp()
	const page = "/r/admin/tags/-/tags"
	town.Nobody.Get(page).Is(http.StatusNotFound)
	town.Bob.Get(page).Is(http.StatusNotFound)
	a := town.Admin.Get(page).Is(http.StatusOK).Says("same image as latest", "linux/amd64", "by admin", "Delete the selected")
	ordered(t, a, ">1.10<", ">1.9<", ">latest<")
	ordered(t, town.Admin.Get(page+"?sort=pushed").Is(http.StatusOK), ">latest<", ">1.10<", ">1.9<")
	town.Admin.Get(page + "?q=1.9").Is(http.StatusOK).Says("1 of 3 match").Lacks(">1.10<")
	town.Admin.Get(page + "?q=" + url.QueryEscape(webtest.Hostile)).Is(http.StatusOK).Says("No tag has").Lacks("<script>alert")
	town.Admin.Get(page + "?sort=color").Is(http.StatusUnprocessableEntity)
	town.Nobody.Get("/r/admin/open/-/tags").Is(http.StatusOK).Lacks("Delete the selected", "a push")

	town.Nobody.Get(page + "/1.10").Is(http.StatusNotFound)
	town.Admin.Get("/r/admin/app").Is(http.StatusOK).Says("/admin/app:latest Copy")
	town.Admin.Get(page+"/1.10").Is(http.StatusOK).Says("latest", "docker pull", "nerdctl pull", "kubectl create secret docker-registry", "crane manifest", "not recorded")
	town.Admin.Get(page + "/none").Is(http.StatusNotFound)
	nine := registrytest.NewImage("1.9").Digest().String()
	town.Bob.Post(page+"/1.9", "do", "delete", "digest", nine).Is(http.StatusNotFound)
	town.Admin.Post(page+"/1.9", "do", "delete", "digest", nine).Is(http.StatusSeeOther)
	town.Admin.Get(page + "/1.9").Is(http.StatusNotFound)
}

// What leads to the sign-in leads back.
func TestLinkToSignIn(t *testing.T) {
	town := webtest.NewTown(t)
	if a := town.Nobody.Get("/catalog?q=nothing"); !strings.Contains(a.Text, `href="/sign-in?next=%2Fcatalog%3Fq%3Dnothing"`) {
		t.Errorf("the link to the sign-in: %s", a.Text)
	}
}

// The page of a tag tells what happened to it, and to no other.
func TestTagHistory(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	first := client.MustPush(t, "admin/app", "moving", registrytest.NewImage("first"))
	second := client.MustPush(t, "admin/app", "moving", registrytest.NewImage("second"))
	town.CatchUp()
	a := town.Admin.Get("/r/admin/app/-/tags/moving").Is(http.StatusOK)
	if n := strings.Count(a.Text, `<td class="seq">`); n != 2 {
		t.Errorf("%d events of the tag, wanted 2: %s", n, a.Words())
	}
	_, past, _ := strings.Cut(a.Text, `id="history"`)
	for _, image := range []*registrytest.Image{first, second} {
		if !strings.Contains(past, image.Digest().String()[:19]) {
			t.Errorf("the history lacks %s: %s", image.Digest(), past)
		}
	}
}

// A repository may be called like parts of the API.
func TestRepositoryCalledLikeTheAPI(t *testing.T) {
	town := webtest.NewTown(t)
	town.Client().MustPush(t, "admin/group/tags/app", "1", registrytest.NewImage("x"))
	town.CatchUp()
	for _, page := range []string{"", "/-/tags", "/-/tags/1", "/-/activity", "/-/storage", "/-/settings", "/-/access", "/-/builds"} {
		town.Admin.Get("/r/admin/group/tags/app" + page).Is(http.StatusOK).Says("admin/ group/tags/app")
	}
}
