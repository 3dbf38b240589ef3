package registry_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/registrytest"
)

// referrers asks for the manifests that refer to a digest.
func referrers(t *testing.T, c *registrytest.Client, repo string, d digest.Digest, query string) ([]v1.Descriptor, *registrytest.Answer) {
	t.Helper()
	a := c.Must(t, "GET", "/v2/"+repo+"/referrers/"+d.String()+query, nil).Want(t, 200).WantHeader(t, "Content-Type", v1.MediaTypeImageIndex)
	var index v1.Index
	check(t, json.Unmarshal(a.Body, &index))
	if index.SchemaVersion != 2 || index.MediaType != v1.MediaTypeImageIndex || index.Manifests == nil {
		t.Fatalf("%s: not an index with a list: %s", a.Request, a.Body)
	}
	return index.Manifests, a
}

func TestReferrers(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		subject := registrytest.NewImage("subject")
		of := func(i *registrytest.Image) *v1.Descriptor { d := i.Descriptor(); return &d }
		sbom := registrytest.With(func(m *v1.Manifest) {
			m.Subject, m.ArtifactType = of(subject), "application/x.sbom+json"
			m.Annotations = map[string]string{"by": "the <builder> & \u0000"}
		}, "sbom")
		signature := registrytest.With(func(m *v1.Manifest) {
			m.Subject = of(subject)
			m.Config.MediaType = "application/x.signature.config"
		}, "signature")
		bundle := registrytest.NewIndex()
		bundle.Manifest = registrytest.JSON(map[string]any{"schemaVersion": 2, "mediaType": bundle.MediaType, "manifests": []any{},
			"subject": of(subject), "annotations": map[string]string{"kind": "bundle"}})
		list, _ := referrers(t, c, "alice/app", subject.Digest(), "")
		if len(list) != 0 {
			t.Fatalf("an unknown repository has referrers: %v", list)
		}
		// The subject comes later.
		for _, i := range []*registrytest.Image{sbom, signature, bundle} {
			a := push(t, c, "alice/app", i)
			a.WantHeader(t, "Oci-Subject", subject.Digest().String())
		}
		c.Must(t, "HEAD", "/v2/alice/app/manifests/"+subject.Digest().String(), nil).Want(t, 404)
		want := []v1.Descriptor{
			{MediaType: sbom.MediaType, Digest: sbom.Digest(), Size: int64(len(sbom.Manifest)), ArtifactType: "application/x.sbom+json", Annotations: map[string]string{"by": "the <builder> & \u0000"}},
			{MediaType: signature.MediaType, Digest: signature.Digest(), Size: int64(len(signature.Manifest)), ArtifactType: "application/x.signature.config"},
			{MediaType: bundle.MediaType, Digest: bundle.Digest(), Size: int64(len(bundle.Manifest)), Annotations: map[string]string{"kind": "bundle"}},
		}
		slices.SortFunc(want, func(a, b v1.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
		for range 2 { // before the subject is there, and after
			list, a := referrers(t, c, "alice/app", subject.Digest(), "")
			if string(registrytest.JSON(list)) != string(registrytest.JSON(want)) {
				t.Fatalf("referrers are\n%s, want\n%s", registrytest.JSON(list), registrytest.JSON(want))
			}
			a.WantHeader(t, "Oci-Filters-Applied", "")
			push(t, c, "alice/app", subject).WantHeader(t, "Oci-Subject", "")
		}
		for kind, n := range map[string]int{"application/x.sbom+json": 1, "application/x.signature.config": 1, "application/x.none": 0} {
			for _, written := range []string{url.QueryEscape(kind), kind} { // some clients do not escape the +
				list, a := referrers(t, c, "alice/app", subject.Digest(), "?artifactType="+written)
				a.WantHeader(t, "Oci-Filters-Applied", "artifactType")
				if len(list) != n || n == 1 && list[0].ArtifactType != kind {
					t.Errorf("filtered by %s: %v", written, list)
				}
			}
		}
		if list, _ := referrers(t, c, "bob/app", subject.Digest(), "?artifactType=x"); len(list) != 0 {
			t.Errorf("another repository has them too: %v", list)
		}
		// A deleted referrer goes; the subject's deletion changes nothing.
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+subject.Digest().String(), nil).Want(t, 202)
		c.Must(t, "DELETE", "/v2/alice/app/manifests/"+sbom.Digest().String(), nil).Want(t, 202)
		if list, _ := referrers(t, c, "alice/app", subject.Digest(), ""); len(list) != 2 {
			t.Errorf("after a deletion: %v", list)
		}
		c.Must(t, "GET", "/v2/alice/app/referrers/latest", nil).WantError(t, 400, "DIGEST_INVALID")
		c.Must(t, "GET", "/v2/ALICE/app/referrers/"+subject.Digest().String(), nil).WantError(t, 400, "NAME_INVALID")
	})
}

// push pushes by digest and returns the answer to the manifest.
func push(t testing.TB, c *registrytest.Client, repo string, i *registrytest.Image) *registrytest.Answer {
	t.Helper()
	for _, content := range i.Blobs {
		check(t, c.PushBlob(repo, content))
	}
	a, err := c.PutManifest(repo, "", i)
	check(t, err)
	return a
}

// A long list comes in pages that a Link header leads through, filtered or not.
func TestReferrersInPages(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	subject := registrytest.NewImage("subject").Descriptor()
	long := strings.Repeat("x", 1<<20)
	want := map[string][]string{}
	for k := range 9 {
		kind := "application/x." + []string{"sbom", "signature", "sbom"}[k%3]
		img := push(t, c, "alice/app", registrytest.With(func(m *v1.Manifest) {
			m.Subject, m.ArtifactType, m.Annotations = &subject, kind, map[string]string{"long": long}
		}, itoa(k))).Header.Get("Docker-Content-Digest")
		want[kind] = append(want[kind], img)
		want[""] = append(want[""], img)
	}
	for kind, digests := range want {
		path, query := "/v2/alice/app/referrers/"+subject.Digest.String(), ""
		if kind != "" {
			query = "?artifactType=" + url.QueryEscape(kind)
		}
		slices.Sort(digests)
		var got []string
		requests := 0
		for next := path + query; next != ""; requests++ {
			a := c.Must(t, "GET", next, nil).Want(t, 200)
			if kind != "" {
				a.WantHeader(t, "Oci-Filters-Applied", "artifactType")
			}
			if len(a.Body) > 6<<20 {
				t.Fatalf("a page of %d bytes", len(a.Body))
			}
			var index v1.Index
			check(t, json.Unmarshal(a.Body, &index))
			for _, d := range index.Manifests {
				got = append(got, d.Digest.String())
			}
			next = ""
			if m := nextLink.FindStringSubmatch(a.Header.Get("Link")); m != nil {
				next = m[1]
			}
			if requests > len(digests) {
				t.Fatal("pages without end")
			}
		}
		if !slices.Equal(got, digests) || kind == "" && requests < 2 {
			t.Errorf("%q: %d requests gave %v, want %v", kind, requests, got, digests)
		}
	}
	c.Must(t, "GET", "/v2/alice/app/referrers/"+subject.Digest.String()+"?last=x", nil).WantError(t, 400, "DIGEST_INVALID")
}
