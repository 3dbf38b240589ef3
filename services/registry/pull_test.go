package registry_test

import (
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubledger/services/registry/pulllimit"
	"hubledger/services/registry/registrytest"
)

func TestVersionCheck(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	for _, path := range []string{"/v2/", "/v2"} {
		c.Must(t, "GET", path, nil).Want(t, 200).WantHeader(t, "Docker-Distribution-Api-Version", "registry/2.0")
	}
	c.Must(t, "POST", "/v2/", nil).WantError(t, 405, "UNSUPPORTED")
}

func TestPullManifest(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
		other := c.MustPush(t, "alice/app", "2.0", registrytest.NewImage("another layer"))
		d := image.Digest().String()
		for _, ref := range []string{"1.0", d} {
			path := "/v2/alice/app/manifests/" + ref
			for _, method := range []string{"GET", "HEAD", "GET", "HEAD"} { // past the cache and from it
				a := c.Must(t, method, path, nil).Want(t, 200).
					WantHeader(t, "Docker-Content-Digest", d).
					WantHeader(t, "Content-Type", image.MediaType).
					WantHeader(t, "Content-Length", itoa(len(image.Manifest))).
					WantHeader(t, "Etag", `"`+d+`"`)
				if method == "GET" {
					a.WantBody(t, string(image.Manifest))
				}
			}
			for _, match := range []string{`"` + d + `"`, `W/"` + d + `"`, `*`, `"x", "` + d + `"`} {
				c.Must(t, "GET", path, nil, "If-None-Match", match).Want(t, 304).WantBody(t, "").WantHeader(t, "Docker-Content-Digest", d)
				c.Must(t, "HEAD", path, nil, "If-None-Match", match).Want(t, 304)
			}
			c.Must(t, "GET", path, nil, "If-None-Match", `"`+other.Digest().String()+`"`).Want(t, 200).WantBody(t, string(image.Manifest))
		}
	})
}

func TestPullWhatIsNotThere(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
		secret := c.MustPush(t, "bob/private", "1.0", registrytest.NewImage("only bob's"))
		none := registrytest.Sum("nothing").String()
		for _, row := range []struct {
			path   string
			status int
			code   string
		}{
			{"alice/app/manifests/2.0", 404, "MANIFEST_UNKNOWN"},
			{"alice/app/manifests/" + none, 404, "MANIFEST_UNKNOWN"},
			{"alice/app/manifests/" + secret.Digest().String(), 404, "MANIFEST_UNKNOWN"},
			{"alice/app/blobs/" + none, 404, "BLOB_UNKNOWN"},
			{"alice/app/blobs/" + registrytest.Sum("only bob's").String(), 404, "BLOB_UNKNOWN"},
			{"alice/app/blobs/" + image.Digest().String(), 404, "BLOB_UNKNOWN"}, // a manifest is no blob
			{"alice/none/manifests/1.0", 404, "NAME_UNKNOWN"},
			{"alice/none/blobs/" + none, 404, "BLOB_UNKNOWN"},
			{"alice/none/tags/list", 404, "NAME_UNKNOWN"},
			{"alice/app/manifests/sha256:short", 400, "DIGEST_INVALID"},
			{"alice/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"},
			{"alice/app/blobs/sha256:" + strings.Repeat("G", 64), 400, "DIGEST_INVALID"},
			{"alice/app/blobs/latest", 400, "DIGEST_INVALID"},
			{"Alice/app/manifests/1.0", 400, "NAME_INVALID"},
			{"alice/app/something/1.0", 404, "NAME_UNKNOWN"},
		} {
			c.Must(t, "GET", "/v2/"+row.path, nil).WantError(t, row.status, row.code)
			a := c.Must(t, "HEAD", "/v2/"+row.path, nil).Want(t, row.status)
			if len(a.Body) > 0 {
				t.Errorf("HEAD %s has a body", row.path)
			}
		}
	})
}

func TestPullBlob(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	for name, content := range map[string]string{"small": "0123456789", "large": strings.Repeat("0123456789", 10_000), "empty": ""} {
		t.Run(name, func(t *testing.T) {
			check(t, c.PushBlob("alice/app", content))
			d := registrytest.Sum(content).String()
			path := "/v2/alice/app/blobs/" + d
			for _, method := range []string{"GET", "HEAD"} {
				a := c.Must(t, method, path, nil).Want(t, 200).
					WantHeader(t, "Docker-Content-Digest", d).
					WantHeader(t, "Content-Length", itoa(len(content))).
					WantHeader(t, "Content-Type", "application/octet-stream").
					WantHeader(t, "Accept-Ranges", "bytes")
				if method == "GET" {
					a.WantBody(t, content)
				}
				c.Must(t, method, path, nil, "If-None-Match", `"`+d+`"`).Want(t, 304).WantBody(t, "")
			}
			c.Must(t, "GET", path, nil, "If-None-Match", `"sha256:other"`).Want(t, 200).WantBody(t, content)
		})
	}
}

