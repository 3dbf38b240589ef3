package webtest

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// focused is what has the focus, as people would call it.
const focused = `(e => e.tagName + " " + (e.getAttribute("aria-label") || e.innerText || (e.labels && e.labels[0] && e.labels[0].innerText) || e.name || "").replace(/\s+/g, " ").trim())(document.activeElement)`

// seen says whether what has the focus is in the window and marked.
const seen = `(e => { const r = e.getBoundingClientRect(), s = getComputedStyle(e);
	return r.bottom > 0 && r.top < innerHeight && (s.outlineStyle !== "none" || s.boxShadow !== "none") })(document.activeElement)`

// Key presses keys: a text, or one of chromedp's kb.
func (c *Chromium) Key(keys string) {
	c.T.Helper()
	Run(c, chromedp.KeyEvent(keys))
}

// Reach goes on by the tabulator to what has name in what it is called, such as "A Tags" or
// "INPUT Password". What has the focus then must be in the window and marked.
func (c *Chromium) Reach(name string) {
	c.T.Helper()
	for range 150 {
		c.Key("\t")
		if strings.Contains(Run(c, chromedp.Evaluate[string](focused)), name) {
			if !Run(c, chromedp.Evaluate[bool](seen)) {
				c.T.Errorf("the focus on %q is not seen", name)
			}
			return
		}
	}
	c.T.Fatalf("%q is not reached by the keyboard; the page says %s", name, c.Text())
}

// Follow reaches a link or a button, presses it, and waits for another page, whose address has
// leads. That page must not scroll sideways.
func (c *Chromium) Follow(name, leads string) {
	c.T.Helper()
	c.Reach(name)
	Run(c, chromedp.Evaluate[chromedp.Void](`document.documentElement.dataset.left = "yes"; 0`))
	c.Key("\r")
	c.Wait(`!document.documentElement.dataset.left`)
	c.Arrive(leads)
}

// Arrive waits for the page whose address has that part, which must not scroll sideways.
func (c *Chromium) Arrive(address string) {
	c.T.Helper()
	c.Wait(`document.readyState === "complete" && (location.pathname + location.search).includes("` + address + `")`)
	for _, wide := range c.Sideways() {
		c.T.Errorf("%s scrolls sideways: %s", address, wide)
	}
}

// SignInByKeyboard signs in by the form of the page.
func (c *Chromium) SignInByKeyboard(name, password string) {
	c.T.Helper()
	c.Open("/")
	c.Follow("A Sign in", "/sign-in")
	c.Reach("INPUT Login name")
	c.Key(name)
	c.Reach("INPUT Password")
	c.Key(password + "\r")
	c.Wait(`document.readyState === "complete" && location.pathname === "/"`)
}
