// Package sources has the pages of git sources: what is watched, what came of it, and
// what to fill in at the git host.
package sources

import (
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/access"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/budget"
	"hubledger/services/web/frame"
)

//go:embed views
var views embed.FS

// Add adds the pages to a site.
func Add(site *frame.Site) {
	const namespace, one = "/n/{namespace}/sources", "/sources/{namespace}/{name...}"
	site.Add(views,
		frame.Page{Pattern: "/sources", Permission: access.SignedIn, Cost: budget.List, View: "views/namespaces.html", Section: "builds", Show: showNamespaces},
		frame.Page{Pattern: namespace, Permission: access.NamespaceMember, Cost: budget.List, View: "views/sources.html", Section: "builds", Show: showSources},
		frame.Page{Pattern: namespace + "/link", Permission: access.NamespaceAdmin, Cost: budget.Light, View: "views/link.html", Section: "builds", Show: showLink,
			Do: map[string]frame.Do{"link": linkSource}},
		frame.Page{Pattern: one, Permission: access.NamespaceMember, Cost: budget.Search, View: "views/source.html", Section: "builds", Show: showSource,
			Do: map[string]frame.Do{"sweep": sweepSource}},
		frame.Page{Pattern: one + "/-/settings", Permission: access.NamespaceAdmin, Cost: budget.Read, View: "views/settings.html", Section: "builds", Show: showSettings,
			Do: map[string]frame.Do{"change": changeSource, "credentials": setCredentials, "hook-secret": newHookSecret, "status": setStatus}},
		frame.Page{Pattern: one + "/-/unlink", Permission: access.NamespaceAdmin, Cost: budget.Read, View: "views/unlink.html", Section: "builds", Show: showSettings,
			Do: map[string]frame.Do{"unlink": unlinkSource}},
		frame.Page{Pattern: one + "/-/deliveries", Permission: access.NamespaceMember, Cost: budget.List, View: "views/deliveries.html", Section: "builds", Show: showDeliveries},
		frame.Page{Pattern: one + "/-/deliveries/{seq}", Permission: access.NamespaceMember, Cost: budget.Read, View: "views/delivery.html", Section: "builds", Show: showDelivery,
			Do: map[string]frame.Do{"redeliver": redeliver}},
	)
}

// hosts are the kinds of git hosts, and what they are called.
var hosts = []host{{"", "By its URL"}, {"github", "GitHub"}, {"gitlab", "GitLab"}, {"bitbucket", "Bitbucket Cloud"}, {"bitbucket-server", "Bitbucket Data Center"}, {"gitea", "Gitea or Forgejo"}, {"git", "Plain git"}}

type host struct{ Kind, Name string }

// page is the address of a source's page.
func page(name string) string { return (&url.URL{Path: "/sources/" + name}).EscapedPath() }

func path(v *frame.Visit, more ...string) string {
	return frame.Path(append([]string{"sources", v.Repo()}, more...)...)
}

func showNamespaces(v *frame.Visit) (any, error) {
	list, err := frame.Get[apitypes.List[apitypes.Namespace]](v, "/namespaces", v.Asked("cursor"))
	if err == nil && len(list.Items) == 1 && list.Next == "" && v.Query("cursor") == "" {
		return nil, v.Lead(frame.Path("n", list.Items[0].Name, "sources"))
	}
	return list, err
}

func showSources(v *frame.Visit) (any, error) {
	return frame.Get[apitypes.List[apitypes.Source]](v, frame.Path("namespaces", v.Path("namespace"), "sources"), v.Asked("cursor"))
}

type linkPage struct {
	Hosts []host
	// Missing is the name, without the namespace, of the repository that is not there yet for the
	// source that was linked; "" when it is there, and its rules have a page.
	Missing string
}

func showLink(v *frame.Visit) (any, error) {
	p := linkPage{Hosts: hosts}
	made, ok := v.Made.(apitypes.ChangedSource)
	if !ok {
		return p, nil
	}
	_, err := frame.Get[apitypes.RepositoryDetails](v, frame.Path("repositories", made.Name), nil)
	if frame.Missing(err) {
		_, p.Missing, _ = strings.Cut(made.Name, "/")
		return p, nil
	}
	return p, err
}

// linkSource shows the webhook's secret, this once.
func linkSource(v *frame.Visit) (string, error) {
	want := apitypes.LinkSourceRequest{Name: v.Sent.Get("name"), URL: v.Sent.Get("url"), Host: v.Sent.Get("host"), HostKey: v.Sent.Get("hostKey"), BuildExisting: v.Sent.Get("buildExisting") != ""}
	want.Credentials = credentials(v)
	var made apitypes.ChangedSource
	_, err := v.Send(http.MethodPost, frame.Path("namespaces", v.Path("namespace"), "sources"), want, &made)
	if err == nil {
		v.Made = made
	}
	return "", err
}

// credentials are those that a form asks for.
func credentials(v *frame.Visit) (c apitypes.GitCredentials) {
	switch v.Sent.Get("with") {
	case "token":
		c.Token, c.User = v.Sent.Get("token"), v.Sent.Get("user")
	case "deploy-key":
		c.DeployKey = true
	}
	return c
}

type sourcePage struct {
	Source     apitypes.Source
	Pulls      bool // the refs are pull requests
	Refs       []apitypes.GitRef
	Next       string
	Deliveries []apitypes.HookDelivery
	builds     []apitypes.Build // the latest from it
}

// Built are the builds of a ref at a commit.
func (p sourcePage) Built(ref, commit string) (list []apitypes.Build) {
	for _, b := range p.builds {
		if b.Ref == ref && b.Commit == commit {
			list = append(list, b)
		}
	}
	return list
}

func showSource(v *frame.Visit) (any, error) {
	p := sourcePage{}
	var err error
	if p.Source, err = frame.Get[apitypes.Source](v, path(v), nil); err != nil {
		return nil, err
	}
	q := v.Asked("cursor")
	if p.Pulls = v.Query("kind") == "pull_request"; p.Pulls {
		q.Set("kind", "pull_request")
	}
	refs, err := frame.Get[apitypes.List[apitypes.GitRef]](v, path(v, "refs"), q)
	if err != nil {
		return nil, err
	}
	p.Refs, p.Next = refs.Items, refs.Next
	built, err := frame.Get[apitypes.List[apitypes.Build]](v, "/builds", url.Values{"source": {v.Repo()}, "limit": {"100"}})
	if err != nil {
		return nil, err
	}
	p.builds = built.Items
	heard, err := frame.Get[apitypes.List[apitypes.HookDelivery]](v, path(v, "deliveries"), url.Values{"limit": {"5"}})
	p.Deliveries = heard.Items
	return p, err
}

func sweepSource(v *frame.Visit) (string, error) {
	_, err := v.Send(http.MethodPost, path(v, "sweep"), nil, nil)
	return page(v.Repo()), err
}

func unlinkSource(v *frame.Visit) (string, error) {
	seq, err := v.Send(http.MethodDelete, path(v), nil, nil)
	return fmt.Sprintf("%s?done=%d", frame.Path("n", v.Path("namespace"), "sources"), seq), err
}