// Ranges are those of RFC 9110, section 14.
func TestPullBlobByRange(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	for name, content := range map[string]string{"small": "0123456789", "large": strings.Repeat("0123456789", 10_000)} {
		t.Run(name, func(t *testing.T) {
			check(t, c.PushBlob("alice/app", content))
			path := "/v2/alice/app/blobs/" + registrytest.Sum(content).String()
			n := len(content)
			for _, row := range []struct{ ask, say, body string }{
				{"bytes=2-4", "2-4", content[2:5]},
				{"bytes=0-0", "0-0", content[:1]},
				{"bytes=5-", "5-" + itoa(n-1), content[5:]},
				{"bytes=-3", itoa(n-3) + "-" + itoa(n-1), content[n-3:]},
				{"bytes=5-999999", "5-" + itoa(n-1), content[5:]},
				{"bytes=-999999", "0-" + itoa(n-1), content},
			} {
				c.Must(t, "GET", path, nil, "Range", row.ask).Want(t, http.StatusPartialContent).
					WantHeader(t, "Content-Range", "bytes "+row.say+"/"+itoa(n)).
					WantHeader(t, "Content-Length", itoa(len(row.body))).WantBody(t, row.body)
			}
			for _, ask := range []string{"bytes=" + itoa(n) + "-", "bytes=999999-1000000", "bytes=5-2", "bytes=x-y"} {
				a := c.Must(t, "GET", path, nil, "Range", ask).Want(t, http.StatusRequestedRangeNotSatisfiable)
				if strings.Contains(string(a.Body), content[:10]) {
					t.Errorf("%s: the content is in the refusal", ask)
				}
			}
			a := c.Must(t, "GET", path, nil, "Range", "bytes=0-1,4-5,-1").Want(t, http.StatusPartialContent)
			kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
			if err != nil || kind != "multipart/byteranges" {
				t.Fatalf("several ranges come as %s", a.Header.Get("Content-Type"))
			}
			parts := multipart.NewReader(strings.NewReader(string(a.Body)), params["boundary"])
			for _, want := range []string{content[0:2], content[4:6], content[n-1:]} {
				part, err := parts.NextPart()
				check(t, err)
				got, err := io.ReadAll(part)
				check(t, err)
				if string(got) != want {
					t.Errorf("part %s is %q, want %q", part.Header.Get("Content-Range"), got, want)
				}
			}
			d := registrytest.Sum(content).String()
			c.Must(t, "GET", path, nil, "Range", "bytes=2-4", "If-Range", `"`+d+`"`).Want(t, 206).WantBody(t, content[2:5])
			c.Must(t, "GET", path, nil, "Range", "bytes=2-4", "If-Range", `"other"`).Want(t, 200).WantBody(t, content)
		})
	}
}

// Docker's headers of pull limits, and who is refused when.
func TestPullLimitsOverHTTP(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{PullLimits: pulllimit.Config{User: 2, Window: time.Hour}})
	c := h.Client()
	c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
	c.As = "bob"
	path := "/v2/alice/app/manifests/1.0"
	for _, method := range []string{"HEAD", "GET", "HEAD", "GET"} {
		c.Must(t, method, path, nil).Want(t, 200).WantHeader(t, "Ratelimit-Limit", "2;w=3600").WantHeader(t, "Docker-Ratelimit-Source", "bob")
	}
	c.Must(t, "HEAD", path, nil).Want(t, 200).WantHeader(t, "Ratelimit-Remaining", "0;w=3600")
	a := c.Must(t, "GET", path, nil).WantError(t, 429, "TOOMANYREQUESTS").WantHeader(t, "Ratelimit-Remaining", "0;w=3600")
	if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 3500 || after > 3600 {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	c.Must(t, "GET", "/v2/alice/app/tags/list", nil).Want(t, 200) // nothing else counts
	c.As = "carol"
	c.Must(t, "GET", path, nil).Want(t, 200).WantHeader(t, "Ratelimit-Remaining", "1;w=3600")
	c.As = "anonymous" // without a limit, nothing is said of one
	c.Must(t, "GET", path, nil).Want(t, 200).WantHeader(t, "Ratelimit-Limit", "").WantHeader(t, "Docker-Ratelimit-Source", "")
}

// A tag that is looked at by HEAD is in use, but not pulled.
func TestHeadIsUse(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := c.MustPush(t, "alice/app", "1.0", registrytest.NewImage("layer"))
	c.Must(t, "HEAD", "/v2/alice/app/manifests/1.0", nil).Want(t, 200)
	c.Must(t, "HEAD", "/v2/alice/app/manifests/"+image.Digest().String(), nil).Want(t, 200)
	check(t, h.Registry.FlushPulls(t.Context()))
	pulls, err := h.Pulls.Of(t.Context(), "")
	check(t, err)
	used := map[string]bool{}
	for _, p := range pulls {
		used[p.Tag+"@"+string(p.Digest)] = p.N == 0 && time.Since(p.Latest) < time.Minute
	}
	// By the tag, by no tag, and the manifest.
	if want := map[string]bool{"1.0@": true, "@": true, "@" + image.Digest().String(): true}; !maps.Equal(used, want) {
		t.Errorf("counted %+v", pulls)
	}
}

// A request for very many ranges of a blob gets the whole blob.
func TestManyRanges(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	content := strings.Repeat("0123456789", 100)
	check(t, c.PushBlob("alice/app", content))
	path := "/v2/alice/app/blobs/" + registrytest.Sum(content).String()
	ranges := func(n int) string { return "bytes=" + strings.Repeat("0-0,", n-1) + "1-1" }
	for n, want := range map[int]int{1: 206, 2: 206, 8: 206, 9: 200, 15_500: 200} {
		a := c.Must(t, "GET", path, nil, "Range", ranges(n)).Want(t, want)
		if want == 200 {
			a.WantBody(t, content)
		}
	}
}
