package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"hubledger/services/cmd/backups/bucket"
	"hubledger/services/server/backup"
)

// A cutter stands before an S3 server and cuts one request of a command off.
type cutter struct {
	to *httputil.ReverseProxy

	mu   sync.Mutex
	cut  int    // which request, from 1; 0: none
	how  string // see serve
	seen int
}

// Ways to cut a request off.
const (
	notSent  = "it does not come"
	halfSent = "half of it comes"
	noAnswer = "its answer does not come, and nothing after it"
	oneLost  = "its answer does not come, and all is well after it"
)

func (c *cutter) plan(request int, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut, c.how, c.seen = request, how, 0
}

// cutOff says whether the planned request has come.
func (c *cutter) cutOff() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut > 0 && c.seen >= c.cut
}

func (c *cutter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.seen++
	now, past, how := c.seen == c.cut, c.cut > 0 && c.seen > c.cut, c.how
	c.mu.Unlock()
	switch {
	case past && how != oneLost:
		w.WriteHeader(http.StatusForbidden) // which nobody tries again
		return
	case !now:
		c.to.ServeHTTP(w, r)
		return
	case how == halfSent && r.ContentLength > 1:
		r.Body = io.NopCloser(io.LimitReader(r.Body, r.ContentLength/2))
		c.to.ServeHTTP(httptest.NewRecorder(), r)
	case how == noAnswer, how == oneLost:
		c.to.ServeHTTP(httptest.NewRecorder(), r)
	}
	panic(http.ErrAbortHandler) // closes the connection
}

// Wherever an archive in a bucket is cut off, what the bucket has verifies, if it ever was
// complete, becomes a hub again, and the next archive goes on. An answer alone that is lost
// does no harm.
func TestArchiveInABucketCutOff(t *testing.T) {
	s3Server(t)
	target, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL_S3"))
	if err != nil {
		t.Fatal(err)
	}
	// The address is part of what is signed: it is left as it came.
	proxy := &cutter{to: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host }}}
	server := httptest.NewServer(proxy)
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_S3", server.URL)
	h := startHub(t)
	must := func(args ...string) {
		t.Helper()
		if out, stderr, code := h.Run(args...); code != 0 {
			t.Fatalf("%v: exit code %d\n%s%s", args, code, out, stderr)
		}
	}
	ways := []string{notSent, noAnswer, halfSent, oneLost}
	each := 2 // of them for each request
	if os.Getenv("HUBLEDGER_SOAK") != "" {
		each = len(ways)
	}
	cuts, n := map[string]int{}, 0
	for request, more := 1, true; more; request++ {
		more = false
		complete, address := false, fmt.Sprintf("s3://hub-archives/hub%d", request)
		for k := range each { // the first of them is of an archive that is new
			how := ways[(request+k)%len(ways)]
			n++
			must("repos", "create", fmt.Sprintf("admin/r%d", n))
			proxy.plan(request, how)
			out, stderr, code := h.Run("archive", address)
			cut := proxy.cutOff()
			proxy.plan(0, "")
			if cut {
				more = true
				cuts[how]++
			}
			if code == 0 {
				complete = true
			} else if !cut || how == oneLost {
				t.Fatalf("request %d, %s: exit code %d\n%s%s", request, how, code, out, stderr)
			}
			if err := verifyArchive(t, address); err != nil && (complete || !errors.Is(err, fs.ErrNotExist)) {
				t.Fatalf("request %d, %s: %v", request, how, err)
			}
		}
		if request%4 == 0 || !more {
			must("archive", address)
			if out, stderr, code := runHubledger(t, "--data", filepath.Join(t.TempDir(), "back"), "restore", address); code != 0 {
				t.Fatalf("restore: exit code %d\n%s%s", code, out, stderr)
			}
		}
	}
	t.Logf("cut off %v", cuts)
	for _, how := range ways {
		if cuts[how] < each {
			t.Errorf("%s: %d times; that is too little to have been at all requests", how, cuts[how])
		}
	}
}

// verifyArchive is what `backup verify` does; the error wraps fs.ErrNotExist when no archive is
// complete.
func verifyArchive(t *testing.T, address string) error {
	t.Helper()
	b, err := bucket.Open(address)
	if err != nil {
		return err
	}
	dir := t.TempDir()
	if err := b.Fetch(t.Context(), dir, func(string) bool { return true }, func(int64) {}); err != nil {
		return err
	}
	_, err = backup.Verify(t.Context(), dir, nil, func(int64, int64, string) {})
	return err
}
