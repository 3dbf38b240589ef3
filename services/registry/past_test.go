package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hubledger/services/internal/access"
	"hubledger/services/registry/registrytest"
)

// asOf is a tag as of an event.
func asOf(tag string, seq uint64) string { return fmt.Sprintf("%s.asof.s%d", tag, seq) }

// A tag as of an earlier event or time is pulled to its last layer, also when what it named
// was deleted since, and together with what an index names.
func TestPullAsOf(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		one := c.MustPush(t, "alice/app", "latest", registrytest.NewImage("one", "shared"))
		first, at := h.LastSeq(), time.Now()
		time.Sleep(1100 * time.Millisecond) // the times of tags have whole seconds
		arm, amd := c.MustPush(t, "alice/app", "", registrytest.NewImage("arm")), c.MustPush(t, "alice/app", "", registrytest.NewImage("amd"))
		all := c.MustPush(t, "alice/app", "latest", registrytest.NewIndex(arm, amd))
		second := h.LastSeq()
		three := c.MustPush(t, "alice/app", "latest", registrytest.NewImage("three"))
		pulls := func(ref string, want *registrytest.Image) {
			t.Helper()
			if d, err := c.Pull("alice/app", ref); err != nil || d != want.Digest() {
				t.Errorf("%s is %s, %v; wanted %s", ref, d, err, want.Digest())
			}
		}
		bySecond := "latest.asof." + at.Add(time.Second).UTC().Format("20060102T150405Z")
		pulls("latest", three)
		pulls(asOf("latest", first), one)
		pulls(asOf("latest", second), all)
		pulls(asOf("latest", h.LastSeq()), three)
		pulls(bySecond, one)

		for _, i := range []*registrytest.Image{one, arm, all} {
			c.Must(t, "DELETE", "/v2/alice/app/manifests/"+i.Digest().String(), nil).Want(t, 202)
			c.Must(t, "GET", "/v2/alice/app/manifests/"+i.Digest().String(), nil).WantError(t, 404, "MANIFEST_UNKNOWN")
		}
		h.EndLeases("alice/app")
		c.Must(t, "GET", "/v2/alice/app/blobs/"+registrytest.Sum("one").String(), nil).WantError(t, 404, "BLOB_UNKNOWN")
		c.Must(t, "HEAD", "/v2/alice/app/manifests/"+bySecond, nil).Want(t, 200).WantHeader(t, "Docker-Content-Digest", one.Digest().String())
		pulls(one.Digest().String(), one) // as containerd does: HEAD of the tag, GET of the digest
		pulls(bySecond, one)
		pulls(asOf("latest", second), all)
		// It is readable, and not there: neither in lists, nor for another name or an index.
		if got := string(c.Must(t, "GET", "/v2/alice/app/tags/list", nil).Body); strings.Contains(got, "asof") {
			t.Errorf("tags: %s", got)
		}
		c.Must(t, "GET", "/v2/bob/app/blobs/"+registrytest.Sum("one").String(), nil).Want(t, 404)
		if _, err := c.PutManifest("alice/app", "again", registrytest.NewIndex(one)); registrytest.Refused(err) != 400 {
			t.Errorf("an index of a deleted image: %v", err)
		}
		// What is readable is not swept, even where the undelete window has ended.
		if n := collect(t, h, 0); n != 0 {
			t.Errorf("swept %d blobs that are being read", n)
		}
		pulls(asOf("latest", second), all)
		// As of between the two it was there, as of now it is not.
		c.Must(t, "GET", "/v2/alice/app/manifests/"+asOf("latest", h.LastSeq()), nil).Want(t, 200)
		c.Must(t, "DELETE", "/v2/alice/app/manifests/latest", nil).Want(t, 202)
		a := c.Must(t, "GET", "/v2/alice/app/manifests/"+asOf("latest", h.LastSeq()), nil).WantError(t, 404, "MANIFEST_UNKNOWN")
		if !strings.Contains(string(a.Body), "named nothing as of event") {
			t.Errorf("%s", a.Body)
		}

		check(t, h.Leases.EndReading(t.Context()))
		swept := collect(t, h, 0)
		if swept == 0 {
			t.Fatal("nothing was swept")
		}
		a = c.Must(t, "GET", "/v2/alice/app/manifests/"+bySecond, nil).WantError(t, 404, "MANIFEST_UNKNOWN")
		if !strings.Contains(string(a.Body), fmt.Sprintf("swept by event %d", h.LastSeq())) {
			t.Errorf("%s", a.Body)
		}
		// Of the index what was not deleted can still be read.
		c.Must(t, "GET", "/v2/alice/app/manifests/"+asOf("latest", second), nil).Want(t, 200)
		pulls(amd.Digest().String(), amd)
		c.Must(t, "GET", "/v2/alice/app/manifests/"+arm.Digest().String(), nil).WantError(t, 404, "MANIFEST_UNKNOWN")
		pulls(asOf("latest", second+3), three)
	})
}

