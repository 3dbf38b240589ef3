// Package frame is what every page of the web UI is made of: a page is a template, a
// function that finds what it shows, and functions that do what its forms ask for. What
// pages show and change goes through the hub's API, in this process: so a person may do by
// a page exactly what the same person may do by the API, and is told the same when not.
package frame

import (
	"cmp"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"hubledger/services/internal/access"
	"hubledger/services/internal/budget"
	"hubledger/services/internal/endpoint"
	"hubledger/services/internal/service"
	"hubledger/services/internal/session"
)

// Config is what pages work with; all fields but PictureHosts are required.
type Config struct {
	// API serves /api/v1, for requests whose principal is known: access.WithPrincipal.
	API http.Handler
	// Endpoints are those of the API; their Auth is replaced by the session's cookie.
	Endpoints endpoint.Config
	// AsOf is the sequence of the last event that everything shown rests on.
	AsOf func() uint64
	// Notice is a sentence for everybody, "" for none: what is wrong with the hub.
	Notice func(r *http.Request) string
	// PictureHosts are hosts from which browsers may load the pictures of READMEs; see
	// CheckPictureHosts. None: pictures are links.
	PictureHosts []string
	Logger       *slog.Logger
}

// A Page is one address of the UI.
type Page struct {
	// Pattern is that of service.Route; of a repository's pages it begins with
	// /r/{namespace}/{name...}.
	Pattern string
	// Permission is what seeing the page asks for, and Change what sending one of its
	// forms asks for at least: the API decides about each. Change is as Permission by
	// default, so a page that a form shows again knows the visitor's level, too. Only
	// access.Open lets somebody send a form who is not signed in.
	Permission, Change access.Permission
	Cost               budget.Cost
	// View is the file of its template, which defines title and main.
	View string
	// Section is the entry of the main navigation that it belongs to.
	Section string
	// Past says that the page can show an earlier time: see Visit.Past.
	Past bool
	// Show finds what the view shows, as .Data.
	Show func(v *Visit) (any, error)
	// Upload says that its forms are multipart/form-data and end with a file, which is read while it
	// arrives: see Visit.Upload.
	Upload bool
	// Do are its forms, by the value of their button named do.
	Do map[string]Do
}

// A Do does what a form asks for, and returns the address to go to afterwards; "" shows
// the page itself, with Visit.Made. A *endpoint.Problem is shown on the page, at the fields
// that it names.
type Do func(v *Visit) (to string, err error)

// A Site is all pages.
type Site struct {
	Config
	set       *endpoint.Set
	templates *template.Template
	views     int // how many there are
	assets    *assets
	failed    view
	policy    string // Content-Security-Policy of every page
}

// New makes a site without pages. It panics when what is embedded cannot be read.
func New(c Config) *Site {
	e := c.Endpoints
	e.Forms, e.Auth = true, session.For{Auth: e.Auth}
	s := &Site{Config: c, set: endpoint.New(e), assets: readAssets(), policy: policy(c.PictureHosts)}
	s.templates = template.New("").Funcs(s.functions())
	for _, file := range []string{"views/layout.html", "views/parts.html", "views/people.html"} {
		s.parse(file, string(must(fs.ReadFile(views, file))))
	}
	s.failed = s.read(views, "views/failed.html")
	s.set.Add(service.Route{Method: http.MethodGet, Pattern: "/assets/{file}", Permission: access.Open, Cost: budget.Light, Serve: s.assets.serve}, s.refuse)
	s.set.Add(service.Route{Method: http.MethodPost, Pattern: "/theme", Permission: access.Open, Cost: budget.Light, Serve: setTheme}, s.refuse)
	return s
}

// Routes are those of all pages.
func (s *Site) Routes() []service.Route { return s.set.Routes() }

// Add adds pages whose views are among files; views/parts.html, where it is there,
// has what several of them use. It panics when one cannot be read: the
// program then does not start.
func (s *Site) Add(files fs.FS, pages ...Page) {
	if parts, err := fs.ReadFile(files, "views/parts.html"); err == nil {
		s.parse("views/parts.html", string(parts))
	}
	for _, p := range pages {
		view := s.read(files, p.View)
		s.set.Add(service.Route{Method: http.MethodGet, Pattern: p.Pattern, Permission: p.Permission, Cost: p.Cost, Serve: func(w http.ResponseWriter, r *http.Request) {
			v := s.visit(w, r, p.Section)
			v.past = p.Past
			s.show(v, view, p, http.StatusOK)
		}}, s.refuse)
		if len(p.Do) == 0 {
			continue
		}
		s.set.Add(service.Route{Method: http.MethodPost, Pattern: p.Pattern, Permission: cmp.Or(p.Change, p.Permission), Cost: p.changeCost(), Streams: p.Upload, Serve: func(w http.ResponseWriter, r *http.Request) {
			s.do(s.visit(w, r, p.Section), view, p)
		}}, s.refuse)
	}
}

// do does what a form asks for, and leads to where that can be seen; or shows the page
// again, with what was wrong.
func (s *Site) do(v *Visit, view view, p Page) {
	read := v.readForm
	if p.Upload {
		read = v.readUpload
	}
	to, err := "", read()
	if err == nil {
		if do := p.Do[v.Sent.Get("do")]; do != nil {
			to, err = do(v)
		} else {
			err = endpoint.Fail(http.StatusBadRequest, "the form does not say what to do: reload the page and try again")
		}
	}
	if p.Upload {
		v.drop()
	}
	var problem *endpoint.Problem
	switch {
	case err == nil && to == "": // the answer is the page, with what the form made
		s.show(v, view, p, http.StatusOK)
	case err == nil:
		http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
	case errors.As(err, &problem) && (problem.Status < 500 || problem.Status == http.StatusInsufficientStorage) && problem.Status != http.StatusNotFound && problem.Status != http.StatusUnauthorized:
		v.Problem = problem
		s.show(v, view, p, problem.Status)
	default:
		s.refuse(v.w, v.Request, s.set.Problem(v.Request.Context(), p.Pattern, err))
	}
}

func (s *Site) show(v *Visit, view view, p Page, status int) {
	if p.Show != nil {
		var err error
		if v.Data, err = p.Show(v); v.led {
			return
		}
		if v.notThen(err) {
			status = v.Problem.Status
			v.Data, err = p.Show(v)
		}
		if err != nil {
			s.refuse(v.w, v.Request, s.set.Problem(v.Request.Context(), p.Pattern, err))
			return
		}
	}
	s.render(v, view, status)
}
