package registry_test

import (
	"errors"
	"strings"
	"testing"

	"hubledger/projections/images"
	"hubledger/services/internal/command"
	"hubledger/services/internal/image"
	"hubledger/services/registry/registrytest"
)

// What the hub attaches to an image is a referrer of it, once, in a full namespace too,
// where it counts. It goes with the image, and nothing is attached to what is gone.
func TestAttach(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c, ctx := h.Client(), t.Context()
		m := c.MustPush(t, "alice/app", "v1", registrytest.NewImage("layer"))
		q := &quotas{}
		q.images.Store(1)
		h.Registry.Quotas = q
		by := command.By{Source: "/test", Actor: "system", Cause: "0191d1a0-0000-7000-8000-000000000001"}
		a := image.Artifact{Type: "application/vnd.example.note", Content: []byte("it is good"), Annotations: map[string]string{"org.example": "x"}}
		d, err := h.Registry.Attach(ctx, by, "alice/app", m.Digest(), a)
		check(t, err)
		before := len(h.Events())
		if last := h.Events()[before-1]; last.Type() != "image.pushed.v1" || last.Cause() != by.Cause || last.Source() != "/test" {
			t.Errorf("the log has %s by %s because of %s", last.Type(), last.Source(), last.Cause())
		}
		again, err := h.Registry.Attach(ctx, by, "alice/app", m.Digest(), a)
		if err != nil || again != d || len(h.Events()) != before {
			t.Errorf("attached again it is %s, not %s, %v, and there are %d events, not %d", again, d, err, len(h.Events()), before)
		}
		list := string(c.Must(t, "GET", "/v2/alice/app/referrers/"+m.Digest().String()+"?artifactType="+a.Type, nil).Want(t, 200).Body)
		for _, want := range []string{d.String(), `"artifactType":"application/vnd.example.note"`, `"org.example":"x"`} {
			if !strings.Contains(list, want) {
				t.Errorf("the referrers %s have no %s", list, want)
			}
		}
		if _, err := c.Pull("alice/app", d.String()); err != nil {
			t.Error(err)
		}
		if err := c.Push("alice/app", "v2", registrytest.NewImage("other")); err == nil {
			t.Error("the namespace is full, and takes an image")
		}
		if _, err := h.Registry.Attach(ctx, by, "alice/app", d, image.Artifact{Type: a.Type}); err == nil {
			t.Error("nothing can be attached")
		}
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+m.Digest().String(), nil).Want(t, 202)
		gone := func(name string) {
			t.Helper()
			before := len(h.Events())
			if _, err := h.Registry.Attach(ctx, by, name, m.Digest(), a); !errors.Is(err, images.ErrNotFound) || len(h.Events()) != before {
				t.Errorf("attached to %s: %v", name, err)
			}
		}
		gone("alice/app")
		gone("alice/none")
		check(t, second(h.Registry.DeleteRepository(ctx, registrytest.By, "alice/app")))
		gone("alice/app")
	})
}
