package web_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/web/webtest"
)

// People who want more contrast, colours of their own or no motion, who have a very large screen,
// or who print a page, get one that is made for that. HUBLEDGER_SHOTS is a folder for the pictures.
func TestLooks(t *testing.T) {
	if os.Getenv("HUBLEDGER_SHOTS") == "" {
		webtest.NeedSoak(t)
	}
	axe := readAxe(t)
	town := webtest.NewTown(t)
	town.AddGit()
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	pages := map[string]string{"home": "/", "tags": "/r/admin/app/-/tags", "image": "/r/admin/app/-/images/" + town.App.Digest().String(), "build": "/builds/" + town.Git.Failed, "events": "/events", "rules": "/r/admin/app/-/rules"}
	for _, look := range []struct {
		name          string
		width, height int64
		medium        string
		set           []string
		holds         map[string]string // what must be true, by what is wrong if not
	}{
		{"more-contrast", 1280, 800, "", []string{"prefers-contrast", "more"}, map[string]string{
			"muted text is as dark as other text": `getComputedStyle(document.querySelector("footer")).color === getComputedStyle(document.body).color`}},
		{"more-contrast-dark", 1280, 800, "", []string{"prefers-contrast", "more", "prefers-color-scheme", "dark"}, nil},
		{"forced-colours", 1280, 800, "", []string{"forced-colors", "active"}, map[string]string{
			"only the tab of the page is underlined":           `[...document.querySelectorAll(".tabs a")].every(a => (getComputedStyle(a).borderBottomColor !== getComputedStyle(document.body).backgroundColor) === a.hasAttribute("aria-current"))`,
			"the section of the page is marked without shadow": `[...document.querySelectorAll("nav.main a[aria-current]")].every(a => getComputedStyle(a).textDecorationLine === "underline")`}},
		{"still", 1280, 800, "", []string{"prefers-reduced-motion", "reduce"}, map[string]string{
			"nothing moves": `document.getAnimations().length === 0`}},
		{"4k", 3840, 2160, "", nil, map[string]string{
			"text grows with the screen": `parseFloat(getComputedStyle(document.body).fontSize) >= 24`}},
		{"print", 794, 1123, "print", []string{"prefers-color-scheme", "dark"}, map[string]string{
			"what is to be pressed is not printed": `[...document.querySelectorAll("header.top, .tabs, main button, main .button")].every(e => e.offsetParent === null)`,
			"paper is white":                       `getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)"`,
			"logs are printed whole":               `[...document.querySelectorAll(".log, .scroll")].every(e => getComputedStyle(e).overflowX === "visible")`}},
	} {
		c.Window(look.width, look.height, false)
		c.Media(look.medium, look.set...)
		for name, page := range pages {
			c.Open(page)
			for _, e := range append(c.Errors(), c.Sideways()...) {
				t.Errorf("%s, %s: %s", look.name, page, e)
			}
			for rule, is := range look.holds {
				if !webtest.Run(c, chromedp.Evaluate[bool](is)) {
					t.Errorf("%s, %s: it is not so that %s", look.name, page, rule)
				}
			}
			for _, v := range c.Axe(axe) {
				if v.Impact == "serious" || v.Impact == "critical" {
					t.Errorf("%s, %s: %s %s: %s: %s", look.name, page, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, " | "))
				}
			}
			if folder := os.Getenv("HUBLEDGER_SHOTS"); folder != "" {
				if err := os.WriteFile(filepath.Join(folder, name+"-"+look.name+".png"), c.Shot(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
