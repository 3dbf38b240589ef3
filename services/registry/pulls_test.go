package registry_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"hubledger/services/registry/registrytest"
)

// What counts as a pull, and of which tag, for every way in which clients ask.
func TestWhatIsAPull(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	image := registrytest.NewImage("content")
	index := registrytest.NewIndex(c.MustPush(t, "alice/app", "", image))
	const other = registrytest.AsHeader
	for k, row := range []struct {
		what, asks string // words such as GET:tag; * is another client, ! has the content already
		counts     string // pulls of the tag, of no tag; then of the index, of the image; - was not even used
	}{
		{"by tag, as docker did", "GET:tag GET:image", "1 1; 1 1"},
		{"HEAD of the tag, then GET of the digest, as docker and containerd do", "HEAD:tag GET:index GET:image", "1 1; 1 1"},
		{"HEAD and GET of the tag", "HEAD:tag GET:tag", "1 -; 1 -"},
		{"HEAD and GET of the tag, then GET of the digest", "HEAD:tag GET:tag GET:index", "1 1; 2 -"},
		{"by a digest that somebody wrote down", "GET:index GET:image", "- 2; 1 1"},
		{"the digest, then the tag", "GET:index HEAD:tag", "0 1; 1 -"},
		{"somebody else's look at the tag", "*HEAD:tag GET:index", "0 1; 1 -"},
		{"a look only", "HEAD:tag", "0 -; 0 -"},
		{"a look at a digest", "HEAD:index HEAD:image", "- 0; 0 0"},
		{"what the client has", "!GET:tag !GET:image", "0 0; 0 0"},
		{"what the client has, looked up first", "HEAD:tag !GET:index", "0 0; 0 -"},
		{"twice", "HEAD:tag GET:index HEAD:tag GET:index", "2 -; 2 -"},
		{"what is not there", "GET:nothing HEAD:nothing", "- -; - -"},
	} {
		t.Run(row.what, func(t *testing.T) {
			name := fmt.Sprint("alice/app", k)
			c.MustPush(t, name, "", image)
			c.MustPush(t, name, "tag", index)
			for ask := range strings.FieldsSeq(row.asks) {
				as := "tester"
				if rest, ok := strings.CutPrefix(ask, "*"); ok {
					as, ask = "somebody", rest
				}
				ask, has := strings.CutPrefix(ask, "!")
				method, ref, _ := strings.Cut(ask, ":")
				digest := index.Digest()
				switch ref {
				case "index":
					ref = index.Digest().String()
				case "image":
					digest, ref = image.Digest(), image.Digest().String()
				}
				headers := []string{other, as}
				if has {
					headers = append(headers, "If-None-Match", `"`+digest.String()+`"`)
				}
				a := c.Must(t, method, "/v2/"+name+"/manifests/"+ref, nil, headers...)
				if want := map[bool]int{true: 304, false: 200}[has]; a.Status != want && ref != "nothing" {
					t.Fatal(a.Is(want))
				}
			}
			check(t, h.Registry.FlushPulls(t.Context()))
			repo, err := h.Registry.Images.Repository(t.Context(), name)
			check(t, err)
			counted, err := h.Pulls.Of(t.Context(), repo.ID)
			check(t, err)
			found := map[string]string{}
			for _, p := range counted {
				found[cmp.Or(p.Digest.String(), p.Tag, "none")] = fmt.Sprint(p.N)
			}
			var got []string
			for _, what := range []string{"tag", "none", index.Digest().String(), image.Digest().String()} {
				got = append(got, cmp.Or(found[what], "-"))
			}
			want := strings.Fields(strings.ReplaceAll(row.counts, ";", ""))
			if !slices.Equal(got, want) {
				t.Errorf("%s: counted %v, want %v", row.asks, got, want)
			}
		})
	}
}

// What could not be written down is written down later, with what came since.
func TestPullsAreNotLost(t *testing.T) {
	h := registrytest.Start(t, registrytest.Config{})
	c := h.Client()
	c.MustPush(t, "alice/app", "tag", registrytest.NewImage("content"))
	c.MustPush(t, "alice/app", "other", registrytest.NewImage("other"))
	pull := func(tag string) { c.Must(t, "GET", "/v2/alice/app/manifests/"+tag, nil).Want(t, 200) }
	pull("tag")
	pull("other")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if h.Registry.FlushPulls(cancelled) == nil {
		t.Fatal("counts were written in no time")
	}
	pull("tag")
	check(t, h.Registry.FlushPulls(t.Context()))
	counted, err := h.Pulls.Of(t.Context(), "")
	check(t, err)
	found := map[string]int64{}
	for _, p := range counted {
		if p.Digest == "" {
			found[p.Tag] = p.N
		}
	}
	if !maps.Equal(found, map[string]int64{"tag": 2, "other": 1}) {
		t.Errorf("counted %v", found)
	}
}
