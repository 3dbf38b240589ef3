package images_test

import (
	"net/http"
	"strings"
	"testing"

	"hubledger/services/web/webtest"
)

// Relative links of a README lead to where the image says that it was made of, and its pictures
// are links to them.
func TestReadmePage(t *testing.T) {
	town := webtest.NewTown(t)
	const page = "/r/admin/app"
	town.Call(http.MethodPatch, "/repositories/admin/app", map[string]any{"readme": "[the guide](docs/guide.md) ![logo](img/logo.png) ![badge](https://badges.example/a.svg)\n\n    code\n"})
	town.Admin.Get(page).Is(http.StatusOK).Says("the guide").Lacks("docs/guide.md", "<img")
	commit := strings.Repeat("0123456789", 4)
	town.Client().MustPush(t, "admin/app", "latest", configured(`{"os":"linux","architecture":"amd64","config":{"Labels":{"org.opencontainers.image.source":"https://github.com/acme/app","org.opencontainers.image.revision":"`+commit+`"}}}`, "layer"))
	town.CatchUp()
	a := town.Admin.Get(page).Is(http.StatusOK).Says("the guide", "logo", "badge").Lacks("<img")
	for _, want := range []string{`href="https://github.com/acme/app/blob/` + commit + `/docs/guide.md"`, `href="https://github.com/acme/app/raw/` + commit + `/img/logo.png"`, `href="https://badges.example/a.svg"`, `<pre tabindex="0">`} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("the page lacks %s: %s", want, a.Between(`<article class="prose">`, `</article>`))
		}
	}
}

// An image is deleted on its page, by those who may delete, and restored from the trash.
func TestDeleteImage(t *testing.T) {
	town := webtest.NewTown(t)
	page, trash := "/r/admin/app/-/images/"+town.App.Digest().String(), "/r/admin/app/-/trash"
	town.Admin.Get(page).Is(http.StatusOK).Says("Delete this image", "Its 2 tags go with it")
	town.Bob.Post(page, "do", "delete").Is(http.StatusNotFound)
	town.Call(http.MethodPut, "/repositories/admin/app/grants/user/bob", map[string]any{"role": "read"})
	town.Bob.Get(page).Is(http.StatusOK).Lacks("Delete this image")
	town.Bob.Post(page, "do", "delete").Is(http.StatusForbidden)
	town.Alice.Post(page, "do", "delete").Leads(trash)
	town.Alice.Get(page).Is(http.StatusNotFound)
	town.Alice.Post(page, "do", "delete").Is(http.StatusNotFound)
	town.Alice.Get(trash).Is(http.StatusOK).Says("the image, and", "1.0", "latest")
	town.Alice.Post(trash, "do", "restore", "image", town.App.Digest().String()).Is(http.StatusSeeOther)
	town.Alice.Get(page).Is(http.StatusOK)
	town.Call(http.MethodPut, "/repositories/admin/app/policy", map[string]any{"immutableTags": []string{"1.*"}, "sparseIndexes": false})
	town.Alice.Post(page, "do", "delete").Is(http.StatusConflict).Says("immutable")
}
