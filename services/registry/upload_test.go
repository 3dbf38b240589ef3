package registry_test

import (
	"io"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/registry/registrytest"
)

// begin opens an upload and returns its path.
func begin(t testing.TB, c *registrytest.Client, repo string) string {
	t.Helper()
	a := c.Must(t, "POST", "/v2/"+repo+"/blobs/uploads/", nil).Want(t, 202).WantHeader(t, "Range", "0-0")
	path := a.Header.Get("Location")
	id := a.Header.Get("Docker-Upload-Uuid")
	if id == "" || path != "/v2/"+repo+"/blobs/uploads/"+id {
		t.Fatalf("Location %q, upload %q", path, id)
	}
	return path
}

// wantBlob pulls a blob and compares it.
func wantBlob(t testing.TB, c *registrytest.Client, repo, content string, d digest.Digest) {
	t.Helper()
	c.Must(t, "GET", "/v2/"+repo+"/blobs/"+d.String(), nil).Want(t, 200).WantBody(t, content).WantHeader(t, "Docker-Content-Digest", d.String())
}

// created checks the answer to a finished upload.
func created(t testing.TB, a *registrytest.Answer, repo string, d digest.Digest) {
	t.Helper()
	a.Want(t, 201).WantHeader(t, "Location", "/v2/"+repo+"/blobs/"+d.String()).WantHeader(t, "Docker-Content-Digest", d.String())
}

func TestUpload(t *testing.T) {
	t.Parallel()
	const repo, content = "alice/app", "the whole content of a blob"
	for _, way := range []struct {
		name   string
		upload func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer
	}{
		{"monolithic POST", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			return c.Must(t, "POST", "/v2/"+repo+"/blobs/uploads/?digest="+d.String(), []byte(content))
		}},
		{"POST without a slash", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			return c.Must(t, "POST", "/v2/"+repo+"/blobs/uploads?digest="+d.String(), []byte(content))
		}},
		{"POST then PUT", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			return c.Must(t, "PUT", begin(t, c, repo)+"?digest="+d.String(), []byte(content))
		}},
		{"POST then PUT of unknown length", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			a, err := c.Stream("PUT", begin(t, c, repo)+"?digest="+d.String(), io.MultiReader(strings.NewReader(content)))
			check(t, err)
			return a
		}},
		{"streamed PATCH", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			path := begin(t, c, repo)
			a, err := c.Stream("PATCH", path, io.MultiReader(strings.NewReader(content)))
			check(t, err)
			a.Want(t, 202).WantHeader(t, "Range", "0-"+itoa(len(content)-1)).WantHeader(t, "Location", path)
			return c.Must(t, "PUT", path+"?digest="+d.String(), nil)
		}},
		{"chunks", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			path := begin(t, c, repo)
			c.Must(t, "PATCH", path, []byte(content[:10]), "Content-Range", "0-9").Want(t, 202).WantHeader(t, "Range", "0-9").WantHeader(t, "Location", path)
			c.Must(t, "GET", path, nil).Want(t, 204).WantHeader(t, "Range", "0-9").WantHeader(t, "Location", path)
			c.Must(t, "PATCH", path, []byte(content[10:15]), "Content-Range", "10-14").Want(t, 202).WantHeader(t, "Range", "0-14")
			c.Must(t, "PATCH", path, []byte(content[15:]), "Content-Range", "15-"+itoa(len(content)-1)).Want(t, 202)
			return c.Must(t, "PUT", path+"?digest="+d.String(), nil)
		}},
		{"last chunk in the PUT", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			path := begin(t, c, repo)
			c.Must(t, "PATCH", path, []byte(content[:10]), "Content-Range", "0-9").Want(t, 202)
			return c.Must(t, "PUT", path+"?digest="+d.String(), []byte(content[10:]), "Content-Range", "10-"+itoa(len(content)-1))
		}},
		{"chunks of RFC 9110's form", func(t *testing.T, c *registrytest.Client, d digest.Digest) *registrytest.Answer {
			path := begin(t, c, repo)
			c.Must(t, "PATCH", path, []byte(content), "Content-Range", "bytes 0-"+itoa(len(content)-1)+"/*").Want(t, 202)
			return c.Must(t, "PUT", path+"?digest="+d.String(), nil)
		}},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			h := registrytest.Start(t, registrytest.Config{})
			c := h.Client()
			for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
				d := algorithm.FromString(content)
				created(t, way.upload(t, c, d), repo, d)
				wantBlob(t, c, repo, content, d)
				c.Must(t, "GET", "/v2/other/repo/blobs/"+d.String(), nil).Want(t, 404)
			}
			if h.LastSeq() != 0 {
				t.Error("an upload alone is no event")
			}
		})
	}
}

