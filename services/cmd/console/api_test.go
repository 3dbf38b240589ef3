package console

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"hubledger/services/cmd/client"
)

// newSession is a session whose output goes to out.
func newSession(t testing.TB, out io.Writer) *Session {
	return &Session{Context: t.Context(), Data: DefaultData, Out: out, Err: out}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	var out bytes.Buffer
	pages := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages++
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"items":[{"name":"a","more":1},{"name":"b"}],"next":"/api/v1/things?limit=100&cursor=2"}`)
		case "2":
			fmt.Fprint(w, `{"items":[{"name":"c"}]}`)
		}
	}))
	defer server.Close()
	c, err := client.Remote(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, &out)
	a := &API{s, c}
	row := func(v struct{ Name string }) []string { return []string{v.Name} }
	if err := List(a, "/things", client.Paged(), "none", []string{"NAME"}, row); err != nil || out.String() != "NAME\na\nb\nc\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	if err := ListFirst(a, "/things", client.Paged(), 2, "none", []string{"NAME"}, row); err != nil || out.String() != "NAME\na\nb\n" || pages != 3 {
		t.Errorf("%q, %d pages, %v", out.String(), pages, err)
	}
	out.Reset()
	s.JSON = true
	if err := List(a, "/things", client.Paged(), "none", nil, row); err != nil || out.String() != "{\"name\":\"a\",\"more\":1}\n{\"name\":\"b\"}\n{\"name\":\"c\"}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	wrong := func(v struct{ Name int }) []string { return nil } // --json does not decode what it passes on
	if err := ListFirst(a, "/things", client.Paged(), 1, "none", nil, wrong); err != nil || out.String() != "{\"name\":\"a\",\"more\":1}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
