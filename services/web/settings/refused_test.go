package settings_test

import (
	"net/http"
	"testing"

	"hubledger/events"
	"hubledger/services/registry/registrytest"
)

// Owners of a repository see on its access page who was refused what, and why; the person
// sees it in the audit log, unless the repository is hidden from them.
func TestRefusedLately(t *testing.T) {
	h, alice, stranger := start(t)
	alice.Post("/new", "do", "create", "namespace", "alice", "name", "app", "visibility", "private").Leads("/r/alice/app")
	alice.Post("/new", "do", "create", "namespace", "alice", "name", "open", "visibility", "public").Leads("/r/alice/open")
	as := func(name, level string) *registrytest.Client {
		c := registrytest.NewClient(h.URL)
		c.User, c.Password = name, h.Token(name, level)
		t.Cleanup(c.Close)
		return c
	}
	write := func() {
		t.Helper()
		s, _ := h.Service("registry")
		for _, job := range s.Jobs {
			if job.Name == "write down refusals" {
				if err := job.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		h.CatchUp()
	}
	image := registrytest.NewImage("content")
	outside, reading, whole := as("stranger", events.LevelAdmin), as("alice", events.LevelRead), as("alice", events.LevelAdmin)
	whole.MustPush(t, "alice/app", "1.0", image)
	alice.Get("/r/alice/app/-/access").Is(http.StatusOK).Says("No account was refused")
	for _, c := range []*registrytest.Client{outside, outside, reading} {
		c.Must(t, http.MethodPost, "/v2/alice/app/blobs/uploads/", nil)
		c.Must(t, http.MethodPost, "/v2/alice/open/blobs/uploads/", nil)
		c.Must(t, http.MethodPost, "/v2/alice/none/blobs/uploads/", nil)
	}
	outside.Must(t, http.MethodGet, "/v2/alice/app/manifests/1.0", nil)
	outside.Must(t, http.MethodHead, "/v2/alice/app/manifests/2.0", nil)
	registrytest.NewClient(h.URL).Must(t, http.MethodGet, "/v2/alice/app/manifests/1.0", nil)
	alice.Post("/r/alice/app/-/settings", "do", "policy", "immutableTags", "1.0").Leads("/r/alice/app/-/settings")
	if err := whole.Push("alice/app", "1.0", registrytest.NewImage("another")); err == nil {
		t.Error("an immutable tag was moved")
	}
	write()
	page := alice.Get("/r/alice/app/-/access").Is(http.StatusOK)
	page.Says("did not allow stranger to push to alice/app : no role allows it (2 requests)", "did not allow stranger to pull from alice/app : no role allows it",
		"did not allow alice to push to alice/app : the access token does not allow it", "did not allow alice to push to alice/app : the tag cannot be changed")
	alice.Get("/r/alice/open/-/access").Says("did not allow stranger to push to alice/open")
	// To the stranger only what the repository that everybody sees has refused.
	stranger.Get("/events?q=type:refusals.counted").Is(http.StatusOK).Says("to push to alice/open").Lacks("alice/app")
	before := h.LastSeq()
	outside.Must(t, http.MethodPost, "/v2/alice/app/blobs/uploads/", nil)
	write()
	if after := h.LastSeq(); after != before {
		t.Errorf("the same refusal was written again: %d events", after-before)
	}
}