func TestUploadOfNothing(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	d := digest.FromString("")
	created(t, c.Must(t, "PUT", begin(t, c, "alice/app")+"?digest="+d.String(), nil), "alice/app", d)
	wantBlob(t, c, "alice/app", "", d)
	created(t, c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+d.String(), nil), "alice/app", d)
}

// A chunk that does not follow the last one is refused, says where the upload
// stands, and leaves it as it was.
func TestChunkOutOfOrder(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	const content = "0123456789abcdef"
	d := digest.FromString(content)
	path := begin(t, c, "alice/app")
	c.Must(t, "PATCH", path, []byte("56"), "Content-Range", "5-6").WantError(t, 416, "BLOB_UPLOAD_INVALID").
		WantHeader(t, "Location", path).WantHeader(t, "Range", "0-0")
	c.Must(t, "PATCH", path, []byte(content[:10]), "Content-Range", "0-9").Want(t, 202)
	for _, row := range []struct{ method, path, body, at string }{
		{"PATCH", path, "0123456789", "0-9"},                         // again
		{"PATCH", path, "9", "9-9"},                                  // overlaps
		{"PATCH", path, "bcdef", "11-15"},                            // leaves a gap
		{"PUT", path + "?digest=" + d.String(), "bcdef", "11-15"},    // the last one too
		{"PUT", path + "?digest=" + d.String(), "0123456789", "0-9"}, // or the first
	} {
		c.Must(t, row.method, row.path, []byte(row.body), "Content-Range", row.at).WantError(t, 416, "BLOB_UPLOAD_INVALID").
			WantHeader(t, "Location", path).WantHeader(t, "Range", "0-9")
	}
	for _, row := range []struct{ method, path, body, at string }{
		{"PATCH", path, "abcdef", "10-14"}, // says one byte too few
		{"PATCH", path, "abcdef", "10-16"}, // one too many
		{"PATCH", path, "abcdef", "10"},
		{"PATCH", path, "abcdef", "-10-15"},
		{"PATCH", path, "abcdef", "15-10"},
		{"PATCH", path, "abcdef", "a-f"},
		{"PATCH", path, "abcdef", "+10-15"},
		{"PATCH", path, "abcdef", "10-99999999999999999999"},
		{"PUT", path + "?digest=" + d.String(), "abcdef", "10-16"},
	} {
		c.Must(t, row.method, row.path, []byte(row.body), "Content-Range", row.at).WantError(t, 416, "BLOB_UPLOAD_INVALID")
		c.Must(t, "GET", path, nil).Want(t, 204).WantHeader(t, "Range", "0-9")
	}
	created(t, c.Must(t, "PUT", path+"?digest="+d.String(), []byte("abcdef"), "Content-Range", "10-15"), "alice/app", d)
	wantBlob(t, c, "alice/app", content, d)
}

func TestCancelUpload(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	before := h.Traces()
	path := begin(t, c, "alice/app")
	c.Must(t, "PATCH", path, []byte("something")).Want(t, 202)
	c.Must(t, "DELETE", path, nil).Want(t, 204)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		c.Must(t, method, path, nil).WantError(t, 404, "BLOB_UPLOAD_UNKNOWN")
	}
	c.Must(t, "PUT", path+"?digest="+registrytest.Sum("something").String(), nil).WantError(t, 404, "BLOB_UPLOAD_UNKNOWN")
	if after := h.Traces(); after != before {
		t.Errorf("left behind:\n%s", after)
	}
}

// An upload outlives the server: the hash state of the first part is made anew
// out of the file.
func TestUploadGoesOnAfterRestart(t *testing.T) {
	t.Parallel()
	const content = "first part, second part, third part"
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		t.Run(algorithm.String(), func(t *testing.T) {
			t.Parallel()
			h := registrytest.Start(t, registrytest.Config{})
			d := algorithm.FromString(content)
			c := h.Client()
			path := begin(t, c, "alice/app")
			c.Must(t, "PATCH", path, []byte(content[:12]), "Content-Range", "0-11").Want(t, 202)
			h.Restart()
			c = h.Client()
			c.Must(t, "GET", path, nil).Want(t, 204).WantHeader(t, "Range", "0-11").WantHeader(t, "Location", path)
			c.Must(t, "PATCH", path, []byte(content[12:25]), "Content-Range", "12-24").Want(t, 202)
			h.Restart()
			c = h.Client()
			c.Must(t, "PATCH", path, []byte(content[25:]), "Content-Range", "25-34").Want(t, 202)
			h.Restart()
			c = h.Client()
			created(t, c.Must(t, "PUT", path+"?digest="+d.String(), nil), "alice/app", d)
			wantBlob(t, c, "alice/app", content, d)
			h.Restart()
			wantBlob(t, h.Client(), "alice/app", content, d)
		})
	}
}
