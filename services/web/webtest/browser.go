// Package webtest is the test kit of the pages: a hub with people and images, a browser
// without scripts, and Chromium.
package webtest

import (
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hubledger/services/server/servertest"
)

// A Browser keeps cookies, has no scripts, and follows no redirects.
type Browser struct {
	T    testing.TB
	Hub  *servertest.Server
	HTTP *http.Client
}

// An Answer is a page, or where it leads.
type Answer struct {
	T        testing.TB
	What     string // method and address
	Status   int
	Text     string
	Location string
	Header   http.Header
}

// NewBrowser opens a browser that nobody has signed in with.
func NewBrowser(t testing.TB, hub *servertest.Server) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t, hub, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// As opens a browser and signs in.
func As(t testing.TB, hub *servertest.Server, name, password string) *Browser {
	t.Helper()
	b := NewBrowser(t, hub)
	b.Post("/sign-in", "do", "sign-in", "name", name, "password", password).Leads("/")
	return b
}

// Get asks for a page.
func (b *Browser) Get(path string) *Answer {
	b.T.Helper()
	resp, err := b.HTTP.Get(b.Hub.URL + path)
	return b.read("GET "+path, resp, err)
}

// Post sends a form of these names and values.
func (b *Browser) Post(path string, pairs ...string) *Answer {
	b.T.Helper()
	form := url.Values{}
	for k := 0; k+1 < len(pairs); k += 2 {
		form.Add(pairs[k], pairs[k+1])
	}
	resp, err := b.HTTP.PostForm(b.Hub.URL+path, form)
	return b.read("POST "+path, resp, err)
}

// Send sends a form of these names and values that ends with a file, as browsers do.
func (b *Browser) Send(path, file string, content io.Reader, pairs ...string) *Answer {
	b.T.Helper()
	in, out := io.Pipe()
	form := multipart.NewWriter(out)
	go func() {
		for k := 0; k+1 < len(pairs); k += 2 {
			form.WriteField(pairs[k], pairs[k+1]) // fails when the hub reads no more
		}
		part, err := form.CreateFormFile("file", file)
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err == nil {
			err = form.Close()
		}
		out.CloseWithError(err)
	}()
	resp, err := b.HTTP.Post(b.Hub.URL+path, form.FormDataContentType(), in)
	return b.read("POST "+path, resp, err)
}

func (b *Browser) read(what string, resp *http.Response, err error) *Answer {
	b.T.Helper()
	if err != nil {
		b.T.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.T.Fatal(err)
	}
	return &Answer{b.T, what, resp.StatusCode, string(text), resp.Header.Get("Location"), resp.Header}
}

// Is ends the test when the page has another status.
func (a *Answer) Is(status int) *Answer {
	a.T.Helper()
	if a.Status != status {
		a.T.Fatalf("%s: %d, wanted %d: %s", a.What, a.Status, status, a.Words())
	}
	return a
}

// Leads ends the test when the answer does not lead to that address; a text behind it, such
// as ?done=5, may follow.
func (a *Answer) Leads(to string) *Answer {
	a.T.Helper()
	at, _, _ := strings.Cut(a.Location, "?")
	if a.Status != http.StatusSeeOther || a.Location != to && at != to {
		a.T.Fatalf("%s: %d to %q, wanted %q: %s", a.What, a.Status, a.Location, to, a.Words())
	}
	return a
}

// Between is what stands on the page between two texts; the test ends where it does not.
func (a *Answer) Between(before, after string) string {
	a.T.Helper()
	_, rest, found := strings.Cut(a.Text, before)
	text, _, closed := strings.Cut(rest, after)
	if !found || !closed {
		a.T.Fatalf("%s has nothing between %q and %q: %s", a.What, before, after, a.Words())
	}
	return text
}

// Says fails the test for each of these texts that people do not read on the page.
func (a *Answer) Says(texts ...string) *Answer {
	a.T.Helper()
	words := a.Words()
	for _, text := range texts {
		if !strings.Contains(words, text) {
			a.T.Errorf("%s does not say %q: %s", a.What, text, words)
		}
	}
	return a
}

// Lacks fails the test for each of these texts that the page has anywhere.
func (a *Answer) Lacks(texts ...string) *Answer {
	a.T.Helper()
	for _, text := range texts {
		if strings.Contains(a.Text, text) {
			a.T.Errorf("%s has %q", a.What, text)
		}
	}
	return a
}

var (
	tags   = regexp.MustCompile(`(?s)<(script|style).*?</(script|style)>|<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
	main   = regexp.MustCompile(`(?s)<main.*</main>`)
)

// Words is what people read in the main part of a page.
func (a *Answer) Words() string {
	text := a.Text
	if part := main.FindString(text); part != "" {
		text = part
	}
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(text, " ")), " "))
}
