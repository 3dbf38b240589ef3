package frame

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hubledger/services/internal/access"
	"hubledger/services/internal/endpoint"
)

// A file is passed on while it arrives. One that is too large or breaks off leaves nothing in the registry, nor does
// one that the registry refuses; what is wrong stands at its field.
func TestUpload(t *testing.T) {
	for name, c := range map[string]struct {
		content io.Reader
		refuse  string // method that the registry refuses
		asked   string
		says    string
	}{
		"good":        {strings.NewReader(strings.Repeat("x", 1000)), "", "POST PATCH PUT", ""},
		"too large":   {strings.NewReader(strings.Repeat("x", 1001)), "", "POST PATCH DELETE", "file: the file has more than 0 MiB"},
		"breaks off":  {io.MultiReader(strings.NewReader(strings.Repeat("x", 600)), broken{}), "", "POST PATCH DELETE", "file: it broke off"},
		"not begun":   {strings.NewReader("x"), "POST", "POST", "file: no, because of POST"},
		"not taken":   {strings.NewReader("x"), "PATCH", "POST PATCH DELETE", "file: no, because of PATCH"},
		"not the sum": {strings.NewReader("x"), "PUT", "POST PATCH PUT DELETE", "file: no, because of PUT"},
	} {
		var asked []string
		var got bytes.Buffer
		api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method)
			if p, known := access.PrincipalOf(r.Context()); !known || p.Name != "alice" {
				t.Errorf("%s: the registry is asked by %v", name, p)
			}
			w.Header().Set("Location", "/v2/acme/app/blobs/uploads/1")
			if _, err := io.Copy(&got, r.Body); err != nil {
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"errors":[{"message":"it broke off"}]}`)
			} else if r.Method == c.refuse {
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"errors":[{"message":"no, because of `+r.Method+`"}]}`)
			}
		})
		var form bytes.Buffer
		parts := multipart.NewWriter(&form)
		parts.WriteField("tags", "latest")
		parts.CreateFormFile(FileField, "context.tar")
		r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(&form, c.content, strings.NewReader("\r\n--"+parts.Boundary()+"--\r\n")))
		r.Header.Set("Content-Type", parts.FormDataContentType())
		r.SetPathValue("namespace", "acme")
		r.SetPathValue("name", "app")
		v := &Visit{Call: &endpoint.Call{Request: r, Principal: access.Principal{Kind: access.User, Name: "alice"}}, site: &Site{Config: Config{API: api}}, w: httptest.NewRecorder()}
		if err := v.readUpload(); err != nil || v.Sent.Get("tags") != "latest" {
			t.Fatalf("%s: %v, %v", name, v.Sent, err)
		}
		sum, err := v.Upload(1000, func([]byte) error { return nil })
		v.drop()
		if c.says == "" {
			if err != nil || sum.Validate() != nil || got.Len() != 1000 {
				t.Errorf("%s: %s of %d bytes, %v", name, sum, got.Len(), err)
			}
		} else if p := (*endpoint.Problem)(nil); !errors.As(err, &p) || p.Status >= 500 || len(p.Errors) != 1 || p.Errors[0].Location+": "+p.Errors[0].Message != c.says {
			t.Errorf("%s: %v, wanted %q", name, err, c.says)
		}
		if s := strings.Join(asked, " "); s != c.asked {
			t.Errorf("%s: the registry is asked for %s, wanted %s", name, s, c.asked)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the connection is gone") }
