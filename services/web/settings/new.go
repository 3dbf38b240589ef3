package settings

import (
	"net/http"
	"net/url"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/web/frame"
)

type newPage struct {
	Namespaces []string // in which the visitor may make repositories
	More       bool     // there are others
	Namespace  string   // the one that is chosen
	Name       string   // that is proposed
	Then       string   // the page to go on with: rules, or "" for the repository
	Visibility string
}

func showNew(v *frame.Visit) (any, error) {
	p := newPage{Namespace: v.Query("namespace"), Name: v.Query("name"), Then: v.Query("then")}
	hub, err := frame.Get[apitypes.Hub](v, "/hub", nil)
	if err != nil {
		return nil, err
	}
	p.Visibility = hub.DefaultVisibility
	list, err := frame.Get[apitypes.List[apitypes.Namespace]](v, "/namespaces", url.Values{"limit": {"100"}})
	p.More = list.Next != ""
	for _, ns := range list.Items {
		if ns.Level != "read" {
			p.Namespaces = append(p.Namespaces, ns.Name)
		}
	}
	if p.Namespace == "" {
		p.Namespace = v.Me()
	}
	return p, err
}

// create makes a repository. Its page says how to push into it; who comes from linking a git
// repository goes on with its rules.
func create(v *frame.Visit) (string, error) {
	want := apitypes.CreateRepositoryRequest{Name: v.Sent.Get("namespace") + "/" + strings.TrimSpace(v.Sent.Get("name")),
		Visibility: v.Sent.Get("visibility"), Description: v.Sent.Get("description")}
	seq, err := v.Send(http.MethodPost, "/repositories", want, nil)
	to := frame.RepoPage(want.Name)
	if v.Sent.Get("then") == "rules" {
		to += "/-/rules"
	}
	return frame.Done(to, seq, frame.At("name", err))
}
