package images_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

func TestDeleteTags(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	image, two, kept := registrytest.NewImage("shared"), registrytest.NewImage("two"), registrytest.NewImage("kept")
	for tag, of := range map[string]*registrytest.Image{"1": image, "1.0": image, "2": two, "keep-1": kept} {
		client.MustPush(t, "admin/many", tag, of)
	}
	at := func(tag string, of *registrytest.Image) string { return tag + "@" + of.Digest().String() }
	town.CatchUp()
	town.Call(http.MethodPut, "/repositories/admin/many/policy", map[string]any{"immutableTags": []string{"keep-.*"}, "sparseIndexes": false})
	const page, trash = "/r/admin/many/-/delete-tags", "/r/admin/many/-/trash"
	town.Bob.Get(page).Is(http.StatusNotFound)
	town.Nobody.Get("/r/admin/open/-/delete-tags").Is(http.StatusSeeOther)
	town.Admin.Get(page).Is(http.StatusOK).Says("No tag is selected")
	town.Admin.Get(page+"?tag=1&tag=2&tag=keep-1&tag=none").Is(http.StatusOK).Says("2 tags will be deleted", "1 image has no tag any more", "1.0", "These stay", "keep-1", "no cleanup rule",
		fmt.Sprintf("%d B in 2 blobs will be needed by nothing else: freed when 1 image is deleted, too", len(two.Blobs[0])+len(two.Blobs[1])))
	town.Admin.Get(page + "?tag=1").Is(http.StatusOK).Says("Every blob of these images is needed elsewhere, too")
	town.Admin.Get(page+"?q=1").Is(http.StatusOK).Says("2 tags will be deleted", "These stay")
	town.Bob.Post(page, "do", "delete", "tag", at("1", image)).Is(http.StatusNotFound)
	town.Admin.Post(page, "do", "delete").Is(http.StatusUnprocessableEntity)
	town.Admin.Post(page, "do", "delete", "tag", "1").Is(http.StatusUnprocessableEntity).Says("open the page again")
	town.Admin.Post(page, "do", "delete", "tag", "1@x").Is(http.StatusUnprocessableEntity).Says("1 was refused")
	town.Admin.Post(page, "do", "delete", "tag", at("keep-1", kept)).Is(http.StatusOK).Says("0 tags were deleted", "1 was not deleted", "keep-1 : tag keep-1 is immutable")
	client.MustPush(t, "admin/many", "3", image)
	town.CatchUp()
	// What somebody has pushed or deleted meanwhile is told and stays as it is; the rest goes.
	other := client.MustPush(t, "admin/many", "2", registrytest.NewImage("other"))
	town.CatchUp()
	a := town.Admin.Post(page, "do", "delete", "tag", at("3", image), "tag", at("2", two), "tag", at("never", two)).Is(http.StatusOK)
	a.Says("1 tag was deleted", "2 were not deleted", "2 : the tag 2 has changed meanwhile", "by admin", other.Digest().String(), "never : somebody has deleted it", "1 tag will be deleted next")
	if !strings.Contains(a.Text, at("2", other)) {
		t.Errorf("the form that goes on does not say what 2 names now: %s", a.Text)
	}
	town.Admin.Get("/r/admin/many/-/tags/2").Is(http.StatusOK)
	deleted := town.Admin.Post(page, "do", "delete", "tag", at("1", image), "tag", at("2", other)).Leads("/r/admin/many/-/tags")
	town.Admin.Get(deleted.Location).Is(http.StatusOK).Lacks("/tags/2\"").Says("1.0", "keep-1", "Undo: restore 2 tags")
	town.Admin.Get("/r/admin/many/-/untagged").Is(http.StatusOK).Says("by admin")

	town.Bob.Get(trash).Is(http.StatusNotFound)
	town.Admin.Get(trash).Is(http.StatusOK).Says("tag 3", "tag 1", "tag 2", "the tag, for", "Restore the selected")
	town.Admin.Post(trash, "do", "restore").Is(http.StatusUnprocessableEntity)
	town.Admin.Post(trash, "do", "restore", "tag", webtest.Hostile).Is(http.StatusConflict).Lacks("<script>alert")
	town.Admin.Post(trash, "do", "restore", "tag", "3", "tag", "never").Is(http.StatusConflict).Says("1 of the selected was restored, and then never was refused")
	one := town.Admin.Post("/r/admin/many/-/tags/3", "do", "delete", "digest", image.Digest().String()).Leads("/r/admin/many/-/tags")
	town.Admin.Get(one.Location).Is(http.StatusOK).Says("Undo: restore 3")
	town.Admin.Post("/r/admin/many/-/tags/1.0", "do", "delete", "digest", two.Digest().String()).Is(http.StatusConflict).Says("has changed meanwhile")
	town.Admin.Post(trash, "do", "restore", "tag", "1", "tag", "2").Leads(trash)
	town.Admin.Get("/r/admin/many/-/tags").Is(http.StatusOK).Says("same image as 1.0").Lacks("Undo")
	town.Admin.Get("/r/admin/many/-/tags/2").Is(http.StatusOK)
	town.Admin.Get("/r/admin/many/-/untagged").Is(http.StatusOK).Says(two.Digest().String()[:19]).Lacks(image.Digest().String()[:19], other.Digest().String()[:19])

	// An image comes back with its tags; its tag that was deleted before needs it.
	client.Must(t, "DELETE", "/v2/admin/many/manifests/2", nil).Want(t, 202)
	client.MustPush(t, "admin/many", "too", other)
	client.Must(t, "DELETE", "/v2/admin/many/manifests/"+other.Digest().String(), nil).Want(t, 202)
	town.CatchUp()
	town.Admin.Get(trash).Is(http.StatusOK).Says("image "+other.Digest().String()[:19], "the image, and too", "that image was deleted, too: restore both")
	town.Admin.Post(trash, "do", "restore", "tag", "2").Is(http.StatusConflict).Says("restore that first")
	town.Admin.Post(trash, "do", "restore", "tag", "2", "image", other.Digest().String()).Leads(trash)
	town.Admin.Get("/r/admin/many/-/tags").Is(http.StatusOK).Says("too", "same image as 2")
	town.Nobody.Get("/r/admin/open/-/trash").Is(http.StatusOK).Says("Nothing was deleted")
}

