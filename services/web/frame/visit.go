package frame

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/origin"
	"hubledger/services/internal/session"
)

// A Visit is one request of a page, and the dot of its template.
type Visit struct {
	*endpoint.Call
	// Data is what the page's Show found.
	Data any
	// Made is what one of its forms made and the page shows this once, such as a token.
	Made any
	// Sent is what a form has sent; empty when the page is only looked at.
	Sent url.Values
	// Problem says what is wrong with what was sent, nil when nothing is.
	Problem *endpoint.Problem
	Section string
	// Title and Main are what the page's own view made, for the layout.
	Title, Main template.HTML
	// Refused says that the page is about a refusal, and shows nothing else.
	Refused bool

	led   bool            // to another page
	file  *multipart.Part // that a form ends with: see Upload
	past  bool            // the page can show an earlier time
	again int             // seconds: see Again
	site  *Site
	w     http.ResponseWriter
}

func (s *Site) visit(w http.ResponseWriter, r *http.Request, section string) *Visit {
	c := *endpoint.CallOf(r.Context())
	c.Request = r               // with the body, which was read
	if c.Principal.Kind == "" { // the route looks at no credentials
		c.Principal = access.Nobody
	}
	return &Visit{Call: &c, Section: section, site: s, w: w}
}

// Context ends when the client leaves.
func (v *Visit) Context() context.Context { return v.Request.Context() }

// SignedIn says whether somebody is signed in.
func (v *Visit) SignedIn() bool { return v.Principal.Kind != access.Anonymous }

// Me is the login name of who is signed in, "" for nobody.
func (v *Visit) Me() string {
	if !v.SignedIn() {
		return ""
	}
	return v.Principal.Name
}

// May says whether the visitor has that level on the page's repository or namespace:
// read, write, delete or admin.
func (v *Visit) May(level string) bool { return v.Level.Name() == level || v.Level > levels[level] }

var levels = map[string]access.Level{"read": access.Read, "write": access.Write, "delete": access.Delete, "admin": access.Admin}

// Path is a value of the page's pattern.
func (v *Visit) Path(name string) string { return v.Request.PathValue(name) }

// Repo is the full name of the repository that the page's address names.
func (v *Visit) Repo() string { return v.Path("namespace") + "/" + v.Path("name") }

// At is Repo on the pages of a repository, "" on others.
func (v *Visit) At() string {
	if !strings.HasPrefix(v.Request.URL.Path, "/r/") || v.Path("name") == "" {
		return ""
	}
	return v.Repo()
}

// Query is a value of the address, "" for none.
func (v *Visit) Query(name string) string { return v.Request.URL.Query().Get(name) }

// MaxRows bounds the rows of a page.
const MaxRows = 100

// Rows are the rows of a whole list that the page shows: at most MaxRows, from the one that its
// address names by "from", counted from 0. next names the first row of the next page, "" at the end.
func Rows[T any](v *Visit, list []T) (rows []T, next string) {
	from, _ := strconv.Atoi(v.Query("from"))
	from = max(0, min(from, len(list)))
	rows = list[from:]
	if len(rows) > MaxRows {
		return rows[:MaxRows], strconv.Itoa(from + MaxRows)
	}
	return rows, ""
}

// Host is the hub's host, and port if it needs one, as this visitor's docker knows it.
func (v *Visit) Host() string { return origin.Of(v.Request).Host }

// URL is the base of the hub's URLs for this visitor.
func (v *Visit) URL() string { return origin.Of(v.Request).URL() }

// Here is the address of the page.
func (v *Visit) Here() string { return v.Request.URL.RequestURI() }

// With is the address of the page with one value of its query changed, or taken away by "".
func (v *Visit) With(name, value string) string {
	q := v.Request.URL.Query()
	q.Del("cursor")
	if value == "" {
		q.Del(name)
	} else {
		q.Set(name, value)
	}
	return (&url.URL{Path: v.Request.URL.Path, RawQuery: q.Encode()}).String()
}

// NextPage is the address of the next page of a list, of which the API says where it is in
// the API; "" when there is none.
func (v *Visit) NextPage(next string) string {
	u, err := url.Parse(next)
	if next == "" || err != nil {
		return ""
	}
	return v.With("cursor", u.Query().Get("cursor"))
}

// AsOf is the sequence of the last event that the page rests on.
func (v *Visit) AsOf() uint64 { return v.site.AsOf() }

