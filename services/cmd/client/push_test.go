package client

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A blob is pushed in one request with the login, and what the registry refuses is told in
// its words.
func TestPushBlob(t *testing.T) {
	const digest = "sha256:91568bab538a6ae60824abd47894025d7ef2797d3ac9cd33e012886ef3d7c1e2"
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch got := r.Method + " " + r.URL.String() + " " + string(body); {
		case r.Header.Get("Authorization") != "Bearer hlt_secret":
			t.Errorf("%s with %q", got, r.Header.Get("Authorization"))
		case got == "HEAD /v2/library/app/blobs/"+digest+" ":
			w.WriteHeader(http.StatusNotFound)
		case got == "HEAD /v2/acme/my/app/blobs/"+digest+" ":
		case got == "POST /v2/library/app/blobs/uploads/?digest=sha256%3A"+digest[7:]+" a directory" && r.ContentLength == 11:
			w.WriteHeader(http.StatusCreated)
		case r.Method == "POST":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"errors":[{"code":"DENIED","message":"the quota of acme is used up"}]}`)
		default:
			t.Errorf("asked is %s", got)
		}
	})
	for repository, want := range map[string]bool{"app": false, "acme/my/app": true} {
		if has, err := c.HasBlob(t.Context(), repository, digest); err != nil || has != want {
			t.Errorf("%s has it: %t, %v", repository, has, err)
		}
	}
	if err := c.PushBlob(t.Context(), "app", digest, 11, strings.NewReader("a directory")); err != nil {
		t.Error(err)
	}
	if err := c.PushBlob(t.Context(), "acme/my/app", digest, 11, strings.NewReader("a directory")); err == nil || err.Error() != "the quota of acme is used up" {
		t.Errorf("refused: %v", err)
	}
}
