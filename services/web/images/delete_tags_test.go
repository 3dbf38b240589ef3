package images_test

import (
	"net/http"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

func TestDeleteTags(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	image := registrytest.NewImage("shared")
	for tag, of := range map[string]*registrytest.Image{"1": image, "1.0": image, "2": registrytest.NewImage("two"), "keep-1": registrytest.NewImage("kept")} {
		client.MustPush(t, "admin/many", tag, of)
	}
	town.CatchUp()
	town.Call(http.MethodPut, "/repositories/admin/many/policy", map[string]any{"immutableTags": []string{"keep-.*"}, "sparseIndexes": false})
	const page = "/r/admin/many/-/delete-tags"
	town.Bob.Get(page).Is(http.StatusNotFound)
	town.Nobody.Get("/r/admin/open/-/delete-tags").Is(http.StatusSeeOther)
	town.Admin.Get(page).Is(http.StatusOK).Says("No tag is selected")
	town.Admin.Get(page+"?tag=1&tag=2&tag=keep-1&tag=none").Is(http.StatusOK).Says("2 tags go", "1 image has no tag any more", "1.0", "These stay", "keep-1", "no cleanup rule")
	town.Admin.Get(page+"?q=1").Is(http.StatusOK).Says("2 tags go", "These stay")
	town.Bob.Post(page, "do", "delete", "tag", "1").Is(http.StatusNotFound)
	town.Admin.Post(page, "do", "delete").Is(http.StatusUnprocessableEntity)
	town.Admin.Post(page, "do", "delete", "tag", "keep-1").Is(http.StatusConflict)
	client.MustPush(t, "admin/many", "3", image)
	town.CatchUp()
	town.Admin.Post(page, "do", "delete", "tag", "3", "tag", "keep-1").Is(http.StatusConflict).Says("1 tag was deleted, and then keep-1 was refused")
	deleted := town.Admin.Post(page, "do", "delete", "tag", "1", "tag", "2").Leads("/r/admin/many/-/tags")
	town.Admin.Get(deleted.Location).Is(http.StatusOK).Lacks("/tags/2\"").Says("1.0", "keep-1", "Undo: restore 2 tags")
	town.Admin.Get("/r/admin/many/-/untagged").Is(http.StatusOK).Says("by admin")

	const restore = "/r/admin/many/-/restore-tag"
	town.Bob.Get(restore).Is(http.StatusNotFound)
	town.Admin.Post(restore, "do", "restore", "tag", "never").Is(http.StatusUnprocessableEntity).Lacks("<script>alert")
	town.Admin.Post(restore, "do", "restore", "tag", "3", "tag", "never").Is(http.StatusUnprocessableEntity).Says("1 tag was restored, and then never was refused")
	town.Admin.Get("/r/admin/many/-/tags/3").Is(http.StatusOK)
	town.Admin.Post("/r/admin/many/-/tags/3", "do", "delete").Leads("/r/admin/many/-/tags")
	town.Admin.Post(restore, "do", "restore", "tag", "2").Leads("/r/admin/many/-/tags")
	town.Admin.Get("/r/admin/many/-/tags/2").Is(http.StatusOK)
	one := town.Admin.Post("/r/admin/many/-/tags/2", "do", "delete").Leads("/r/admin/many/-/tags")
	town.Admin.Get(one.Location).Is(http.StatusOK).Says("Undo: restore 2")
	town.Admin.Post(restore, "do", "restore", "tag", "1", "tag", "2").Leads("/r/admin/many/-/tags")
	town.Admin.Get("/r/admin/many/-/tags").Is(http.StatusOK).Says("same image as 1.0").Lacks("Undo")
	town.Admin.Get("/r/admin/many/-/tags/2").Is(http.StatusOK)
	town.Admin.Get("/r/admin/many/-/untagged").Is(http.StatusOK).Says("There are none")
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
