package fetch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/builder/fetch"
	"hubledger/services/internal/egress"
	"hubledger/services/internal/gitremote/gitremotetest"
)

// Files of Git LFS replace their pointers, from hosts that the guard lets through,
// and only if they are what the pointers say.
func TestLFS(t *testing.T) {
	w := newWorld(t, "sha1")
	const text = "a large file"
	oid := digest.FromString(text).Encoded()
	pointer := func(size int) string {
		return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, size)
	}
	sent, status := text, http.StatusOK
	files := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Signature") != "given" || r.Header.Get("Authorization") != "" {
			t.Errorf("asked with %v", r.Header)
		}
		rw.WriteHeader(status)
		io.WriteString(rw, sent)
	}))
	defer files.Close()
	has := true
	git := w.Handler(false)
	host := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/app.git/info/lfs/objects/batch" {
			git.ServeHTTP(rw, r)
			return
		}
		if user, password, _ := r.BasicAuth(); user != gitremotetest.User || password != gitremotetest.Password {
			t.Error("asked without credentials")
		}
		object := map[string]any{"oid": oid, "size": len(text), "error": map[string]any{"code": 404, "message": "not here"}}
		if has {
			object = map[string]any{"oid": oid, "actions": map[string]any{"download": map[string]any{"href": files.URL + "/x?sig=y", "header": map[string]string{"X-Signature": "given"}}}}
		}
		json.NewEncoder(rw).Encode(map[string]any{"objects": []any{object}})
	}))
	defer host.Close()
	both := guard(t, strings.TrimPrefix(host.URL, "http://"), strings.TrimPrefix(files.URL, "http://"))
	w.fetcher.Guard = both
	commit := w.commit("large", ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n", "dir/a.bin", pointer(len(text)), "a.txt", pointer(len(text)), "b.bin", "no pointer\n")
	w.Push("main")
	s := w.source(commit)
	s.URL, s.LFS = parse(t, host.URL+"/app.git"), true
	dir, _, err := w.fetch(s)
	if err != nil || content(t, dir, "dir/a.bin") != text || content(t, dir, "a.txt") != pointer(len(text)) || content(t, dir, "b.bin") != "no pointer\n" {
		t.Errorf("%v\n%s", err, w.log)
	}
	refused := func(what string, want error) {
		t.Helper()
		if _, _, err := w.fetch(s); !errors.Is(err, want) || strings.Contains(fmt.Sprint(err), "sig=") {
			t.Errorf("%s: %v", what, err)
		}
	}
	sent = "another file"
	refused("another file", fetch.ErrLFS)
	sent = text + "more"
	refused("a longer file", fetch.ErrLFS)
	status = http.StatusNotFound
	refused("no file", fetch.ErrLFS)
	w.fetcher.Guard = guard(t, strings.TrimPrefix(host.URL, "http://"))
	refused("own network", egress.ErrForbidden)
	w.fetcher.Guard, has = both, false
	refused("not on the host", fetch.ErrLFS)
	s.Commit = w.commit("too large", "dir/a.bin", pointer(1<<40))
	w.Push("main")
	refused("too large", fetch.ErrTooLarge)
	s.LFS = false
	if _, _, err := w.fetch(s); err != nil {
		t.Error(err)
	}
}
