package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// focused is what has the focus, as people would call it.
const focused = `(e => e.tagName + " " + (e.getAttribute("aria-label") || e.innerText || (e.labels && e.labels[0] && e.labels[0].innerText) || e.name || "").replace(/\s+/g, " ").trim())(document.activeElement)`

// seen says whether what has the focus is in the window and marked.
const seen = `(e => { const r = e.getBoundingClientRect(), s = getComputedStyle(e);
	return r.bottom > 0 && r.top < innerHeight && (s.outlineStyle !== "none" || s.boxShadow !== "none") })(document.activeElement)`

// Somebody who has not read anything signs in on an empty hub, finds the image that was
// pushed by the commands of the first page, gives a colleague access, deletes a tag and undoes it,
// reads who did what, and links a git repository: on a phone, by the keyboard alone and without scripts.
func TestWalkOnAPhone(t *testing.T) {
	webtest.NeedSoak(t)
	hub := servertest.Start(t, server.Config{})
	c := webtest.OpenChromium(t, hub, nil)
	c.Window(360, 740, false)
	c.Scripts(false)
	key := func(keys string) { t.Helper(); webtest.Run(c, chromedp.KeyEvent(keys)) }
	to := func(name string) { // goes on by the tabulator
		t.Helper()
		for range 150 {
			key("\t")
			if strings.Contains(webtest.Run(c, chromedp.Evaluate[string](focused)), name) {
				if !webtest.Run(c, chromedp.Evaluate[bool](seen)) {
					t.Errorf("the focus on %q is not seen", name)
				}
				return
			}
		}
		t.Fatalf("%q is not reached by the keyboard; the page says %s", name, c.Text())
	}
	follow := func(name, leads string) {
		t.Helper()
		to(name)
		key("\r")
		c.Wait(`document.readyState === "complete" && (location.pathname + location.search).includes("` + leads + `")`)
		for _, wide := range c.Sideways() {
			t.Errorf("%s scrolls sideways: %s", leads, wide)
		}
	}

	c.Open("/")
	follow("A Sign in", "/sign-in")
	to("INPUT Login name")
	key(servertest.Admin)
	to("INPUT Password")
	key(servertest.Password + "\r")
	c.Wait(`document.readyState === "complete" && location.pathname === "/"`)
	for _, command := range []string{"docker login", "docker tag", "docker push"} {
		to("CODE " + command)
	}
	hub.Client().MustPush(t, "admin/busybox", "latest", registrytest.NewImage("layer"))
	webtest.As(t, hub, servertest.Admin, servertest.Password).Post("/users", "do", "create", "name", "bob")
	hub.CatchUp()
	c.Open("/")
	to("INPUT Find")
	key("admin/busybox\r")
	c.Wait(`document.readyState === "complete" && location.pathname === "/r/admin/busybox"`)
	follow("A Access", "/-/access")
	to("INPUT Who")
	key("bob")
	follow("Give the role", "?done=")
	follow("A Tags", "/-/tags")
	to("Select latest")
	key(" ")
	follow("Delete the selected", "/-/delete-tags?tag=latest")
	follow("Delete 1 tag", "/-/tags?done=")
	follow("Undo: restore latest", "/-/trash?done=")
	follow("A Audit log", "/events")
	for _, said := range []string{"admin restored the tag admin/busybox:latest", "admin deleted the tag admin/busybox:latest", "admin granted bob the role read on admin/busybox", "admin pushed admin/busybox:latest"} {
		if text := c.Text(); !strings.Contains(text, said) {
			t.Errorf("the audit log does not say %q: %s", said, text)
		}
	}
	c.Open("/n/admin/sources")
	follow("Link a git repository", "/sources/link")
	to("INPUT URL")
	key("https://git.invalid/busybox.git")
	to("INPUT Name, below admin/")
	key("busybox")
	to("Link it")
	key("\r")
	c.Wait(`document.body.innerText.includes("admin/busybox is linked")`)
	follow("the rules of admin/busybox", "/r/admin/busybox/-/rules")
}
