package images_test

import (
	"net/http"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

func TestComparePage(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	a := configured(`{"os":"linux","architecture":"amd64","config":{"Env":["A=1","SAME=x"],"Cmd":["serve"],"Labels":{"gone":"y"}}}`, "base", "old")
	b := configured(`{"os":"linux","architecture":"amd64","config":{"Env":["A=2","SAME=x"],"Cmd":["serve","-v"],"Labels":{"new":"z"}}}`, "base", "fresh", "on top")
	other := configured(`{"os":"linux","architecture":"arm64"}`, "base")
	for tag, image := range map[string]*registrytest.Image{"1.0": a, "1.1": b, "arm": other} {
		client.MustPush(t, "admin/differ", tag, image)
	}
	town.CatchUp()
	const page = "/r/admin/differ/-/compare"
	town.Bob.Get(page + "?a=1.0&b=1.1").Is(http.StatusNotFound)
	town.Admin.Get(page).Is(http.StatusOK).Says("Tags or digests of this repository")
	town.Admin.Get(page+"?a=1.0&b=1.1").Is(http.StatusOK).Says("A 1 2", "Command serve serve -v", "gone y none", "new none z", "The lowest 1 layer is the same", "Only in 1.0", "Only in 1.1").Lacks("SAME")
	town.Admin.Get(page + "?a=1.0&b=" + a.Digest().String()).Is(http.StatusOK).Says("They are the same image")
	short := b.Digest().String()[:len("sha256:")+12]
	town.Admin.Get(page+"?a=1.0&b="+b.Digest().String()).Is(http.StatusOK).Says("What 1.0 "+short, "Only in "+short).Lacks("What 1.0 " + b.Digest().String())
	town.Admin.Get(page + "?a=1.0&b=none").Is(http.StatusOK).Says("There is no tag or digest none")
	town.Admin.Get(page + "?a=1.0&b=arm").Is(http.StatusOK).Says("no platform in common")
}

func TestStoragePage(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	for _, tag := range []string{"1", "2", "3"} {
		client.MustPush(t, "admin/tidy", tag, registrytest.NewImage("content of "+tag))
	}
	town.CatchUp()
	const page = "/r/admin/tidy/-/storage"
	town.Bob.Get(page).Is(http.StatusNotFound)
	town.Nobody.Get("/r/admin/open/-/storage").Is(http.StatusSeeOther)
	town.Admin.Get(page).Is(http.StatusOK).Says("Tags 3", "there is no rule").Lacks("Apply it now")
	town.Admin.Post(page, "do", "preview", "keepLast", "one").Is(http.StatusUnprocessableEntity).Says("write a whole number").Lacks("What would go now")
	town.Admin.Post(page, "do", "preview", "keepLast", "1").Is(http.StatusOK).Says("2 tags", "Nothing has been deleted")
	town.Admin.Get(page).Is(http.StatusOK).Says("there is no rule", "Tags 3")
	town.Admin.Post(page, "do", "save", "keepLast", "1", "keepTags", "2").Leads(page)
	town.Admin.Get(page).Is(http.StatusOK).Says("applied regularly", "Apply it now")
	town.Bob.Post(page, "do", "run").Is(http.StatusNotFound)
	town.Admin.Post(page, "do", "run").Leads(page)
	town.Admin.Get(page).Is(http.StatusOK).Says("Tags 2")
}