// A filter that finds more tags than one step deletes is gone through in steps.
func TestDeleteTagsInSteps(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	image := client.MustPush(t, "admin/steps", "stays", registrytest.NewImage("x"))
	push := func(n int, prefixes ...string) {
		t.Helper()
		for _, prefix := range prefixes {
			query := url.Values{}
			for k := range n {
				query.Add("tag", fmt.Sprint(prefix, ".", k))
			}
			client.Must(t, "PUT", "/v2/admin/steps/manifests/"+image.Digest().String()+"?"+query.Encode(), image.Manifest, "Content-Type", image.MediaType).Want(t, 201)
		}
		town.CatchUp()
	}
	push(40, "v1", "v2", "w3")
	town.Call(http.MethodPut, "/repositories/admin/steps/policy", map[string]any{"immutableTags": []string{"v2.*"}, "sparseIndexes": false})
	const page = "/r/admin/steps/-/delete-tags?q=."
	step := func(a *webtest.Answer) *webtest.Answer {
		t.Helper()
		form := []string{"do", "delete"}
		for _, hidden := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(a.Text, -1) {
			form = append(form, hidden[1], hidden[2])
		}
		return town.Admin.Post(page, form...)
	}
	first := town.Admin.Get(page).Is(http.StatusOK).Says("80 tags will be deleted", "These stay", "v2.7")
	// Meanwhile there are more of them than one step deletes: what was shown goes, and no other.
	push(45, "x")
	town.Admin.Get(page).Is(http.StatusOK).Says("100 tags will be deleted", "25 others match the filter")
	step(first).Leads("/r/admin/steps/-/tags")
	town.Admin.Get("/r/admin/steps/-/tags").Is(http.StatusOK).Says("Tags 86")
	push(40, "w3", "y4")
	second := town.Admin.Get(page).Is(http.StatusOK).Says("100 tags will be deleted", "25 others match the filter")
	third := step(second).Is(http.StatusOK).Says("100 tags were deleted", "25 are left", "25 tags will be deleted next", "Delete the next 25 tags")
	step(third).Leads("/r/admin/steps/-/tags")
	town.Admin.Get("/r/admin/steps/-/tags").Is(http.StatusOK).Says("Tags 41")
	town.Admin.Get(page).Is(http.StatusOK).Says("No tag is selected that can be deleted", "These stay")
}

func TestStarAndActivity(t *testing.T) {
	town := webtest.NewTown(t)
	town.Nobody.Get("/r/admin/open").Is(http.StatusOK).Lacks("Give a star")
	town.Nobody.Get("/r/admin/app/-/activity").Is(http.StatusNotFound)
	town.Bob.Post("/r/admin/app", "do", "star").Is(http.StatusNotFound)
	town.Bob.Post("/r/admin/open", "do", "star").Leads("/r/admin/open")
	town.Bob.Get("/r/admin/open").Is(http.StatusOK).Says("Stars 1", "Take my star back")
	town.Bob.Post("/r/admin/open", "do", "unstar").Leads("/r/admin/open")
	town.Bob.Get("/r/admin/open").Is(http.StatusOK).Says("Stars 0", "Give a star")
	town.Admin.Get("/r/admin/app/-/activity").Is(http.StatusOK).Says("image", "1.0", "admin")
}
