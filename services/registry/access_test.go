package registry_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/registry/registrytest"
)

// Every route declares what it needs, and asks for exactly that before it
// looks at anything: whoever is refused leaves nothing behind and learns
// nothing but the refusal.
func TestRoutesNeedWhatTheyDeclare(t *testing.T) {
	t.Parallel()
	var asked []access.Need
	refusal := &access.Denied{Status: 401, Code: "UNAUTHORIZED", Message: "log in first", Challenge: `Bearer realm="x"`, RetryAfter: 1500 * time.Millisecond}
	h := registrytest.Start(t, registrytest.Config{Gate: &registrytest.Gate{}})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
	upload := begin(t, c, "alice/app")
	h.Gate.May = func(_ access.Principal, need access.Need) error {
		asked = append(asked, need)
		return refusal
	}
	before := h.Traces()
	levels := map[string]access.Level{"GET": access.Read, "HEAD": access.Read, "PUT": access.Write, "POST": access.Write, "PATCH": access.Write, "DELETE": access.Delete}
	routes := h.Registry.Service().Routes
	if len(routes) < 14 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, route := range routes {
		what := route.Method + " " + route.Pattern
		level := levels[route.Method]
		if strings.HasSuffix(route.Pattern, "/uploads/{id}") {
			level = access.Write
		}
		want := access.Need{Repository: "{name}", Level: level}
		switch {
		case route.Pattern == "/v2/":
			want, level = access.Need{}, access.None
		case route.Pattern == "/v2/_catalog":
			want, level = access.Need{Catalog: true}, access.None
		}
		if route.Permission == access.Undeclared || route.Permission.Level() != level {
			t.Errorf("%s declares permission %d, of level %d, not %d", what, route.Permission, route.Permission.Level(), level)
		}
		for _, name := range []string{"alice/app", "alice/none", "Bad//Name"} {
			path := strings.NewReplacer("{name...}", name, "{reference}", "1.0", "{digest}", image.Digest().String(),
				"{id}", upload[strings.LastIndexByte(upload, '/')+1:]).Replace(route.Pattern)
			asked = nil
			a := c.Must(t, route.Method, path, []byte("body"))
			a.Want(t, 401).WantHeader(t, "Www-Authenticate", refusal.Challenge).WantHeader(t, "Retry-After", "2")
			if route.Method != "HEAD" {
				a.WantError(t, 401, "UNAUTHORIZED")
			}
			if want.Repository != "" {
				want.Repository = name
			}
			if len(asked) != 1 || asked[0] != want {
				t.Errorf("%s of %s asked for %+v, not %+v", what, name, asked, want)
			}
		}
	}
	if after := h.Traces(); after != before {
		t.Errorf("refused requests left behind\n%s\nbefore\n%s", after, before)
	}
}

// Methods that no route has tell nothing and ask nobody.
func TestUnknownMethods(t *testing.T) {
	t.Parallel()
	gate := &registrytest.Gate{May: func(access.Principal, access.Need) error { return fmt.Errorf("asked") }}
	c := registrytest.Start(t, registrytest.Config{Gate: gate}).Client()
	c.Must(t, "PATCH", "/v2/alice/app/manifests/1.0", nil).WantError(t, 405, "UNSUPPORTED").WantHeader(t, "Allow", "GET, HEAD, PUT, DELETE")
	c.Must(t, "GET", "/v2/alice/app/something/1.0", nil).WantError(t, 404, "NAME_UNKNOWN")
}

// byName lets each read and write what begins with their name, and everybody
// read what is below "open/".
func byName(who access.Principal, need access.Need) error {
	if strings.HasPrefix(need.Repository, who.Name+"/") || need.Level == access.Read && strings.HasPrefix(need.Repository, "open/") || need.Repository == "" {
		return nil
	}
	return &access.Denied{Status: 404, Code: "NAME_UNKNOWN", Message: "no"}
}

// The event of what somebody does has their name.
func TestActorIsThePrincipal(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{Gate: &registrytest.Gate{May: byName}})
	c := h.Client()
	c.As = "alice"
	c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
	c.Must(t, "DELETE", "/v2/alice/app/manifests/1.0", nil).Want(t, 202)
	for _, e := range h.Events() {
		if e.Actor() != "alice" {
			t.Errorf("%s by %s", e.Type(), e.Actor())
		}
	}
	c.As = "bob"
	c.Must(t, "GET", "/v2/alice/app/tags/list", nil).WantError(t, 404, "NAME_UNKNOWN")
}

