package registry_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"hubledger/services/registry/manifest"
	"hubledger/services/registry/registrytest"
)

// What is refused leaves no repository, tag, lease, event or file behind.
func TestBadInputLeavesNothing(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "1", registrytest.NewImage("layer"))
	good, kind := image.Manifest, image.MediaType
	d, other := image.Digest().String(), registrytest.Sum("other").String()
	big := append(bytes.Repeat([]byte(" "), manifest.MaxSize), good...)
	edited := func(edit func(m *v1.Manifest)) []byte { return registrytest.With(edit, "layer").Manifest }
	for _, row := range []struct {
		name         string
		method, path string
		body         []byte
		kind         string
		status       int
		code         string
	}{
		{"digest of other content", "PUT", "alice/app/manifests/" + other, good, kind, 400, "DIGEST_INVALID"},
		{"digest that is none", "PUT", "alice/app/manifests/sha256:123", good, kind, 400, "DIGEST_INVALID"},
		{"digest in capitals", "PUT", "alice/app/manifests/" + strings.ToUpper(d), good, kind, 400, "DIGEST_INVALID"},
		{"unknown algorithm", "PUT", "alice/app/manifests/sha384:" + strings.Repeat("0", 96), good, kind, 400, "DIGEST_INVALID"},
		{"tag with a bad first letter", "PUT", "alice/app/manifests/.hidden", good, kind, 400, "TAG_INVALID"},
		{"tag with a space", "PUT", "alice/app/manifests/a%20b", good, kind, 400, "TAG_INVALID"},
		{"tag too long", "PUT", "alice/app/manifests/" + strings.Repeat("x", 129), good, kind, 400, "TAG_INVALID"},
		{"tag for time travel", "PUT", "alice/app/manifests/1.asof.20261101", good, kind, 400, "TAG_INVALID"},
		{"empty tag", "PUT", "alice/app/manifests/", good, kind, 400, "TAG_INVALID"},
		{"name in capitals", "PUT", "Alice/app/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"name with a double slash", "PUT", "alice//app/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"name too long", "PUT", "alice/" + strings.Repeat("x", 200) + "/manifests/1", good, kind, 404, "NAME_UNKNOWN"},
		{"reserved name", "PUT", "users/app/manifests/1", good, kind, 404, "NAME_UNKNOWN"},
		{"empty name", "PUT", "/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"name that climbs", "PUT", "../../etc/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"name that climbs, encoded", "PUT", "%2e%2e/%2e%2e/etc/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"name with an encoded slash that climbs", "PUT", "alice%2f..%2f..%2fetc/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"name with a NUL", "PUT", "alice/%00/manifests/1", good, kind, 400, "NAME_INVALID"},
		{"too large", "PUT", "alice/app/manifests/2", big, kind, 413, "MANIFEST_INVALID"},
		{"empty", "PUT", "alice/app/manifests/2", nil, kind, 400, "MANIFEST_INVALID"},
		{"not JSON", "PUT", "alice/app/manifests/2", []byte("<manifest/>"), kind, 400, "MANIFEST_INVALID"},
		{"JSON and more", "PUT", "alice/app/manifests/2", append(good[:len(good):len(good)], "{}"...), kind, 400, "MANIFEST_INVALID"},
		{"a JSON list", "PUT", "alice/app/manifests/2", []byte("[]"), kind, 400, "MANIFEST_INVALID"},
		{"a JSON null", "PUT", "alice/app/manifests/2", []byte("null"), kind, 400, "MANIFEST_INVALID"},
		{"type that is not the manifest's", "PUT", "alice/app/manifests/2", good, v1.MediaTypeImageIndex, 400, "MANIFEST_INVALID"},
		{"type that is no manifest", "PUT", "alice/app/manifests/2", good, "application/json", 400, "MANIFEST_INVALID"},
		{"type that cannot be read", "PUT", "alice/app/manifests/2", good, ";;", 400, "MANIFEST_INVALID"},
		{"no type at all", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.MediaType = "" }), "", 400, "MANIFEST_INVALID"},
		{"unknown type", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.MediaType = "text/plain" }), "text/plain", 400, "MANIFEST_INVALID"},
		{"schema 1", "PUT", "alice/app/manifests/2", []byte(`{"schemaVersion":1,"name":"alice/app","tag":"2","fsLayers":[]}`), "application/vnd.docker.distribution.manifest.v1+json", 400, "MANIFEST_INVALID"},
		{"schema 1, signed", "PUT", "alice/app/manifests/2", []byte(`{"schemaVersion":1,"signatures":[]}`), "application/vnd.docker.distribution.manifest.v1+prettyjws", 400, "MANIFEST_INVALID"},
		{"no config", "PUT", "alice/app/manifests/2", []byte(`{"schemaVersion":2,"layers":[]}`), kind, 400, "MANIFEST_INVALID"},
		{"image and index", "PUT", "alice/app/manifests/2", bytes.Replace(good, []byte(`"layers"`), []byte(`"manifests":[],"layers"`), 1), kind, 400, "MANIFEST_INVALID"},
		{"layer whose digest is none", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.Layers[0].Digest = "sha256:../../etc/passwd" }), kind, 400, "DIGEST_INVALID"},
		{"layer without a digest", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.Layers[0].Digest = "" }), kind, 400, "DIGEST_INVALID"},
		{"layer of negative size", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.Layers[0].Size = -1 }), kind, 400, "MANIFEST_INVALID"},
		{"subject whose digest is none", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.Subject = &v1.Descriptor{Digest: "x"} }), kind, 400, "DIGEST_INVALID"},
		{"layer of other size", "PUT", "alice/app/manifests/2", edited(func(m *v1.Manifest) { m.Layers[0].Size++ }), kind, 400, "MANIFEST_INVALID"},
		{"unknown blob", "PUT", "alice/app/manifests/2", registrytest.NewImage("not there").Manifest, kind, 400, "MANIFEST_BLOB_UNKNOWN"},
		{"blobs of another repository", "PUT", "bob/app/manifests/2", good, kind, 400, "MANIFEST_BLOB_UNKNOWN"},
		{"blob of other content", "POST", "alice/app/blobs/uploads/?digest=" + other, []byte("something"), "", 400, "DIGEST_INVALID"},
		{"blob whose digest is none", "POST", "alice/app/blobs/uploads/?digest=latest", []byte("x"), "", 400, "DIGEST_INVALID"},
		{"blob of an empty digest", "POST", "alice/app/blobs/uploads/?digest=", []byte("x"), "", 400, "DIGEST_INVALID"},
		{"blob of an algorithm we lack", "POST", "alice/app/blobs/uploads/?digest=md5:d41d8cd98f00b204e9800998ecf8427e", nil, "", 400, "DIGEST_INVALID"},
		{"upload under a bad name", "POST", "Alice/app/blobs/uploads/", nil, "", 400, "NAME_INVALID"},
		{"upload that climbs", "POST", "../x/blobs/uploads/", nil, "", 400, "NAME_INVALID"},
		{"upload nobody began", "PUT", "alice/app/blobs/uploads/0191d1a0-0000-4000-8000-000000000000?digest=" + other, []byte("other"), "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"upload id that is garbage", "PATCH", "alice/app/blobs/uploads/garbage", []byte("x"), "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"upload id that climbs", "PATCH", "alice/app/blobs/uploads/..", []byte("x"), "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"upload id that climbs, encoded", "PATCH", "alice/app/blobs/uploads/%2e%2e%2fblobs", []byte("x"), "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"upload id with a NUL", "PATCH", "alice/app/blobs/uploads/%00", []byte("x"), "", 400, "NAME_INVALID"},
		{"blob path that climbs", "DELETE", "alice/app/blobs/sha256:..%2f..", nil, "", 400, "DIGEST_INVALID"},
		{"deletion of what is not there", "DELETE", "alice/app/manifests/none", nil, "", 404, "MANIFEST_UNKNOWN"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := h.Traces()
			a := c.Must(t, row.method, "/v2/"+row.path, row.body, "Content-Type", row.kind).WantError(t, row.status, row.code)
			if strings.Contains(string(a.Body), h.Dir) {
				t.Errorf("the answer tells where we keep things: %s", a.Body)
			}
			if after := h.Traces(); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		})
	}
	if got := pages(t, c, "/v2/_catalog", "repositories"); len(got) != 1 || len(got[0]) != 1 {
		t.Errorf("repositories: %q", got)
	}
	if got := pages(t, c, "/v2/alice/app/tags/list", "tags"); len(got) != 1 || len(got[0]) != 1 {
		t.Errorf("tags: %q", got)
	}
}

