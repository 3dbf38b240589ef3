package service

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/plaintext"
)

// Kinds of references in a sentence.
const (
	RefAccount    = "account"    // a user, an organization or a robot account
	RefTeam       = "team"       // Name is organization/team
	RefRepository = "repository" // Name is the full name
	RefTag        = "tag"        // Name is repository:tag; ID is that of the repository
	RefImage      = "image"      // Name is repository@digest, in full; ID is that of the repository
	RefBuild      = "build"      // ID only
	RefSource     = "source"     // a git source
	RefMachine    = "machine"    // Name only
	RefApp        = "app"        // an application
)

// A Part of a sentence is plain text, or a reference to something of the hub.
type Part struct {
	Text string // as people read it, in one line
	Kind string // what is referred to; "" for plain text
	Name string // by which the API finds it; "" where the hub does not know one
	ID   string // "" where it has none
}

// A Text is a sentence in parts.
type Text []Part

// String is the sentence as plain text.
func (t Text) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Say makes a sentence of texts, parts and other sentences. What is plain is one part
// with what is plain beside it.
func Say(of ...any) (t Text) {
	add := func(p Part) {
		p.Text = plaintext.Line(p.Text)
		switch n := len(t) - 1; {
		case p.Text == "":
		case n >= 0 && p.Kind == "" && t[n].Kind == "":
			t[n].Text += p.Text
		default:
			t = append(t, p)
		}
	}
	for _, one := range of {
		switch v := one.(type) {
		case Part:
			add(v)
		case Text:
			for _, p := range v {
				add(p)
			}
		default:
			add(Part{Text: fmt.Sprint(v)})
		}
	}
	return t
}

// named is a name, or "" when there is only the id.
func named(name, id string) string {
	if name == id {
		return ""
	}
	return name
}

// Account refers to a user, an organization or a robot account.
func Account(n Names, id string) Part {
	name := n.Account(id)
	return Part{name, RefAccount, named(name, id), id}
}

// Repository refers to a repository.
func Repository(n Names, id string) Part {
	name := n.Repository(id)
	return Part{name, RefRepository, named(name, id), id}
}

// Tag refers to a tag of a repository.
func Tag(n Names, repository, tag string) Part {
	name := n.Repository(repository) + ":" + tag
	return Part{name, RefTag, name, repository}
}

// Image refers to an image by its digest, of which the text has twelve digits.
func Image(n Names, repository string, d digest.Digest) Part {
	return Part{ShortDigest(d), RefImage, n.Repository(repository) + "@" + d.String(), repository}
}

// ShortDigest is a digest with twelve digits.
func ShortDigest(d digest.Digest) string {
	algorithm, digits, ok := strings.Cut(d.String(), ":")
	if !ok || len(digits) <= 12 {
		return d.String()
	}
	return algorithm + ":" + digits[:12]
}

// Build refers to a build.
func Build(id string) Part { return Part{"build " + apitypes.ShortID(id), RefBuild, "", id} }

// Source refers to a git source by its name.
func Source(name, id string) Part { return Part{name, RefSource, name, id} }

// Application refers to an application by its full name.
func Application(name, id string) Part { return Part{name, RefApp, name, id} }

// Machine refers to a builder or another machine.
func Machine(name string) Part { return Part{name, RefMachine, name, ""} }