// Notice is what is wrong with the hub, "" for nothing.
func (v *Visit) Notice() string { return v.site.Config.Notice(v.Request) }

// Theme is light, dark or "" for the system's.
func (v *Visit) Theme() string {
	if c, err := v.Request.Cookie("hubledger-theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// Value is what was sent for a field, or else what it has.
func (v *Visit) Value(field string, has ...string) string {
	if v.Sent != nil && v.Sent.Has(field) {
		return v.Sent.Get(field)
	}
	if len(has) > 0 {
		return has[0]
	}
	return ""
}

// Wrong is what is wrong with a field of a form, "" for nothing. A problem names fields of
// the API's request, such as body.name or path.member.
func (v *Visit) Wrong(field string) string {
	if all := v.Wrongs(field); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Wrongs is all that is wrong with a field of a form.
func (v *Visit) Wrongs(field string) (all []string) {
	if v.Problem == nil {
		return nil
	}
	for _, e := range v.Problem.Errors {
		if locates(e.Location, field) {
			all = append(all, e.Message)
		}
	}
	return all
}

func locates(location, field string) bool {
	for _, of := range []string{"body.", "path.", "query."} {
		location = strings.TrimPrefix(location, of)
	}
	return location == field || strings.HasPrefix(location, field+"[") || strings.HasPrefix(location, field+".")
}

// At names the field of a form with one field that a refusal of the API is about, when
// the API names none.
func At(field string, err error) error {
	var p *endpoint.Problem
	if errors.As(err, &p) && p.Status < 500 && p.Status != http.StatusNotFound && len(p.Errors) == 0 {
		p.At(field, p.Detail)
	}
	return err
}

// Done is the address of a page that says which event a form has led to; 0 for none.
func Done(page string, seq uint64, err error) (string, error) {
	if err != nil || seq == 0 {
		return page, err
	}
	return page + "?done=" + strconv.FormatUint(seq, 10), nil
}

// readForm reads what was sent.
func (v *Visit) readForm() error {
	body, err := endpoint.Body(v.Request)
	if err == nil {
		v.Sent, err = url.ParseQuery(string(body))
	}
	if err != nil {
		return endpoint.Fail(http.StatusBadRequest, "the form cannot be read").Because(err)
	}
	return nil
}

// SignIn makes the browser keep a session, or what becomes one by the code of a second factor.
func (v *Visit) SignIn(s session.SignedIn) {
	if s.Half {
		session.SetHalf(v.w, v.Request, s.Secret, s.Expires)
		return
	}
	session.Set(v.w, v.Request, s.Secret, s.Expires)
}

// Half is what the browser has of a sign-in that waits for a code, "" for nothing.
func (v *Visit) Half() string { return session.HalfOf(v.Request) }

// ForgetHalf makes the browser forget that.
func (v *Visit) ForgetHalf() { session.ClearHalf(v.w, v.Request) }

// SignOut makes the browser forget the session.
func (v *Visit) SignOut() { session.Clear(v.w, v.Request) }

// Lead leads the visitor to another page instead of showing this one.
func (v *Visit) Lead(to string) error {
	v.led = true
	http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
	return nil
}

// RefreshAfter has the browser load the page again after so many seconds, also without
// scripts: for pages that wait for the hub.
func (v *Visit) RefreshAfter(seconds int) { v.w.Header().Set("Refresh", strconv.Itoa(seconds)) }

// Again has a page taken anew every so many seconds, beside what events say: for what changes
// between events. Without scripts the browser loads the page again.
func (v *Visit) Again(seconds int) { v.again = seconds }

// Every is what Again was told, 0 for nothing.
func (v *Visit) Every() int { return v.again }

// Local is an address of this site that a client has sent, or else otherwise: an address
// of another site would make the hub lead people there.
func Local(address, otherwise string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\r\n\t") {
		return otherwise
	}
	return cmp.Or(u.RequestURI(), otherwise)
}

// setTheme keeps whether pages are light or dark, and leads back.
func setTheme(w http.ResponseWriter, r *http.Request) {
	body, _ := endpoint.Body(r)
	sent, _ := url.ParseQuery(string(body))
	c := &http.Cookie{Name: "hubledger-theme", Value: sent.Get("theme"), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true}
	if c.Value != "light" && c.Value != "dark" {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(w, c)
	http.Redirect(w, r, Local(sent.Get("back"), "/"), http.StatusSeeOther)
}
