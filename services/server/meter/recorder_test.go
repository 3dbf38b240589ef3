package meter

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// A connection notes what it is given to send, as net/http's does to find a
// file that the kernel can send.
type connection struct {
	*httptest.ResponseRecorder
	files, others int
}

func (c *connection) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if ok {
		_, ok = limited.R.(*os.File)
	}
	if ok {
		c.files++
	} else {
		c.others++
	}
	return io.Copy(io.Discard, r)
}

// Counting a request leaves files as they are.
func TestFilesStayFilesWhenCounted(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/blob")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	c := &connection{ResponseRecorder: httptest.NewRecorder()}
	New().Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, f)
	}), c, httptest.NewRequest("GET", "/v2/alice/app/blobs/sha256:0", nil))
	if c.files != 1 || c.others > 0 {
		t.Errorf("%d answers came as a file, %d did not", c.files, c.others)
	}
}
