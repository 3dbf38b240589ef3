package frame

import (
	"bytes"
	"embed"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"hubledger/services/internal/access"
	"hubledger/services/internal/endpoint"
)

//go:embed views assets
var views embed.FS

// policy allows what the pages have and nothing else: no inline code, no style and no
// picture of others, no frame around them, no form to others, and no text that a script
// turns into HTML (Content Security Policy Level 3; Trusted Types). Pictures of READMEs come from
// hosts that the operator allows.
func policy(pictureHosts []string) string {
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src " + strings.Join(append([]string{"'self'", "data:"}, pictureHosts...), " ") +
		"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func (s *Site) setHeaders(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Cookie, Accept-Encoding")
}

// render sends a page. A template that fails is a fault of the program: nothing of it is sent.
func (s *Site) render(v *Visit, view view, status int) {
	var page bytes.Buffer
	var err error
	if v.Title, err = text(view.title, v); err == nil {
		v.Main, err = text(view.main, v)
	}
	if err == nil {
		err = s.templates.ExecuteTemplate(&page, "layout", v)
	}
	if err != nil {
		s.Logger.Error("a page could not be written", "route", v.Request.Pattern, "error", err)
		s.setHeaders(v.w.Header())
		http.Error(v.w, "The page could not be written; the hub's log says why.", http.StatusInternalServerError)
		return
	}
	s.setHeaders(v.w.Header())
	if v.Problem != nil {
		for name, values := range v.Problem.GetHeaders() {
			v.w.Header()[name] = values
		}
	}
	send(v.w, v.Request, status, page.Bytes())
}

var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if len(body) > 1024 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var packed bytes.Buffer
		z := packers.Get().(*gzip.Writer)
		z.Reset(&packed)
		z.Write(body) // to memory: it does not fail
		z.Close()
		packers.Put(z)
		w.Header().Set("Content-Encoding", "gzip")
		body = packed.Bytes()
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // fails only when the client went away
	}
}

// refuse is endpoint.Refuser: a page that says why, or the one to sign in.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, p *endpoint.Problem) {
	who, err := s.set.Auth.Authenticate(r)
	if err != nil {
		who = access.Nobody
	}
	if p.Status == http.StatusUnauthorized && who.Kind == access.Anonymous {
		back := r.URL.RequestURI()
		if !endpoint.ReadOnly(r.Method) {
			back = "/"
		}
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(back), http.StatusSeeOther)
		return
	}
	v := &Visit{Call: &endpoint.Call{Principal: who, Request: r}, site: s, w: w, Data: p, Refused: true}
	for name, values := range p.GetHeaders() {
		if name != "Www-Authenticate" { // the browser would ask for a password by a dialog
			w.Header()[name] = values
		}
	}
	s.render(v, s.failed, p.Status)
}

// NotServed is service.NotServed for addresses without a page.
func (s *Site) NotServed(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := endpoint.NotFound()
	if status == http.StatusMethodNotAllowed {
		p = endpoint.Fail(status, "this page does not take that")
	}
	s.refuse(w, r, p)
}
