package registry_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"testing"

	"hubledger/services/registry/registrytest"
)

// Names whose order by bytes is not that of any dictionary.
var oddTags = []string{"10", "9", "A", "Z", "_", "_a", "a", "a-b", "a.b", "a_b", "ab", "b", "z"}

var nextLink = regexp.MustCompile(`^<([^>]+)>; rel="next"$`)

// pages follows Link headers and returns every page.
func pages(t *testing.T, c *registrytest.Client, path, field string) [][]string {
	t.Helper()
	var all [][]string
	for path != "" {
		a := c.Must(t, "GET", path, nil).Want(t, 200).WantHeader(t, "Content-Type", "application/json")
		var body map[string]json.RawMessage
		check(t, json.Unmarshal(a.Body, &body))
		var page []string
		check(t, json.Unmarshal(body[field], &page))
		if page == nil {
			t.Fatalf("%s: %s is null, not a list", path, field)
		}
		all = append(all, page)
		link := a.Header.Get("Link")
		path = ""
		if link != "" {
			m := nextLink.FindStringSubmatch(link)
			if m == nil {
				t.Fatalf("Link is %q", link)
			}
			path = m[1]
		}
		if len(all) > 100 {
			t.Fatal("pages without end")
		}
	}
	return all
}

func TestTags(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		image := registrytest.NewImage("layer")
		want := slices.Clone(oddTags)
		slices.Sort(want) // by bytes
		for _, tag := range oddTags {
			c.MustPush(t, "alice/app", tag, image)
		}
		for _, n := range []int{1, 2, 5, len(want), 1000} {
			got := pages(t, c, "/v2/alice/app/tags/list?n="+itoa(n), "tags")
			for k, page := range got {
				if wanted := want[k*n : min((k+1)*n, len(want))]; !slices.Equal(page, wanted) {
					t.Fatalf("n=%d: page %d is %q, want %q", n, k, page, wanted)
				}
			}
			if len(slices.Concat(got...)) != len(want) {
				t.Fatalf("n=%d: %q", n, got)
			}
		}
		path := "/v2/alice/app/tags/list"
		c.Must(t, "GET", path, nil).Want(t, 200).WantHeader(t, "Link", "").
			WantBody(t, string(registrytest.JSON(map[string]any{"name": "alice/app", "tags": want}))+"\n")
		for _, row := range []struct {
			query string
			want  []string
		}{
			{"?n=0", nil},
			{"?n=0&last=A", nil},
			{"?last=_a", want[slices.Index(want, "_a")+1:]},
			{"?n=2&last=a", []string{"a-b", "a.b"}},
			{"?last=" + url.QueryEscape("a!"), want[slices.Index(want, "a")+1:]}, // one that is not there
			{"?last=zz", nil},
		} {
			a := c.Must(t, "GET", path+row.query, nil).Want(t, 200)
			var got struct {
				Name string
				Tags []string
			}
			check(t, json.Unmarshal(a.Body, &got))
			if !slices.Equal(got.Tags, row.want) || got.Tags == nil || got.Name != "alice/app" {
				t.Errorf("%s: %+v, want %q", row.query, got, row.want)
			}
			if row.query[:3] == "?n=0" && a.Header.Get("Link") != "" {
				t.Errorf("%s: an empty page has a Link", row.query)
			}
		}
		for _, n := range []string{"-1", "x", "1.5", "99999999999999999999", ""} {
			c.Must(t, "GET", path+"?n="+n, nil).WantError(t, 400, "UNSUPPORTED")
		}
	})
}

func TestTagsOfNone(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	c.MustPush(t, "alice/app", "", registrytest.NewImage("untagged"))
	c.Must(t, "GET", "/v2/alice/app/tags/list", nil).Want(t, 200).WantBody(t, `{"name":"alice/app","tags":[]}`+"\n")
}

func TestCatalog(t *testing.T) {
	onEach(t, registrytest.Config{}, func(t *testing.T, h *registrytest.Hub) {
		c := h.Client()
		c.Must(t, "GET", "/v2/_catalog", nil).Want(t, 200).WantBody(t, `{"repositories":[]}`+"\n")
		names := []string{"busybox", "a/b", "a-b/c", "a_b/c", "a.b/c", "a/b-c", "a/b/c", "a0/b", "z/9", "z/10"}
		for _, name := range names {
			c.MustPush(t, name, "1", registrytest.NewImage("layer"))
		}
		slices.Sort(names)
		for _, n := range []int{1, 3, 100} {
			if got := slices.Concat(pages(t, c, "/v2/_catalog?n="+itoa(n), "repositories")...); !slices.Equal(got, names) {
				t.Fatalf("n=%d: %q, want %q", n, got, names)
			}
		}
		c.Must(t, "GET", "/v2/_catalog?n=0", nil).Want(t, 200).WantBody(t, `{"repositories":[]}`+"\n").WantHeader(t, "Link", "")
		c.Must(t, "GET", "/v2/_catalog?n=-1", nil).WantError(t, 400, "UNSUPPORTED")
		if _, err := h.Registry.DeleteRepository(t.Context(), registrytest.By, "a/b"); err != nil {
			t.Fatal(err)
		}
		got := slices.Concat(pages(t, c, "/v2/_catalog", "repositories")...)
		if want := slices.DeleteFunc(names, func(s string) bool { return s == "a/b" }); !slices.Equal(got, want) {
			t.Errorf("after a deletion: %q, want %q", got, want)
		}
	})
}

// library/busybox and busybox are one repository.
func TestTopLevelName(t *testing.T) {
	t.Parallel()
	c := registrytest.Start(t, registrytest.Config{}).Client()
	image := c.MustPush(t, "library/busybox", "1", registrytest.NewImage("layer"))
	for _, name := range []string{"busybox", "library/busybox"} {
		d, err := c.Pull(name, "1")
		check(t, err)
		if d != image.Digest() {
			t.Errorf("%s is %s", name, d)
		}
	}
	c.Must(t, "GET", "/v2/_catalog", nil).Want(t, 200).WantBody(t, `{"repositories":["busybox"]}`+"\n")
	c.Must(t, "DELETE", "/v2/busybox/manifests/1", nil).Want(t, 202)
	c.Must(t, "GET", "/v2/library/busybox/manifests/1", nil).Want(t, 404)
}
