package registry

import (
	"fmt"
	"strings"
	"testing"
)

// A page has so many entries, or as many as have so many bytes, and all pages
// together have every entry once.
func TestPagesAreBounded(t *testing.T) {
	var all []string
	for k := range 10_000 {
		all = append(all, fmt.Sprintf("%s%05d", strings.Repeat("x", 120), k))
	}
	for _, n := range []int{1, 100, 9_999, 10_000, maxPage} {
		seen, link := 0, "first"
		for pages := 0; link != ""; pages++ {
			var page []string
			page, link = cut(all[seen:min(len(all), seen+n+1)], n, "/v2/app/tags/list")
			if size := len(strings.Join(page, "")); len(page) == 0 || len(page) > n || size > maxPageBytes {
				t.Fatalf("n=%d: a page of %d entries and %d bytes", n, len(page), size)
			}
			seen += len(page)
			if link != "" && !strings.Contains(link, "last="+page[len(page)-1]) {
				t.Fatalf("n=%d: the page leads to %s", n, link)
			}
		}
		if seen != len(all) {
			t.Errorf("n=%d: %d of %d entries", n, seen, len(all))
		}
	}
	if page, link := cut([]string{"a"}, 0, "/"); len(page) != 0 || link != "" {
		t.Errorf("none: %v %q", page, link)
	}
	if page, link := cut(nil, 10, "/"); len(page) != 0 || link != "" {
		t.Errorf("an empty list: %v %q", page, link)
	}
}
