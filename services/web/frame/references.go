package frame

import (
	"html/template"
	"net/url"
	"strings"

	"hubledger/services/internal/apitypes"
)

// Reference is the address of the page of what a part of a sentence refers to; "" when it
// has none.
func Reference(p apitypes.EventPart) string {
	if p.Name == "" && p.Kind != "build" {
		return ""
	}
	switch p.Kind {
	case "account":
		if strings.Contains(p.Name, "+") { // a robot account is on the page of its organization
			return ""
		}
		return "/n/" + url.PathEscape(p.Name)
	case "repository":
		return RepoPage(p.Name)
	case "tag":
		if repo, tag, ok := strings.Cut(p.Name, ":"); ok {
			return RepoPage(repo) + "/-/tags/" + url.PathEscape(tag)
		}
	case "image":
		if repo, digest, ok := strings.Cut(p.Name, "@"); ok {
			return RepoPage(repo) + "/-/images/" + url.PathEscape(digest)
		}
	case "build":
		return "/builds/" + url.PathEscape(p.ID)
	case "app":
		return AppPage(p.Name)
	case "source":
		return (&url.URL{Path: "/sources/" + p.Name}).EscapedPath()
	}
	return ""
}

// sentence is what happened, with links. A page has hundreds of parts, for which a template
// takes several times as long.
func sentence(parts []apitypes.EventPart) template.HTML {
	var b strings.Builder
	for _, p := range parts {
		text, to := template.HTMLEscapeString(p.Text), Reference(p)
		if to == "" {
			b.WriteString(text)
			continue
		}
		b.WriteString(`<a href="` + template.HTMLEscapeString(to) + `">` + text + `</a>`)
	}
	return template.HTML(b.String())
}
