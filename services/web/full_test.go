package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

// writeRefusals has the hub write down what it has refused, which it does twice a minute.
func writeRefusals(t *testing.T, hub *servertest.Server) {
	t.Helper()
	s, _ := hub.Service("registry")
	for _, job := range s.Jobs {
		if job.Name == "write down refusals" {
			if err := job.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	hub.CatchUp()
}

// refused pushes an image, which must be refused with that status and text.
func refused(t *testing.T, hub *servertest.Server, to string, status int, says string) {
	t.Helper()
	client := registrytest.NewClient(hub.URL)
	defer client.Close()
	client.User, client.Password = servertest.Admin, servertest.Password
	a := client.Must(t, http.MethodPost, "/v2/"+to+"/blobs/uploads/", nil).Want(t, status)
	if !strings.Contains(string(a.Body), says) {
		t.Errorf("a push to %s is told %s", to, a.Body)
	}
}

// Whose quota is used up reads that on the pages: before, what is used of it, and after a push
// was refused, why. What deletes goes on.
func TestQuotaIsUsedUp(t *testing.T) {
	hub := servertest.Start(t, server.Config{})
	admin := webtest.As(t, hub, servertest.Admin, servertest.Password)
	hub.Client().MustPush(t, "admin/app", "1.0", registrytest.NewImage("some content"))
	hub.CatchUp()
	const usage, access = "/n/admin/-/usage", "/r/admin/app/-/access"
	admin.Post(usage, "do", "quota", "bytes", "10", "images", "0").Leads(usage)
	admin.Get(usage).Is(http.StatusOK).Says("of 10 B")
	refused(t, hub, "admin/app", http.StatusForbidden, "the quota of admin is used up")
	writeRefusals(t, hub)
	admin.Get(access).Is(http.StatusOK).Says("did not allow admin to push to admin/app : the quota of the namespace is used up")
	admin.Get("/events?q=type:refusals.counted").Is(http.StatusOK).Says("the quota of the namespace is used up")
	tag := admin.Get("/r/admin/app/-/tags/1.0").Is(http.StatusOK).Between(`name="digest" value="`, `"`)
	admin.Post("/r/admin/app/-/tags/1.0", "do", "delete", "digest", tag).Leads("/r/admin/app/-/tags")
}

// While the disk is full up to its reserve, a form that writes is refused on its own page, with
// what was typed still there; signing in, deleting, and taking rights away go on.
func TestDiskIsFull(t *testing.T) {
	c := server.Config{Data: t.TempDir(), SecretsKeyFile: t.TempDir() + "/key"}
	t.Run("before", func(t *testing.T) {
		hub := servertest.Start(t, c)
		hub.Client().MustPush(t, "admin/app", "1.0", registrytest.NewImage("some content"))
		hub.CatchUp()
	})
	c.Reserve = 1 << 62
	hub := servertest.Start(t, c)
	admin := webtest.As(t, hub, servertest.Admin, servertest.Password)
	const full = "the disk is full up to its reserve"
	admin.Post("/r/admin/app/-/settings", "do", "readme", "readme", "What I have typed").
		Is(http.StatusInsufficientStorage).Says(full, "What I have typed")
	admin.Post("/new", "do", "create", "namespace", "admin", "name", "another", "visibility", "private").Is(http.StatusInsufficientStorage).Says(full).Between(`value="`, `another"`)
	admin.Get("/system").Is(http.StatusOK).Says("reserve")
	refused(t, hub, "admin/app", http.StatusInsufficientStorage, "reserve")
	tag := admin.Get("/r/admin/app/-/tags/1.0").Is(http.StatusOK).Between(`name="digest" value="`, `"`)
	admin.Post("/r/admin/app/-/tags/1.0", "do", "delete", "digest", tag).Leads("/r/admin/app/-/tags")
	admin.Post("/sign-out", "do", "sign-out").Leads("/")
}