func TestManifestTooLargeWithoutALength(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	before := h.Traces()
	body := io.MultiReader(strings.NewReader(strings.Repeat(" ", manifest.MaxSize)), strings.NewReader("{}"))
	a, err := c.Stream("PUT", "/v2/alice/app/manifests/1", body, "Content-Type", v1.MediaTypeImageManifest)
	check(t, err)
	a.WantError(t, 413, "MANIFEST_INVALID")
	if after := h.Traces(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// The largest manifest that has to be accepted.
func TestManifestOfFullSize(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	image := registrytest.NewImage("layer")
	image.Manifest = append(image.Manifest, bytes.Repeat([]byte("\n"), manifest.MaxSize-len(image.Manifest))...)
	c.MustPush(t, "alice/app", "1", image)
	c.Must(t, "GET", "/v2/alice/app/manifests/1", nil).Want(t, 200).WantBody(t, string(image.Manifest))
}

// raw sends bytes as they are, ends its side of the connection, and reads an answer.
func raw(t *testing.T, h *registrytest.Hub, method, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	check(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = conn.Write([]byte(request))
	check(t, err)
	check(t, conn.(*net.TCPConn).CloseWrite())
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	check(t, err)
	return res
}

// A body that ends before its Content-Length.
func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	const content = "half of this gets lost"
	d := registrytest.Sum(content).String()
	half := func(method, path string, whole []byte, headers string) *http.Response {
		t.Helper()
		return raw(t, h, method, fmt.Sprintf("%s /v2/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", method, path, headers, len(whole), whole[:len(whole)/2]))
	}
	before := h.Traces()
	if res := half("POST", "alice/app/blobs/uploads/?digest="+d, []byte(content), ""); res.StatusCode != 400 {
		t.Errorf("blob by POST: %s", res.Status)
	}
	image := registrytest.NewImage("layer")
	if res := half("PUT", "alice/app/manifests/1", image.Manifest, "Content-Type: "+image.MediaType+"\r\n"); res.StatusCode != 400 {
		t.Errorf("manifest: %s", res.Status)
	}
	if after := h.Traces(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	// Of an upload stays what arrived, for the client to go on with.
	path := begin(t, c, "alice/app")
	if res := half("PUT", strings.TrimPrefix(path, "/v2/")+"?digest="+d, []byte(content), ""); res.StatusCode != 400 {
		t.Errorf("blob by PUT: %s", res.Status)
	}
	c.Must(t, "HEAD", "/v2/alice/app/blobs/"+d, nil).Want(t, 404)
	c.Must(t, "GET", path, nil).Want(t, 204).WantHeader(t, "Range", "0-"+itoa(len(content)/2-1))
	created(t, c.Must(t, "PUT", path+"?digest="+d, []byte(content[len(content)/2:])), "alice/app", registrytest.Sum(content))
}

// Paths as no HTTP library would send them.
func TestRawPaths(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	before := h.Traces()
	for _, path := range []string{
		"/v2/../../etc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd", "/v2/..%2f..%2fetc%2fpasswd", `/v2/..\..\etc\passwd`,
		"/v2/alice/app/blobs/../../../operations.db", "/v2/alice/app/manifests/../../../../etc/passwd",
		"/v2/alice/app/blobs/uploads/../../../../etc/passwd", "/v2/alice/app/blobs/sha256:" + strings.Repeat("../", 20) + "etc/passwd",
		"//v2/alice/app/manifests/1", "/v2//manifests/", "/v2/manifests/x", "/v2/tags/list", "/v2/blobs/uploads/", "*", "/v2/a/manifests/%ff%fe",
	} {
		for _, method := range []string{"GET", "PUT", "PATCH", "POST", "DELETE"} {
			res := raw(t, h, method, method+" "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Type: "+v1.MediaTypeImageManifest+"\r\n\r\nx")
			if res.StatusCode < 400 || res.StatusCode >= 500 {
				t.Errorf("%s %s: %s", method, path, res.Status)
			}
		}
	}
	if after := h.Traces(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}