// A mount opens nothing that its principal may not read, and its answer is the
// same as for what is not there.
func TestMountNeedsRead(t *testing.T) {
	onEach(t, registrytest.Config{Gate: &registrytest.Gate{May: byName}}, func(t *testing.T, h *registrytest.Hub) {
		bob, open, alice := h.Client(), h.Client(), h.Client()
		bob.As, open.As, alice.As = "bob", "open", "alice"
		bob.MustPush(t, "bob/app", "1.0", registrytest.NewImage("secret", "shared"))
		check(t, bob.PushBlob("bob/new", "leased secret"))
		open.MustPush(t, "open/app", "1.0", registrytest.NewImage("shared"))
		for _, row := range []struct {
			content, query string
			mounted        bool
		}{
			{"secret", "&from=bob/app", false}, {"secret", "", false}, {"leased secret", "&from=bob/new", false}, {"leased secret", "", false},
			{"nowhere", "&from=bob/app", false}, {"nowhere", "", false}, {"shared", "&from=bob/app", false},
			{"shared", "&from=open/app", true}, {"shared", "", true},
		} {
			d := registrytest.Sum(row.content)
			name := "alice/" + registrytest.Sum(row.content + row.query).Encoded()[:8]
			a := alice.Must(t, "POST", "/v2/"+name+"/blobs/uploads/?mount="+d.String()+row.query, nil)
			status := http.StatusAccepted
			if row.mounted {
				status = http.StatusCreated
			}
			a.Want(t, status)
			has, err := alice.HasBlob(name, d)
			check(t, err)
			if has != row.mounted {
				t.Errorf("%s%s: can be read: %v", row.content, row.query, has)
			}
		}
	})
}

// The catalog is each one's own, also when somebody else has just asked.
func TestCatalogIsOnesOwn(t *testing.T) {
	onEach(t, registrytest.Config{Gate: &registrytest.Gate{}}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		for _, name := range []string{"alice/app", "alice/other", "bob/app", "bob/secret", "carol/a", "zoe/app"} {
			c.MustPush(t, name, "1.0", registrytest.NewImage("layer"))
		}
		id := func(name string) access.Visible {
			repo, err := h.Registry.Images.Repository(t.Context(), name)
			check(t, err)
			return access.Visible{Namespaces: []string{repo.Namespace}, Repositories: []string{repo.ID}}
		}
		h.SetVisibility("carol/a", "public")
		h.SetVisibility("zoe/app", "public")
		sees := map[string]access.Visible{
			"admin":     {All: true},
			"limited":   {All: true, Only: []string{"bob/app", "alice/app", "no/such"}},
			"anonymous": {Public: true},
			"alice":     {Public: true, Namespaces: id("alice/app").Namespaces},
			"guest":     {Public: true, Repositories: append(id("bob/app").Repositories, id("alice/other").Repositories...)},
			"token":     {Public: true, Namespaces: id("alice/app").Namespaces, Only: []string{"alice/app", "bob/app", "zoe/app"}},
			"nobody":    {},
		}
		h.Gate.Sees = func(p access.Principal) access.Visible { return sees[p.Name] }
		want := map[string][]string{
			"admin":     {"alice/app", "alice/other", "bob/app", "bob/secret", "carol/a", "zoe/app"},
			"limited":   {"alice/app", "bob/app"},
			"anonymous": {"carol/a", "zoe/app"},
			"alice":     {"alice/app", "alice/other", "carol/a", "zoe/app"},
			"guest":     {"alice/other", "bob/app", "carol/a", "zoe/app"},
			"token":     {"alice/app", "zoe/app"},
			"nobody":    nil,
		}
		ask := func() {
			t.Helper()
			for range 2 {
				for who := range sees {
					c.As = who
					for _, n := range []string{"1", "2", "100"} {
						got := slices.Concat(pages(t, c, "/v2/_catalog?n="+n, "repositories")...)
						if !slices.Equal(got, want[who]) {
							t.Errorf("%s sees %q with n=%s, not %q", who, got, n, want[who])
						}
					}
				}
			}
		}
		ask()
		h.SetVisibility("carol/a", "private")
		_, err := h.Registry.DeleteRepository(t.Context(), registrytest.By, "bob/app")
		check(t, err)
		for who, names := range want {
			want[who] = slices.DeleteFunc(names, func(name string) bool {
				return name == "bob/app" || name == "carol/a" && who != "admin"
			})
		}
		ask()
	})
}

// What a push creates is private unless the operator chose otherwise.
func TestDefaultVisibility(t *testing.T) {
	t.Parallel()
	for configured, want := range map[string]string{"": "private", "public": "public"} {
		h := registrytest.Start(t, registrytest.Config{DefaultVisibility: configured})
		h.Client().MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
		var e struct{ Visibility string }
		check(t, json.Unmarshal(h.Events()[1].Data, &e))
		if e.Visibility != want {
			t.Errorf("%q makes a repository %q", configured, e.Visibility)
		}
	}
}

// One account cannot have uploads open without end, and others are not bound by it.
func TestUploadsOfOneAccount(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{MaxUploads: 2}).Client()
	c.As = "alice"
	first := begin(t, c, "alice/app")
	begin(t, c, "alice/other")
	c.Must(t, "POST", "/v2/alice/app/blobs/uploads/", nil).WantError(t, 429, "TOOMANYREQUESTS").WantHeader(t, "Retry-After", "60")
	c.Must(t, "PUT", strings.Replace(first, "/app/", "/other/", 1)+"?digest="+registrytest.Sum("x").String(), []byte("x")).Want(t, 404)
	c.Must(t, "POST", "/v2/alice/app/blobs/uploads/", nil).Want(t, 429)
	c.As = "bob"
	begin(t, c, "bob/app")
	c.As = "alice"
	c.Must(t, "PUT", first+"?digest="+registrytest.Sum("x").String(), []byte("x")).Want(t, 201)
	again := begin(t, c, "alice/app")
	c.Must(t, "DELETE", again, nil).Want(t, 204)
	begin(t, c, "alice/app")
	c.Must(t, "POST", "/v2/alice/app/blobs/uploads/", nil).Want(t, 429)
}
