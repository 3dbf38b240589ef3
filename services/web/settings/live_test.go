package settings_test

import (
	"os"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/web/webtest"
)

// The page of an empty repository says how to push, and turns into the repository's when
// the push has come.
func TestEmptyRepositoryFills(t *testing.T) {
	if os.Getenv("HUBLEDGER_SOAK") == "" {
		t.Skip("HUBLEDGER_SOAK is not set: Chromium takes some seconds")
	}
	town := webtest.NewTown(t)
	c := webtest.OpenChromium(t, town.Server, town.Admin)
	for _, path := range []string{"/r/acme/empty", "/n/bob"} {
		c.Open(path)
		c.Wait(`document.querySelector("main").innerText.includes("Push the first image")`)
		town.Client().MustPush(t, map[string]string{"/r/acme/empty": "acme/empty", "/n/bob": "bob/first"}[path], "1", registrytest.NewImage(path))
		c.Wait(`!document.querySelector("main").innerText.includes("Push the first image")`)
		if errors := c.Errors(); len(errors) > 0 {
			t.Errorf("%s: %v", path, errors)
		}
	}
}
