package images_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

// ready loads a page again, as it asks browsers to, until it does not any more.
func ready(t *testing.T, b *webtest.Browser, page string) *webtest.Answer {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		a := b.Get(page).Is(http.StatusOK)
		if a.Header.Get("Refresh") == "" {
			return a
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready after a minute:\n%s", page, a.Text)
		}
	}
}

// hostileName is a hostile text that can be the name of one file.
var hostileName = strings.ReplaceAll(webtest.Hostile, "/", "|")

// From an image its layers lead to their files, one directory at a time, for who may read
// a repository that holds the layer, and there only.
func TestLayerPage(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	files := []string{"etc/", "", "etc/passwd", "root", "etc/.wh.shadow", "", "opt/.wh..wh..opq", "", hostileName, "x", "turned\u202ename", "y"}
	for n := range 230 {
		files = append(files, fmt.Sprintf("many/f%03d", n), "1234567890")
	}
	layer := registrytest.TarLayer(files...)
	image := registrytest.NewImage(layer, "\x00asm module")
	client.MustPush(t, "admin/files", "1", image)
	town.CatchUp()
	digest := registrytest.Sum(layer).String()
	page := "/r/admin/files/-/layers/" + digest
	town.Admin.Get("/r/admin/files/-/tags/1").Is(http.StatusOK)
	at := "/r/admin/files/-/images/" + image.Digest().String()
	if link := page + "?of="; !strings.Contains(town.Admin.Get(at).Is(http.StatusOK).Text, link) {
		t.Errorf("%s does not lead to %s", at, link)
	}
	town.Bob.Get(page).Is(http.StatusNotFound)
	town.Nobody.Get(page).Is(http.StatusNotFound)
	town.Admin.Get("/r/admin/app/-/layers/" + digest).Is(http.StatusNotFound) // which does not hold it
	a := ready(t, town.Admin, page+"?of="+image.Digest().String())
	a.Says("Entries 237", "Kind tar+gzip", "many/", "230 files", "hides what lower layers have", hostileName, `turned\u202ename`)
	if strings.Contains(a.Text, "<script>alert") || strings.Contains(a.Text, "\u202e") {
		t.Error("a name of the layer is not shown as text")
	}
	town.Admin.Get(page+"?path=etc").Is(http.StatusOK).Says("passwd", "0644", "0:0", "4 B", "shadow", "deleted by this layer")
	first := town.Admin.Get(page+"?path=many").Is(http.StatusOK).Says("f000", "f099").Lacks("f100")
	next := regexp.MustCompile(`href="([^"]*cursor=[^"]*)"`).FindStringSubmatch(first.Text)
	if next == nil {
		t.Fatal("there is no next page")
	}
	town.Admin.Get(html.UnescapeString(next[1])).Is(http.StatusOK).Says("f100", "f199").Lacks("f099")
	town.Admin.Get(page + "?path=none").Is(http.StatusNotFound)
	ready(t, town.Admin, "/r/admin/files/-/layers/"+registrytest.Sum("\x00asm module").String()).Says("WebAssembly module")
}

// The page that compares two images compares their files when asked to.
func TestCompareFiles(t *testing.T) {
	town := webtest.NewTown(t)
	client := town.Client()
	base := registrytest.TarLayer("etc/motd", "hello", "etc/old", "12345")
	client.MustPush(t, "admin/differ", "1.0", registrytest.NewImage(base))
	client.MustPush(t, "admin/differ", "1.1", registrytest.NewImage(base, registrytest.TarLayer("etc/motd", "hello, you", "etc/.wh.old", "", hostileName, "new")))
	client.MustPush(t, "admin/differ", "same", registrytest.NewImage(base, registrytest.TarLayer("etc/motd", "hello")))
	client.MustPush(t, "admin/differ", "odd", registrytest.NewImage(base, "no archive at all"))
	town.CatchUp()
	const page = "/r/admin/differ/-/compare"
	town.Admin.Get(page + "?a=1.0&b=1.1").Is(http.StatusOK).Says("Compare the files").Lacks("/etc/motd")
	ready(t, town.Admin, page+"?a=1.0&b=1.1&files=1").Says("added (3 B), 1 removed (5 B), 1 changed (+5 B)", "/etc/motd content", "changed", "/etc/old file", "removed", hostileName, "added")
	ready(t, town.Admin, page+"?a=1.0&b=same&files=1").Says("All files are the same")
	ready(t, town.Admin, page+"?a=1.0&b=odd&files=1").Says("Not all files are known of")
	town.Admin.Get(page + "?a=1.0&b=1.0&files=1").Is(http.StatusOK).Lacks("Compare the files")
	town.Bob.Get(page + "?a=1.0&b=1.1&files=1").Is(http.StatusNotFound)
}
