package settings_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hubledger/events"
	"hubledger/services/internal/account"
	"hubledger/services/server"
	"hubledger/services/server/servertest"
	"hubledger/services/web/webtest"
)

const password = "correct horse battery"

// start runs a hub with the users alice and stranger, and a browser of each.
func start(t *testing.T) (h *servertest.Server, alice, stranger *webtest.Browser) {
	h = servertest.Start(t, server.Config{})
	as := func(name string) *webtest.Browser {
		id, seq, err := account.CreateUser(t.Context(), h.Log(), servertest.By, name)
		h.Done(seq, err)
		h.Done(h.Auth().SetPassword(t.Context(), servertest.By, id, password))
		return webtest.As(t, h, name, password)
	}
	return h, as("alice"), as("stranger")
}

// A repository is made, described, opened, deleted and restored on its pages.
func TestLifeOfARepository(t *testing.T) {
	h, alice, stranger := start(t)
	const hostile = `"><script>alert(1)</script>`
	webtest.NewBrowser(t, h).Get("/new").Leads("/sign-in")
	alice.Get("/new").Is(200).Says("Make a repository", "alice")
	alice.Post("/new", "do", "create", "namespace", "alice", "name", hostile, "visibility", "private").Is(http.StatusUnprocessableEntity).
		Says("invalid name").Lacks("<script>alert(1)")
	stranger.Post("/new", "do", "create", "namespace", "alice", "name", "app", "visibility", "private").Is(http.StatusForbidden)
	alice.Post("/new", "do", "create", "namespace", "alice", "name", "app", "visibility", "private", "description", hostile).Leads("/r/alice/app")
	alice.Get("/r/alice/app").Is(200).Lacks("<script>alert(1)")

	const at = "/r/alice/app/-/settings"
	for _, path := range []string{at, "/r/alice/app/-/visibility", "/r/alice/app/-/delete", "/r/alice/app/-/access"} {
		alice.Get(path).Is(200).Lacks("<script>alert(1)")
		stranger.Get(path).Is(404)
		webtest.NewBrowser(t, h).Get(path).Is(404)
	}
	alice.Post(at, "do", "describe", "description", "An app", "topics", "go, web").Leads(at)
	alice.Post(at, "do", "describe", "description", "An app", "topics", "Not_A_Topic").Is(http.StatusUnprocessableEntity).Says("topic \"Not_A_Topic\" is not")
	alice.Post(at, "do", "preview", "readme", "# Hello\r\n"+hostile).Is(200).Says("Preview: not saved yet", "Hello").Lacks("<script>alert(1)")
	alice.Get(at).Lacks("Preview: not saved yet", "# Hello")
	alice.Post(at, "do", "readme", "readme", strings.Repeat("ü", 50_001)).Is(http.StatusUnprocessableEntity).Says("at most 100000 bytes", "these are 100,002")
	alice.Post(at, "do", "readme", "readme", "# Hello\r\n\r\nthere").Leads(at)
	if a := alice.Get(at); !strings.Contains(a.Text, "# Hello\n\nthere") {
		t.Errorf("the README: %s", a.Words())
	}
	alice.Post(at, "do", "policy", "immutableTags", "v[0-9].*\r\n\r\nrelease-.*", "sparseIndexes", "yes").Leads(at)
	if a := alice.Get(at); !strings.Contains(a.Text, "v[0-9].*\nrelease-.*") || !strings.Contains(a.Text, `value="yes" checked`) {
		t.Errorf("the policy: %s", a.Text)
	}
	alice.Post(at, "do", "policy", "immutableTags", "(").Is(http.StatusUnprocessableEntity).Says("missing closing )")

	alice.Get("/r/alice/app/-/visibility").Says("Make alice/app public", "cannot be called back")
	alice.Post("/r/alice/app/-/visibility", "do", "visibility", "visibility", "public").Leads(at)
	stranger.Get("/r/alice/app").Is(200).Lacks("/-/settings", "/-/access")
	stranger.Get(at).Is(http.StatusForbidden)
	stranger.Post(at, "do", "describe", "description", "mine").Is(http.StatusForbidden)
	stranger.Post("/r/alice/app/-/delete", "do", "delete", "confirm", "alice/app").Is(http.StatusForbidden)

	alice.Get("/r/alice/app/-/delete").Says("0 tags", " UTC, in the deleted repositories of alice", "Write alice/app to confirm")
	before := h.LastSeq()
	alice.Post("/r/alice/app/-/delete", "do", "delete", "confirm", "app").Is(http.StatusUnprocessableEntity).Says("write alice/app to confirm")
	if h.LastSeq() != before {
		t.Error("it was deleted without the name")
	}
	alice.Post("/r/alice/app/-/delete", "do", "delete", "confirm", "alice/app").Leads("/n/alice/-/trash")
	stranger.Get("/r/alice/app").Is(404)
	trash := alice.Get("/n/alice/-/trash").Is(200).Says("alice/app")
	_, id, _ := strings.Cut(trash.Text, `name="id" value="`)
	id, _, _ = strings.Cut(id, `"`)
	alice.Post("/n/alice/-/trash", "do", "restore", "id", id).Leads("/n/alice")
	stranger.Get("/r/alice/app").Is(200)
}

// The access page says who may do what and why, gives roles and takes them back.
func TestAccess(t *testing.T) {
	h, alice, stranger := start(t)
	alice.Post("/new", "do", "create", "namespace", "alice", "name", "app", "visibility", "private").Leads("/r/alice/app")
	const at = "/r/alice/app/-/access"
	alice.Get(at+"?as=stranger").Is(200).Says("alice everything owns alice", "stranger may: nothing", "For stranger there is no such repository")
	alice.Get(at + `?as="><script>alert(1)</script>`).Is(200).Says("There is no user or robot account of that name").Lacks("<script>alert(1)")
	alice.Post(at, "do", "give", "grantee", "alice", "role", "admin").Is(http.StatusUnprocessableEntity).Says("alice owns alice and may do everything there")
	alice.Post(at, "do", "give", "grantee", "team:devs", "role", "read").Is(http.StatusUnprocessableEntity).Says("no team of that name")
	alice.Post(at, "do", "give", "grantee", "stranger", "role", "write").Leads(at)
	stranger.Get("/r/alice/app").Is(200)
	then := fmt.Sprintf("as_of=s%d", h.LastSeq())
	alice.Get(at).Says("stranger pull, push, and delete images role write", "by alice")
	h.Done(account.SetStanding(t.Context(), h.Log(), servertest.By, h.Accounts(), h.Account("stranger").ID, false, true))
	alice.Get(at + "?as=stranger").Says("stranger may: nothing: disabled")
	h.Done(account.SetStanding(t.Context(), h.Log(), servertest.By, h.Accounts(), h.Account("stranger").ID, false, false))
	alice.Post(at, "do", "withdraw", "kind", events.GranteeUser, "grantee", "stranger").Leads(at)
	stranger.Get("/r/alice/app").Is(404)
	alice.Get(at+"?as=stranger&"+then).Is(200).Says("This is the past", "stranger could: pull, push", "role write", "What has changed since").Lacks(`method="post">`, "Give a role")
	alice.Get(at+"?"+then+"0000").Is(http.StatusUnprocessableEntity).Says("has not happened yet", "Give a role").Lacks("This is the past")
}
