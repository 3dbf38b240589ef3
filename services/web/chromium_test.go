package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

// An open page follows the log: the first-run page turns into the repository that was
// pushed, and the audit log shows what has happened, by nobody's hand.
func TestPagesFollowTheLog(t *testing.T) {
	webtest.NeedSoak(t)
	town := webtest.NewTown(t)
	bob := webtest.OpenChromium(t, town.Server, town.Bob)
	bob.Open("/")
	if text := bob.Text(); text == "" {
		t.Fatal("the page is empty")
	}
	admin := webtest.OpenChromium(t, town.Server, town.Admin)
	admin.Open("/events?q=type:image.pushed")
	client := town.Client()
	client.MustPush(t, "admin/fresh", "new", registrytest.NewImage("pushed while the page is open"))
	town.Call("PATCH", "/repositories/admin/fresh", map[string]any{"visibility": "public"})
	admin.Wait(`document.body.innerText.includes("admin/fresh")`)
	client.MustPush(t, "admin/fresh", "newer", registrytest.NewImage("and another"))
	admin.Wait(`document.body.innerText.includes("admin/fresh:newer")`)
	for _, c := range []*webtest.Chromium{bob, admin} {
		for _, e := range c.Errors() {
			t.Error(e)
		}
	}
}

// By the keyboard alone: / goes to the box, what is written there is found, ? lists keys.
func TestKeys(t *testing.T) {
	webtest.NeedSoak(t)
	town := webtest.NewTown(t)
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	c.Open("/")
	webtest.Run(c, chromedp.KeyEvent("/"))
	webtest.Run(c, chromedp.KeyEvent("admin/app:1.0\r"))
	c.Wait(`location.pathname === "/r/admin/app/-/tags/1.0" && document.readyState === "complete"`)
	webtest.Run(c, chromedp.KeyEvent("y"))
	c.Wait(`location.pathname.startsWith("/r/admin/app/-/images/sha256") && document.readyState === "complete"`)
	webtest.Run(c, chromedp.KeyEvent("?"))
	c.Wait(`location.pathname === "/keys"`)
}

// With scripts turned off a person signs in by the form of the page.
func TestSignInWithoutScripts(t *testing.T) {
	webtest.NeedSoak(t)
	town := webtest.NewTown(t)
	c := webtest.OpenChromium(t, town.Server, nil)
	c.Scripts(false)
	c.Open("/sign-in?next=/keys")
	webtest.Run(c, chromedp.SendKeys("#f-name", "alice"))
	webtest.Run(c, chromedp.SendKeys("#f-password", "the password of alice\r"))
	c.Wait(`location.pathname === "/keys"`)
	c.Open("/sign-out")
	if text := c.Text(); text == "" {
		t.Error("the page to sign out is empty")
	}
}

// A form that can be tried says what would come of it while one types, and what is wrong with it;
// nothing is changed.
func TestTriedWhileOneTypes(t *testing.T) {
	webtest.NeedSoak(t)
	town := webtest.NewTown(t)
	town.AddGit()
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	last := town.LastSeq()
	c.Open("/r/admin/app/-/rules")
	webtest.Run(c, chromedp.SendKeys("#f-refs", "main"))
	c.Wait(`document.querySelector("#tried li") && document.querySelector("#tried").innerText.includes("main")`)
	webtest.Run(c, chromedp.SendKeys("#f-rules", "nonsense:"))
	c.Wait(`document.querySelector("#tried .wrong")`)
	c.Open("/r/admin/app/-/storage")
	webtest.Run(c, chromedp.SendKeys("#f-keepLast", "1"))
	c.Wait(`document.querySelector("#tried").innerText.includes("What would go now")`)
	town.CatchUp()
	if now := town.LastSeq(); now != last {
		t.Errorf("trying led to %d events", now-last)
	}
	for _, e := range c.Errors() {
		if !strings.Contains(e, "422") { // the browser tells its console of a refusal, too
			t.Error(e)
		}
	}
}
