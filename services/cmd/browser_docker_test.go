package cmd

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// A day of a developer in Chromium, with real docker: a token is made by a form and docker logs in
// with it; the first-run page becomes the repository by itself when docker has pushed; the image is found; many tags are
// deleted after a preview, and that is undone; and the audit log goes on when the hub was restarted.
func TestDeveloperInChromium(t *testing.T) {
	webtest.NeedSoak(t)
	h := startHub(t)
	c := webtest.OpenChromium(t, &servertest.Server{T: t, URL: h.URL}, nil)
	evaluate := func(script string) string {
		t.Helper()
		return webtest.Run(c, chromedp.Evaluate[string](script))
	}
	c.SignInByKeyboard("admin", adminPassword)

	c.Open("/users/admin/tokens")
	webtest.Run(c, chromedp.SendKeys("#f-name", "laptop"))
	evaluate(`document.querySelector("#f-level").value = "write"`)
	webtest.Run(c, chromedp.Click("button[value=create]"))
	c.Wait(`document.querySelector(".note.good .copy code")`)
	d := docker(t, credentialsOf(t, h, "admin", evaluate(`document.querySelector(".note.good .copy code").innerText`))...)

	repo := h.Addr + "/admin/hello"
	c.Open("/")
	for _, command := range []string{"docker login " + h.Addr + " -u admin", "docker tag busybox " + h.Addr + "/admin/busybox", "docker push " + h.Addr + "/admin/busybox"} {
		if text := c.Text(); !strings.Contains(text, command) {
			t.Errorf("the first-run page does not have %q: %s", command, text)
		}
	}
	dockerBuild(t, d, "hello "+unique(), repo+":1.0")
	d.run(t, "push", repo+":1.0")
	c.Wait(`document.querySelector("td.name a[href='/r/admin/hello']")`)
	for _, tag := range []string{"1.1", "1.2", "2.0"} {
		d.run(t, "tag", repo+":1.0", repo+":"+tag)
	}
	d.run(t, "push", repo+":1.1")
	d.run(t, "push", repo+":1.2")

	c.Key("/")
	c.Key("hel\r")
	c.Wait(`location.pathname === "/find" && document.querySelector("td.name a[href='/r/admin/hello']")`)

	c.Open("/r/admin/hello/-/tags?q=1.")
	webtest.Run(c, chromedp.Click("a[href*='delete-tags?q=']"))
	c.Wait(`location.pathname.endsWith("/delete-tags") && document.body.innerText.includes("3 tags will be deleted")`)
	webtest.Run(c, chromedp.Click("main form button.danger"))
	c.Wait(`location.pathname.endsWith("/-/tags") && location.search.includes("done=")`)
	if text := c.Text(); !strings.Contains(text, "No tag yet") {
		t.Errorf("after the deletion the page says %s", text)
	}
	webtest.Run(c, chromedp.Click("button[value=restore]"))
	c.Wait(`location.pathname.endsWith("/-/trash") && location.search.includes("done=")`)
	c.Open("/r/admin/hello/-/tags")
	for _, tag := range []string{"1.0", "1.1", "1.2"} {
		c.Wait(`document.querySelector("td.name a[href='/r/admin/hello/-/tags/` + tag + `']")`)
	}
	for _, e := range c.Errors() {
		t.Error(e)
	}

	c.Open("/events?q=type:image.")
	h.Restart()
	d.run(t, "push", repo+":2.0")
	c.Wait(`document.body.innerText.includes("admin/hello:2.0")`)
	if twice := evaluate(`(list => list.filter((n, k) => list.indexOf(n) !== k).join(" "))([...document.querySelectorAll("td.seq")].map(e => e.innerText))`); twice != "" {
		t.Errorf("the audit log shows twice: %s", twice)
	}
}
