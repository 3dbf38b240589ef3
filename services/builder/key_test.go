package builder

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// lostSecrets fail with an error, unless it is nil.
type lostSecrets struct {
	*fakeSecrets
	err error
}

func (f *lostSecrets) Get(ctx context.Context, name string) ([]byte, uint64, error) {
	if f.err != nil {
		return nil, 0, f.err
	}
	return f.fakeSecrets.Get(ctx, name)
}

// The key is sent once to who has it already; while it cannot be read, that is written down
// once, whoever asks how often.
func TestServeKey(t *testing.T) {
	var log bytes.Buffer
	secrets := &lostSecrets{fakeSecrets: &fakeSecrets{value: bytes.Repeat([]byte{7}, 32)}}
	s := newBuilder(Config{Secrets: secrets, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ask := func(etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", keyPath, nil)
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		w := httptest.NewRecorder()
		s.serveKey(w, r)
		return w
	}
	secrets.err = errors.New("the bucket is gone")
	for range 3 {
		if w := ask(""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
	if n := strings.Count(log.String(), "the bucket is gone"); n != 1 {
		t.Errorf("written down %d times:\n%s", n, &log)
	}
	secrets.err = nil
	first := ask("")
	if first.Code != 200 || !strings.Contains(first.Body.String(), "PUBLIC KEY") || first.Header().Get("Content-Type") != "application/x-pem-file" {
		t.Fatalf("%d %v %s", first.Code, first.Header(), first.Body)
	}
	for _, etag := range []string{first.Header().Get("ETag"), "W/" + first.Header().Get("ETag"), `"x", ` + first.Header().Get("ETag"), "*"} {
		if w := ask(etag); w.Code != 304 || w.Body.Len() != 0 || w.Header().Get("ETag") != first.Header().Get("ETag") {
			t.Errorf("If-None-Match %s: %d %s", etag, w.Code, w.Body)
		}
	}
	if w := ask(`"x"`); w.Code != 200 {
		t.Errorf("with another one: %d", w.Code)
	}
}
