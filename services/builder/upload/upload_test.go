package upload

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/buildcontext"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tarOf is a compressed tar file with one file.
func tarOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	check(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(text)), Mode: 0o644}))
	_, err := w.Write([]byte(text))
	check(t, errors.Join(err, w.Close(), z.Close()))
	return b.Bytes()
}

// A directory is fetched with the token, and taken only when it is what was asked for.
func TestFetch(t *testing.T) {
	good := tarOf(t, "Dockerfile", "FROM scratch")
	padded := append(bytes.Clone(good), make([]byte, 1000)...)
	hostile := tarOf(t, "../Dockerfile", "FROM scratch")
	for what, c := range map[string]struct {
		asked, sent []byte
		status      int
		want        string // of the error; "" for none
		is          error
	}{
		"what was asked for":         {asked: good, sent: good},
		"with something behind it":   {asked: padded, sent: padded},
		"another directory":          {asked: good, sent: tarOf(t, "Dockerfile", "FROM evil"), is: ErrDigest},
		"more than that":             {asked: good, sent: padded, is: ErrDigest},
		"less than that":             {asked: good, sent: good[:len(good)-10], is: ErrDigest},
		"a path out of it":           {asked: hostile, sent: hostile, want: "it leads out of the directory"},
		"no tar file":                {asked: []byte("FROM scratch"), sent: []byte("FROM scratch"), want: "it is no tar file"},
		"nothing any more":           {asked: good, status: http.StatusNotFound, want: "send the directory again"},
		"a redirect":                 {asked: good, status: http.StatusFound, want: "302"},
		"a failure":                  {asked: good, status: http.StatusInternalServerError, want: "500"},
		"more than may be asked for": {asked: nil, want: "is no uploaded directory"},
	} {
		d := digest.FromBytes(c.asked)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path != "/v2/acme/my/app/blobs/"+d.String() || r.Header.Get("Authorization") != "Bearer token":
				t.Errorf("%s: asked is %s with %q", what, r.URL, r.Header.Get("Authorization"))
			case c.status != 0:
				w.Header().Set("Location", "http://elsewhere.test/")
				w.WriteHeader(c.status)
			default:
				w.Write(c.sent)
			}
		}))
		at, err := url.Parse(s.URL)
		check(t, err)
		size := int64(len(c.asked))
		if c.asked == nil {
			size = buildcontext.MaxFile + 1
		}
		dir := t.TempDir()
		err = New(at, nil).Fetch(t.Context(), "token", "acme/my/app", d, size, dir)
		s.Close()
		switch {
		case c.is != nil:
			if !errors.Is(err, c.is) {
				t.Errorf("%s: %v", what, err)
			}
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", what, err)
			}
		default:
			if text, rerr := os.ReadFile(filepath.Join(dir, "Dockerfile")); err != nil || rerr != nil || string(text) != "FROM scratch" {
				t.Errorf("%s: %q, %v, %v", what, text, err, rerr)
			}
		}
	}
}