// What cannot be resolved says why.
func TestPullAsOfRefused(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{UndeleteWindow: time.Nanosecond, LeaseTerm: time.Hour})
	c := h.Client()
	one := c.MustPush(t, "alice/app", "1", registrytest.NewImage("one"))
	first := h.LastSeq()
	c.MustPush(t, "alice/app", "1", registrytest.NewImage("two"))
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+one.Digest().String(), nil).Want(t, 202)
	for _, r := range []struct {
		ref    string
		status int
		code   string
		says   string
	}{
		{"1.asof.", 400, "TAG_INVALID", "a point in time is"},
		{"1.asof.s0", 400, "TAG_INVALID", "a point in time is"},
		{"1.asof.s99999999999999999999", 400, "TAG_INVALID", "a point in time is"},
		{"1.asof.20261301T000000Z", 400, "TAG_INVALID", "a point in time is"},
		{"1.asof.yesterday", 400, "TAG_INVALID", "a point in time is"},
		{asOf("1", h.LastSeq()+1), 404, "MANIFEST_UNKNOWN", "has not happened yet"},
		{"1.asof.29991231T235959Z", 404, "MANIFEST_UNKNOWN", "has not happened yet"},
		{"1.asof.20010101T000000Z", 404, "MANIFEST_UNKNOWN", "named nothing"},
		{asOf("never", first), 404, "MANIFEST_UNKNOWN", "named nothing"},
		{asOf("1", first-1), 404, "MANIFEST_UNKNOWN", "named nothing"},
		{asOf("1", first), 404, "MANIFEST_UNKNOWN", "what was deleted is readable for"},
	} {
		a := c.Must(t, "GET", "/v2/alice/app/manifests/"+r.ref, nil).WantError(t, r.status, r.code)
		if !strings.Contains(string(a.Body), r.says) {
			t.Errorf("%s: %s does not say %q", r.ref, a.Body, r.says)
		}
	}
	for _, method := range []string{"PUT", "DELETE"} {
		a := c.Must(t, method, "/v2/alice/app/manifests/"+asOf("1", first), one.Manifest, "Content-Type", one.MediaType)
		if a.Status == 201 || a.Status == 202 {
			t.Errorf("%s of a tag as of an earlier time: %d", method, a.Status)
		}
	}
}

// Reading what was deleted takes today's rights, fills nobody's quota and opens nothing to
// a mount from nowhere.
func TestPullAsOfRights(t *testing.T) {
	gate := &registrytest.Gate{}
	h := registrytest.Start(t, registrytest.Config{Gate: gate, Quotas: &quotas{}})
	c := h.Client()
	one := c.MustPush(t, "alice/app", "1", registrytest.NewImage(strings.Repeat("x", 1000)))
	first := h.LastSeq()
	c.Must(t, "DELETE", "/v2/alice/app/manifests/"+one.Digest().String(), nil).Want(t, 202)
	h.EndLeases("alice/app")
	repo, err := h.Registry.Images.Repository(t.Context(), "alice/app")
	check(t, err)
	used := func() int64 {
		_, pending, _, err := h.Registry.QuotaUse(t.Context(), repo.Namespace, "alice")
		check(t, err)
		return pending
	}
	before := used()
	c.Must(t, "GET", "/v2/alice/app/manifests/"+asOf("1", first), nil).Want(t, 200)
	if after := used(); after != before {
		t.Errorf("reading changed what the namespace holds from %d to %d", before, after)
	}
	layer := digestsOf(one.Blobs...)[0]
	c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?mount="+layer.String(), nil).Want(t, 202)
	gate.May = func(who access.Principal, _ access.Need) error {
		if who == access.Nobody {
			return &access.Denied{Status: 401, Code: "UNAUTHORIZED", Message: "no"}
		}
		return nil
	}
	for _, path := range []string{"manifests/" + asOf("1", first), "manifests/" + one.Digest().String(), "blobs/" + layer.String()} {
		c.Must(t, "GET", "/v2/alice/app/"+path, nil).Want(t, 200)
		c.Must(t, "GET", "/v2/alice/app/"+path, nil, registrytest.AsHeader, access.Nobody.Name).Want(t, 401)
	}
}
