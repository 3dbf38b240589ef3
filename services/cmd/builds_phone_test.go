package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hubledger/services/internal/gitremote/gitremotetest"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// Somebody links a git repository, makes the repository of its images, takes the rules that the
// form proposes, watches the first build of what git push brought, and reads who did what: on a
// phone, by the keyboard alone and without scripts, with real git and BuildKit. It goes on where
// TestWalkOnAPhone of services/web ends.
func TestFirstBuildOnAPhone(t *testing.T) {
	webtest.NeedSoak(t)
	h := startBuilding(t)
	h.git = gitremotetest.New(t, "sha1")
	host := h.git.ServeHTTP(true)
	c := webtest.OpenChromium(t, &servertest.Server{T: t, URL: h.URL}, nil)
	c.Window(360, 740, false)
	c.Scripts(false)
	c.SignInByKeyboard("admin", adminPassword)

	c.Follow("A Builds", "/builds")
	c.Follow("A Link a git repository", "/sources/link")
	c.Reach("INPUT URL")
	c.Key(host.URL + "/app.git")
	c.Reach("INPUT Name, below admin/")
	c.Key("site")
	c.Reach("BUTTON Link it")
	c.Key("\r")
	c.Wait(`document.body.innerText.includes("admin/site is linked")`)
	c.Follow("A Make the repository admin/site", "/new?")
	c.Follow("BUTTON Make the repository", "/r/admin/site/-/rules?done=")
	c.Follow("BUTTON Save the rules", "/r/admin/site/-/rules?done=")

	// git push, then a look at once, for which a git host would send a webhook.
	for name, text := range map[string]string{"Dockerfile": "FROM scratch\nCOPY hello /hello\n", "hello": "hi"} {
		if err := os.WriteFile(filepath.Join(h.git.Work, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.git.Git(h.git.Work, "add", ".")
	h.git.Git(h.git.Work, "commit", "-q", "-m", "the first image")
	h.git.Push("main")
	commit := h.git.Git(h.git.Work, "rev-parse", "HEAD")
	c.Open("/sources/admin/site")
	c.Follow("BUTTON Sweep now", "/sources/admin/site")

	// The pages load again by themselves while a build goes on.
	c.Open("/builds")
	c.Wait(`document.querySelector("td.name a") || (location.reload(), false)`)
	c.Follow("A "+webtest.Run(c, chromedp.Evaluate[string](`document.querySelector("td.name a").innerText`)), "/builds/")
	c.Wait(`document.querySelector("h1").innerText.includes("succeeded")`)
	for _, said := range []string{commit, "rule main", "COPY hello /hello", "What it pushed", "docker pull ", "/admin/site:latest"} {
		if text := c.Text(); !strings.Contains(text, said) {
			t.Errorf("the build does not say %q: %s", said, text)
		}
	}
	c.Follow("A latest", "/r/admin/site/-/tags/latest")
	c.Follow("A Audit log", "/events")
	for _, said := range []string{"admin linked the git source admin/site", "admin created the repository admin/site", "admin set the build rules of admin/site", "queued build", "it succeeded, now admin/site:latest"} {
		if text := c.Text(); !strings.Contains(text, said) {
			t.Errorf("the audit log does not say %q: %s", said, text)
		}
	}
	if _, err := h.client().Pull("admin/site", "latest"); err != nil {
		t.Errorf("the image that was built cannot be pulled: %v", err)
	}
}
