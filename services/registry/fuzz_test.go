package registry

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"hubledger/services/internal/repository"
	"hubledger/services/internal/service"
)

// FuzzRoute: whatever a path is, it is one of ours or none, and can be put
// together again of its parts.
func FuzzRoute(f *testing.F) {
	for _, path := range []string{"/v2/", "/v2", "/v2/_catalog", "/v2/a/tags/list", "/v2/a/b/manifests/latest", "/v2/a/blobs/sha256:00",
		"/v2/a/blobs/uploads/", "/v2/a/blobs/uploads", "/v2/a/blobs/uploads/id", "/v2/a/referrers/sha256:00", "/v2/tags/list", "/v2//tags/list",
		"/v2/../manifests/x", "/v2/a/manifests/", "/v2/a/manifests/blobs/uploads/x", "/v3/", "", "/", "/v2/manifests/manifests/manifests"} {
		f.Add(path)
	}
	var seen *http.Request
	routes := (&Registry{}).routes()
	for k := range routes {
		routes[k].Serve = func(_ http.ResponseWriter, r *http.Request) { seen = r }
	}
	router, err := service.NewRouter([]service.Service{{Name: "registry", Routes: routes}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		seen = nil
		router.ServeHTTP(httptest.NewRecorder(), &http.Request{Method: "GET", URL: &url.URL{Path: path}})
		if seen == nil {
			return
		}
		whole := seen.Pattern
		for _, part := range []string{"name...", "reference", "digest", "id"} {
			value := seen.PathValue(strings.TrimSuffix(part, "..."))
			if part != "name..." && strings.Contains(value, "/") {
				t.Fatalf("%q has %s %q", path, part, value)
			}
			whole = strings.Replace(whole, "{"+part+"}", value, 1)
		}
		if strings.Trim(whole, "/") != strings.Trim(path, "/") {
			t.Fatalf("%q was read as %q", path, whole)
		}
	})
}

// FuzzContentRange: a range that is accepted is within bounds and written in
// digits, and its size is what its ends say.
func FuzzContentRange(f *testing.F) {
	for _, header := range []string{"0-0", "0-9", "10-9", "5-2", "bytes 0-9/10", "bytes 0-9/*", "-", "", "0-", "-5", "+1-2", " 0-1", "0-1 ",
		"0-9223372036854775807", "9223372036854775807-9223372036854775807", "4611686018427387903-4611686018427387903", "0x0-0x1", "1_0-2_0", "bytes bytes 0-1"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		first, size, ok := parseContentRange(header)
		if !ok {
			if first != 0 || size != 0 {
				t.Fatalf("%q is refused and %d+%d", header, first, size)
			}
			return
		}
		if first < 0 || size < 0 || first+size < 0 {
			t.Fatalf("%q is %d+%d", header, first, size)
		}
		from, to, _ := strings.Cut(strings.SplitN(strings.TrimPrefix(header, "bytes "), "/", 2)[0], "-")
		a, err1 := strconv.ParseInt(strings.TrimLeft(from, "0")+"", 10, 64)
		b, err2 := strconv.ParseInt(strings.TrimLeft(to, "0")+"", 10, 64)
		if strings.Trim(from+to, "0123456789") != "" || err1 == nil && a != first || err2 == nil && b != first+size-1 {
			t.Fatalf("%q is %d+%d", header, first, size)
		}
	})
}

// FuzzName: an accepted name is made of what the specification allows, is the
// same when it is parsed again, and never climbs.
func FuzzName(f *testing.F) {
	for _, name := range []string{"alice/app", "busybox", "library/busybox", "library/a/b", "a/b/c", "a__b", "a.b-c_d", "A", "a//b", "/a", "a/", "..", "a/../b",
		"users/x", "users", "auth", "a\x00b", "ä", strings.Repeat("a", 201), "a---b", "a___b", "library/users", "library/library/x", "library"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, err := repository.ParseName(name)
		if err != nil {
			return
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789./_-") != "" || len(name) > repository.MaxNameLength {
			t.Fatalf("%q is accepted", name)
		}
		for part := range strings.SplitSeq(name, "/") {
			if part == "" || strings.Contains(part, "..") || strings.ContainsAny(part[:1]+part[len(part)-1:], "._-") {
				t.Fatalf("%q is accepted", name)
			}
		}
		again, err := repository.ParseName(n.Full)
		if err != nil || again != n {
			t.Fatalf("%q is %+v, and that is %+v, %v", name, n, again, err)
		}
		if n.Namespace == "" || n.Full != name && "library/"+n.Full != name {
			t.Fatalf("%q is %+v", name, n)
		}
	})
}

// FuzzTag: an accepted tag can stand in a path and in a subject of the log.
func FuzzTag(f *testing.F) {
	for _, tag := range []string{"latest", "1.0", "_x", ".x", "-x", "", "a b", "a/b", "a~b", "1.asof.2026", strings.Repeat("x", 128), strings.Repeat("x", 129), "sha256:00", "a\n"} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		if repository.CheckTag(tag) != nil {
			return
		}
		if tag == "" || len(tag) > 128 || strings.ContainsAny(tag, "/:~*>% \t\r\n\x00") || tag[0] == '.' || tag[0] == '-' || strings.Contains(tag, ".asof.") {
			t.Fatalf("%q is accepted", tag)
		}
		if isDigest(tag) {
			t.Fatalf("%q is a digest", tag)
		}
	})
}

// FuzzIfNoneMatch: only a header that names the digest, or all, matches.
func FuzzIfNoneMatch(f *testing.F) {
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, header := range []string{`"` + digest + `"`, `W/"` + digest + `"`, "*", `"a", "` + digest + `"`, digest, `""`, "", ",", `"sha256:e3"`} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if matches([]string{header}, digest) && !strings.Contains(header, digest) && !strings.Contains(header, "*") {
			t.Fatalf("%q matches", header)
		}
	})
}

// FuzzPage: whatever a query is, a page is within bounds or refused.
func FuzzPage(f *testing.F) {
	for _, query := range []string{"", "n=5", "n=0&last=a", "n=-1", "n=x", "n=99999999999999999999", "n=1&n=2", "last=%00", "%zz", "n=1;last=2"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/v2/a/tags/list", nil)
		r.URL.RawQuery = query
		if n, _, err := page(r); err == nil && (n < 0 || n > maxPage) {
			t.Fatalf("%q is a page of %d", query, n)
		}
	})
}
