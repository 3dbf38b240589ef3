package githook

import (
	"net/url"
	"strings"

	"hubledger/events"
	"hubledger/services/internal/plaintext"
)

const (
	branches = "refs/heads/"
	tags     = "refs/tags/"
)

// add notes what is said of a ref.
func (h *Hook) add(d *document, name, old, new string) {
	switch {
	case d.err != nil:
	case name == "":
		d.fail("a ref has no name")
	case !isID(old) || !isID(new):
		d.fail("an id of %s is not hexadecimal", cut(name, maxHeader))
	case len(h.Refs) == MaxRefs || len(name) > maxName:
		h.More++
	default:
		h.Refs = append(h.Refs, events.HookRef{Ref: name, Old: present(old), New: present(new)})
	}
}

// isID says whether a text is the id of a git object, of SHA-1 or SHA-256, whole or
// shortened, or empty.
func isID(s string) bool {
	return len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// present is an id, "" for the zeros that stand for none.
func present(id string) string {
	if strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}

// full makes a full name of one that may be short.
func full(d *document, kind, name string) string {
	switch {
	case name == "" || strings.HasPrefix(name, branches) || strings.HasPrefix(name, tags):
		return name
	case kind == "branch" || kind == "BRANCH":
		return branches + name
	case kind == "tag" || kind == "TAG":
		return tags + name
	}
	d.fail("it has a ref of the unknown kind %q", cut(kind, maxEvent))
	return ""
}

// names notes the URL of the repository.
func (h *Hook) names(text string) {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Host == "" || !plaintext.IsLine(text) {
		return // it is shown, and nothing else
	}
	u.User = nil
	h.Repository = u.String()
}

// readGitHub reads what GitHub, Gitea and Forgejo send, and what a hook of plain git
// does: that may name several refs in "changes", and no event.
func (h *Hook) readGitHub(d *document, text value, plain bool) {
	f := d.fields(text, "the body", "ref", "before", "after", "ref_type", "repository", "changes")
	ref, before, after, kind := d.text(f[0], "ref"), d.text(f[1], "before"), d.text(f[2], "after"), d.text(f[3], "ref_type")
	if h.Event == "" && plain {
		h.Event = "push"
	}
	switch {
	case h.Event == "ping":
		h.Ping = true
	case h.Event == "push" && plain:
		h.addAll(d, f[5])
		if ref != "" {
			h.add(d, ref, before, after)
		}
	case h.Event == "push":
		h.add(d, ref, before, after)
	case h.Event == "create" || h.Event == "delete":
		h.add(d, full(d, kind, ref), "", "")
	}
	h.names(d.text(d.at(f[4], "repository", "clone_url"), "repository.clone_url"))
}

// addAll adds the refs of an array of objects with ref, before and after.
func (h *Hook) addAll(d *document, changes value) {
	for change := range d.elements(changes, "changes") {
		f := d.fields(change, "a change", "ref", "before", "after")
		h.add(d, d.text(f[0], "ref"), d.text(f[1], "before"), d.text(f[2], "after"))
	}
}

// dropTest takes Gitea's test for a ping: it is a push that moves nothing.
func (h *Hook) dropTest() {
	if h.Event == "push" && len(h.Refs) == 1 && h.Refs[0].New != "" && h.Refs[0].Old == h.Refs[0].New {
		h.Ping, h.Refs = true, nil
	}
}

// readGitLab reads the webhooks of projects and groups, and system hooks. Their
// header calls a push "Push Hook" or "System Hook"; the body says more.
func (h *Hook) readGitLab(d *document, text value) {
	f := d.fields(text, "the body", "object_kind", "event_name", "ref", "before", "after", "project", "changes")
	for _, said := range []string{d.text(f[1], "event_name"), d.text(f[0], "object_kind")} {
		if said != "" {
			h.Event = cut(said, maxEvent)
		}
	}
	switch h.Event {
	case "push", "tag_push":
		h.add(d, d.text(f[2], "ref"), d.text(f[3], "before"), d.text(f[4], "after"))
	case "repository_update":
		h.addAll(d, f[6])
	}
	h.names(d.text(d.at(f[5], "project", "git_http_url"), "project.git_http_url"))
}

func (h *Hook) readBitbucket(d *document, text value) {
	f := d.fields(text, "the body", "push", "repository")
	if h.Event == "repo:push" {
		for change := range d.elements(d.at(f[0], "push", "changes"), "push.changes") {
			f := d.fields(change, "a change", "old", "new")
			name, old := side(d, f[0])
			after, new := side(d, f[1])
			if after != "" {
				name = after
			}
			h.add(d, name, old, new)
		}
	}
	h.names(d.text(d.at(f[1], "repository", "links", "html", "href"), "repository.links.html.href"))
}

// side is the full name and commit of a ref before or after a change.
func side(d *document, ref value) (name, id string) {
	if ref == nil {
		return "", ""
	}
	f := d.fields(ref, "a ref", "type", "name", "target")
	return full(d, d.text(f[0], "type"), d.text(f[1], "name")), d.text(d.at(f[2], "target", "hash"), "target.hash")
}

// readBitbucketServer reads pushes, and what a mirror has fetched, in which refs
// have the same form.
func (h *Hook) readBitbucketServer(d *document, text value) {
	f := d.fields(text, "the body", "changes", "repository")
	switch h.Event {
	case "diagnostics:ping":
		h.Ping = true
	case "repo:refs_changed", "mirror:repo_synchronized":
		for change := range d.elements(f[0], "changes") {
			f := d.fields(change, "a change", "ref", "refId", "fromHash", "toHash")
			name := d.text(f[1], "refId")
			if name == "" {
				name = d.text(d.at(f[0], "ref", "id"), "ref.id")
			}
			h.add(d, name, d.text(f[2], "fromHash"), d.text(f[3], "toHash"))
		}
	}
	for link := range d.elements(d.at(f[1], "repository", "links", "clone"), "repository.links.clone") {
		f := d.fields(link, "a link", "name", "href")
		if name := d.text(f[0], "name"); name == "http" || name == "https" {
			h.names(d.text(f[1], "href"))
		}
	}
}
