package registry_test

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"hubledger/services/registry"
	"hubledger/services/registry/blobs"
	"hubledger/services/registry/registrytest"
)

var (
	_ registry.Blobs = (*blobs.Store)(nil)
	_ registry.Blobs = (*registrytest.Memory)(nil)
)

// A store without files serves pushes, pulls, mounts, ranges and garbage
// collection as the one with files does.
func TestAnotherBlobStore(t *testing.T) {
	t.Parallel()
	memory := &registrytest.Memory{}
	h := registrytest.Start(t, registrytest.Config{Blobs: memory})
	c := h.Client()
	large := strings.Repeat("0123456789", 10_000)
	image := c.MustPush(t, "alice/app", "1", registrytest.NewImage("small", large))
	wantPulls(t, c, "alice/app", true, "1")
	path := "/v2/alice/app/blobs/" + registrytest.Sum(large).String()
	c.Must(t, "GET", path, nil, "Range", "bytes=5-14").Want(t, 206).WantBody(t, "5678901234")
	c.Must(t, "POST", "/v2/bob/app/blobs/uploads/?from=alice/app&mount="+registrytest.Sum(large).String(), nil).Want(t, 201)

	const content = "in two chunks"
	at := begin(t, c, "alice/app")
	c.Must(t, "PATCH", at, []byte(content[:6]), "Content-Range", "0-5").Want(t, 202)
	c.Must(t, "PATCH", at, []byte(content[6:]), "Content-Range", "7-13").Want(t, 416).WantHeader(t, "Range", "0-5")
	c.Must(t, "PUT", at+"?digest="+registrytest.Sum(content).String(), []byte(content[6:])).Want(t, 201)
	c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+registrytest.Sum("whole").String(), []byte("whole")).Want(t, 201)
	for _, content := range []string{content, "whole"} {
		c.Must(t, "GET", "/v2/alice/app/blobs/"+registrytest.Sum(content).String(), nil).Want(t, 200).WantBody(t, content)
	}
	c.Must(t, "POST", "/v2/alice/app/blobs/uploads/?digest="+registrytest.Sum("other").String(), []byte("whole")).WantError(t, 400, "DIGEST_INVALID")

	h.EndLeases("alice/app", "bob/app")
	if swept := collect(t, h, 0); swept != 2 || memory.Count() != len(image.Blobs) {
		t.Errorf("swept %d, %d blobs are left", swept, memory.Count())
	}
	wantPulls(t, c, "alice/app", true, "1")
	if err := h.Registry.VerifyBlobs(t.Context(), nil, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("verified what cannot be: %v", err)
	}
}

// A sentFile notes what the body of an answer is read from.
type sentFile struct {
	*httptest.ResponseRecorder
	source io.Reader
}

func (s *sentFile) ReadFrom(r io.Reader) (int64, error) {
	s.source = r
	return io.Copy(s.ResponseRecorder, r)
}

// The connection gets a large blob as the file itself, whole or in part: only
// then does the kernel send it without copying.
func TestBlobsAreSentAsFiles(t *testing.T) {
	t.Parallel()
	h := registrytest.Start(t, registrytest.Config{})
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	check(t, h.Client().PushBlob("alice/app", string(content)))
	for header, want := range map[string][]byte{"": content, "bytes=10-89999": content[10:90_000]} {
		r := httptest.NewRequest("GET", "/v2/alice/app/blobs/"+registrytest.Sum(string(content)).String(), nil)
		if header != "" {
			r.Header.Set("Range", header)
		}
		w := &sentFile{ResponseRecorder: httptest.NewRecorder()}
		h.Handler.ServeHTTP(w, r)
		limited, ok := w.source.(*io.LimitedReader) // as net/http takes it apart, too
		if !ok {
			t.Fatalf("%q: the body comes out of a %T", header, w.source)
		}
		if _, ok := limited.R.(*os.File); !ok {
			t.Errorf("%q: the body comes out of a %T", header, limited.R)
		}
		if !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("%q: %d bytes, want %d", header, w.Body.Len(), len(want))
		}
	}
}
