package cmd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// testContainerd pushes and pulls with the requests that containerd makes
// (core/remotes/docker): one POST and one PUT for a blob; then HEAD of the tag,
// GET by digest, and blobs by ranges, which it resumes where they broke off.
func testContainerd(t *testing.T, h *hubProcess) {
	l := newLayout(t, "containerd")
	base := h.URL + "/v2/erin/service"
	expect := func(what string, r reply, status int) reply {
		t.Helper()
		if r.status != status {
			t.Fatalf("%s: %d, want %d\n%s", what, r.status, status, r.body)
		}
		return r
	}
	manifests := map[digest.Digest]bool{l.index: true, l.images["amd64"].Digest: true, l.images["arm64"].Digest: true}
	for d, content := range l.blobs {
		if manifests[d] {
			continue
		}
		expect("HEAD of a new blob", ask(t, "HEAD", base+"/blobs/"+d.String(), nil, nil), http.StatusNotFound)
		begun := expect("POST", ask(t, "POST", base+"/blobs/uploads/", nil, nil), http.StatusAccepted)
		to := location(t, begun)
		q := to.Query()
		q.Set("digest", d.String())
		to.RawQuery = q.Encode()
		done := expect("PUT", ask(t, "PUT", to.String(), bytes.NewReader(content), http.Header{"Content-Type": {"application/octet-stream"}}), http.StatusCreated)
		same(t, "digest of the upload", done.header.Get("Docker-Content-Digest"), d.String())
	}
	push := func(ref, mediaType string, content []byte) {
		t.Helper()
		r := expect("PUT manifest", ask(t, "PUT", base+"/manifests/"+ref, bytes.NewReader(content), http.Header{"Content-Type": {mediaType}}), http.StatusCreated)
		same(t, "digest of the manifest", r.header.Get("Docker-Content-Digest"), digest.FromBytes(content).String())
	}
	for _, image := range l.images {
		push(image.Digest.String(), v1.MediaTypeImageManifest, l.blobs[image.Digest])
	}
	push("1", v1.MediaTypeImageIndex, l.blobs[l.index])

	resolved := head(t, h, "erin/service", "1")
	same(t, "resolved digest", resolved.header.Get("Docker-Content-Digest"), l.index.String())
	same(t, "resolved type", resolved.header.Get("Content-Type"), v1.MediaTypeImageIndex)
	same(t, "resolved size", resolved.header.Get("Content-Length"), strconv.Itoa(len(l.blobs[l.index])))
	for d, content := range l.blobs {
		if manifests[d] {
			same(t, "manifest by digest", string(get(t, base+"/manifests/"+d.String(), http.StatusOK).body), string(content))
			continue
		}
		url := base + "/blobs/" + d.String()
		half := len(content) / 2
		first := expect("the first half", ask(t, "GET", url, nil, http.Header{"Range": {fmt.Sprintf("bytes=0-%d", half-1)}}), http.StatusPartialContent)
		rest := expect("the rest", ask(t, "GET", url, nil, http.Header{"Range": {fmt.Sprintf("bytes=%d-", half)}}), http.StatusPartialContent)
		same(t, "its range", rest.header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", half, len(content)-1, len(content)))
		same(t, "both halves", string(first.body)+string(rest.body), string(content))
	}

	// A layer that another repository of the registry has is mounted, not uploaded.
	shared := digest.FromBytes(zipped(t, tarOf(t, "shared.txt", "shared by containerd")))
	other := h.URL + "/v2/erin/other"
	expect("mount", ask(t, "POST", other+"/blobs/uploads/?mount="+shared.String()+"&from=erin/service", nil, nil), http.StatusCreated)
	same(t, "mounted blob", string(get(t, other+"/blobs/"+shared.String(), http.StatusOK).body), string(l.blobs[shared]))
	expect("a blob nobody pushed there", ask(t, "GET", other+"/blobs/"+digest.FromString("none").String(), nil, nil), http.StatusNotFound)
}

// location is the Location of an answer; it may be relative (RFC 9110, 10.2.2).
func location(t testing.TB, r reply) *url.URL {
	t.Helper()
	to, err := r.url.Parse(r.header.Get("Location"))
	if err != nil || r.header.Get("Location") == "" {
		t.Fatalf("Location %q: %v", r.header.Get("Location"), err)
	}
	return to
}
