package registry_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/registry/registrytest"
)

func TestMount(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("held by an image"))
		check(t, c.PushBlob("alice/new", "held by a lease"))
		for _, content := range []string{"held by an image", "held by a lease"} {
			d := registrytest.Sum(content)
			for _, from := range []string{"alice/app", "alice/new"} {
				to := "bob/" + d.Encoded()[:8] + from[6:]
				a := c.Must(t, "POST", "/v2/"+to+"/blobs/uploads/?mount="+d.String()+"&from="+from, nil)
				if a.Status == 201 {
					created(t, a, to, d)
					wantBlob(t, c, to, content, d)
					continue
				}
				a.Want(t, 202)
				if (from == "alice/app") == (content == "held by an image") {
					t.Errorf("%s was not mounted from %s", content, from)
				}
				c.Must(t, "HEAD", "/v2/"+to+"/blobs/"+d.String(), nil).Want(t, 404)
			}
		}
		// Without from, any repository in which an image holds it.
		d := registrytest.Sum("held by an image")
		created(t, c.Must(t, "POST", "/v2/carol/app/blobs/uploads/?mount="+d.String(), nil), "carol/app", d)
		wantBlob(t, c, "carol/app", "held by an image", d)
	})
}

// What cannot be mounted becomes an upload that goes on as any other.
func TestMountThatCannotBe(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
	const content = "not there yet"
	none, there := registrytest.Sum(content).String(), registrytest.Sum("layer").String()
	for name, query := range map[string]string{
		"unknown blob":               "mount=" + none + "&from=alice/app",
		"unknown blob, without from": "mount=" + none,
		"unknown repository":         "mount=" + there + "&from=alice/none",
		"a name that cannot be":      "mount=" + there + "&from=../alice/app",
		"an empty mount of another":  "mount=" + there + "&from=bob/app",
	} {
		t.Run(name, func(t *testing.T) {
			a := c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?"+query, nil).Want(t, 202).WantHeader(t, "Range", "0-0")
			path := a.Header.Get("Location")
			c.Must(t, "HEAD", "/v2/bob/app/blobs/"+there, nil).Want(t, 404)
			c.Must(t, "PUT", path+"?digest="+none, []byte(content)).Want(t, 201)
			c.Must(t, "DELETE", "/v2/bob/app/blobs/"+none, nil).Want(t, 202)
		})
	}
	c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?mount=sha256:short", nil).WantError(t, 400, "DIGEST_INVALID")
}

// A lease can outlive its blob: what was not synced is void after a restart,
// and disks lose files. A mount then must not promise what is not there.
func TestMountOfWhatIsGone(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	const content = "lost"
	d := registrytest.Sum(content)
	check(t, c.PushBlob("alice/app", content))
	h.Restart() // Close syncs what is pending
	for _, name := range []string{"blobs/sha256/" + d.Encoded(), "pending/sha256-" + d.Encoded()} {
		if err := os.Remove(filepath.Join(h.Dir, "registry", name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	c = h.Client()
	c.Must(t, "HEAD", "/v2/alice/app/blobs/"+d.String(), nil).Want(t, 404)
	for _, query := range []string{"mount=" + d.String() + "&from=alice/app", "mount=" + d.String()} {
		c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?"+query, nil).Want(t, 202)
	}
	check(t, c.PushBlob("bob/app", content))
	wantBlob(t, c, "alice/app", content, d)
}

// The search for a repository to mount from ends by its own time, whatever it
// meets, and so tells nothing about private repositories that have the blob.
func TestMountSearchTakesItsTime(t *testing.T) {
	stuck := make(chan struct{})
	gate := &registrytest.Gate{}
	h := registrytest.Start(t, registrytest.Config{Gate: gate})
	c := h.Client()
	c.MustPush(t, "alice/secret", "v1", registrytest.NewImage("layer"))
	gate.MayIn = func(ctx context.Context, _ access.Principal, need access.Need) error {
		if need.Repository != "alice/secret" {
			return nil
		}
		close(stuck)
		<-ctx.Done()
		return &access.Denied{Status: 404, Code: "NAME_UNKNOWN", Cause: ctx.Err()}
	}
	c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?mount="+registrytest.Sum("layer").String(), nil).Want(t, 202)
	<-stuck
}
