package api_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/internal/apitypes"
	"hubledger/services/registry/registrytest"
	"hubledger/services/server/servertest"
)

// tagged pushes images of their own by these tags to a repository of the administrator.
func (k *kit) tagged(client *registrytest.Client, repo string, tags ...string) {
	k.t.Helper()
	for n, tag := range tags {
		client.MustPush(k.t, repo, tag, registrytest.NewImage(strings.Repeat(tag, n+1)))
	}
	k.CatchUp()
}

func names(list []apitypes.Tag) string {
	var all []string
	for _, t := range list {
		all = append(all, t.Name)
	}
	return strings.Join(all, " ")
}

// Orders and the filter are of the whole list, whatever its pages.
func TestTagOrders(t *testing.T) {
	k := start(t)
	k.tokens["admin"] = k.Token(servertest.Admin, "admin")
	k.tagged(k.Client(), "admin/app", "1.9", "1.10", "latest", "1.2")
	const list = "/api/v1/repositories/admin/app/tags"
	k.do("", "GET", list, nil).want(404)
	for query, want := range map[string]string{
		"":                     "1.10 1.2 1.9 latest",
		"?sort=version":        "1.10 1.9 1.2 latest",
		"?sort=pushed":         "1.2 latest 1.10 1.9",
		"?sort=pushed&q=1.":    "1.2 1.10 1.9",
		"?q=AT":                "latest",
		"?q=%25":               "",
		"?sort=size":           "latest 1.2 1.10 1.9",
		"?sort=pulls&q=1&":     "1.10 1.2 1.9",
		"?sort=version&q=none": "",
	} {
		var page apitypes.List[apitypes.Tag]
		k.do("admin", "GET", list+query, nil).want(200).into(&page)
		if names(page.Items) != want || query != "" && page.Total != len(page.Items) {
			t.Errorf("%s: %q of %d, want %q", query, names(page.Items), page.Total, want)
		}
		// The same by pages of one.
		at, got := list+query+map[bool]string{true: "?", false: "&"}[query == ""]+"limit=1", ""
		for at != "" {
			var page apitypes.List[apitypes.Tag]
			k.do("admin", "GET", at, nil).want(200).into(&page)
			got, at = strings.TrimSpace(got+" "+names(page.Items)), page.Next
		}
		if got != want {
			t.Errorf("%s by pages: %q, want %q", query, got, want)
		}
	}
	k.do("admin", "GET", list+"?sort=color", nil).want(422)
	k.do("admin", "GET", list+"?sort=version&cursor=x", nil).want(422)
	// A tag that goes between two pages does not hide the one behind it.
	var page apitypes.List[apitypes.Tag]
	k.do("admin", "GET", list+"?sort=version&limit=2", nil).want(200).into(&page)
	k.do("admin", "DELETE", list+"/1.10", nil).want(200)
	var rest apitypes.List[apitypes.Tag]
	k.do("admin", "GET", page.Next, nil).want(200).into(&rest)
	if names(rest.Items) != "1.2 latest" {
		t.Errorf("behind 1.9: %q", names(rest.Items))
	}
}

func TestTagMarks(t *testing.T) {
	k := start(t)
	k.tokens["admin"] = k.Token(servertest.Admin, "admin")
	client := k.Client()
	image := registrytest.NewImage("layer")
	for _, tag := range []string{"1.0", "latest"} {
		client.MustPush(t, "admin/app", tag, image)
	}
	client.MustPush(t, "admin/app", strings.Replace(image.Digest().String(), ":", "-", 1)+".sig", registrytest.NewImage("signature"))
	other := registrytest.NewImage("another layer")
	client.MustPush(t, "admin/app", "other", other)
	k.CatchUp()
	k.do("admin", "PUT", "/api/v1/repositories/admin/app/policy", object{"immutableTags": []string{`[0-9.]+`}, "sparseIndexes": false}).want(200)
	of := func(tag string) (v apitypes.Tag) {
		k.do("admin", "GET", "/api/v1/repositories/admin/app/tags/"+tag, nil).want(200).into(&v)
		return v
	}
	if v := of("1.0"); !v.Immutable || !v.Signed || fmt.Sprint(v.Same) != "[latest]" || v.Seq == 0 || v.ArtifactType != v1.MediaTypeImageConfig {
		t.Errorf("1.0: %+v", v)
	}
	if v := of("other"); v.Immutable || v.Signed || len(v.Same) != 0 || v.From != nil {
		t.Errorf("other: %+v", v)
	}
	client.MustPush(t, "admin/app", "", registrytest.With(func(m *v1.Manifest) {
		d := other.Descriptor()
		m.ArtifactType, m.Subject = "application/vnd.dev.sigstore.bundle.v0.3+json", &d
	}, "bundle"))
	k.CatchUp()
	if !of("other").Signed {
		t.Error("a bundle of signatures beside an image makes it not signed")
	}
}

// BenchmarkTags lists a page of a repository with 10,000 tags.
func BenchmarkTags(b *testing.B) {
	k := start(b)
	k.tokens["admin"] = k.Token(servertest.Admin, "admin")
	client := k.Client()
	var tags []string
	for n := range 10_000 {
		tags = append(tags, fmt.Sprintf("1.%d.%d", n/100, n%100))
	}
	image := registrytest.NewImage("layer")
	client.MustPush(b, "admin/app", "latest", image)
	for n, tag := range tags {
		if n%10 == 0 {
			image = registrytest.NewImage(tag)
		}
		client.MustPush(b, "admin/app", tag, image)
	}
	k.CatchUp()
	for _, query := range []string{"?sort=version", "?sort=pushed", "?sort=size", "?sort=pulls", "?sort=version&q=.77", "?sort=name"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				k.do("admin", "GET", "/api/v1/repositories/admin/app/tags"+query+"&limit=50", nil).want(200)
			}
		})
	}
}
