package images

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/plaintext"
	"hubledger/services/web/frame"
)

// A layerPage is one directory of a layer.
type layerPage struct {
	Repository string
	Image      string // digest of the image from which the visitor came, "" for none
	Files      apitypes.LayerFiles
	Steps      []step // from the root to the directory
	Entries    []layerEntry
	Next       string
}

// A step is one directory of a path, with the address of its page; "" for the last.
type step struct{ Name, To string }

// A layerEntry is an entry of the directory that is shown.
type layerEntry struct {
	apitypes.LayerFile
	To string // the page of a directory
}

// Shown is its name, with what would hide or turn it written out.
func (e layerEntry) Shown() string { return plaintext.Line(e.Name) }

// Leads is where a link leads, in the same way.
func (e layerEntry) Leads() string { return plaintext.Line(e.Link) }

// Digest is that of a file's content.
func (e layerEntry) Digest() string {
	if e.SHA256 == "" {
		return ""
	}
	return "sha256:" + e.SHA256
}

// refreshEvery is how many seconds pass until a page that waits for the hub asks again.
const refreshEvery = 2

func showLayer(v *frame.Visit) (any, error) {
	digest := v.Path("digest")
	files, err := frame.Get[apitypes.LayerFiles](v, frame.Path("repositories", v.Repo(), "layers", digest, "files"), withLimit(v.Asked("path", "cursor")))
	if err != nil {
		return nil, err
	}
	p := layerPage{Repository: v.Repo(), Image: v.Query("of"), Files: files, Next: files.Next}
	if files.State == "waiting" || files.State == "running" {
		v.RefreshAfter(refreshEvery)
	}
	p.Steps = stepsTo(v, files.Path)
	for _, f := range files.Items {
		e := layerEntry{LayerFile: f}
		if f.Type == "directory" {
			e.To = v.With("path", strings.TrimPrefix(files.Path+"/"+f.Name, "/"))
		}
		p.Entries = append(p.Entries, e)
	}
	return p, nil
}

// stepsTo leads from the root of a layer to a directory, which is the page itself.
func stepsTo(v *frame.Visit, dir string) []step {
	steps, at := []step{{"/", v.With("path", "")}}, ""
	for name := range strings.SplitSeq(dir, "/") {
		if name != "" {
			at = strings.TrimPrefix(at+"/"+name, "/")
			steps = append(steps, step{plaintext.Line(name) + "/", v.With("path", at)})
		}
	}
	steps[len(steps)-1].To = ""
	return steps
}

func withLimit(q url.Values) url.Values {
	q.Set("limit", "100")
	return q
}

// A shownLayer is a layer of an image, with what can be told of its files.
type shownLayer struct {
	apitypes.Layer
	// Listed says that it may be an archive, whose files can be listed.
	Listed bool
	// About says why its files cannot be listed, "" when that goes without saying.
	About string
}

// Shown are its layers, as the page shows them.
func (m shownImage) Shown() (list []shownLayer) {
	for _, l := range m.Layers {
		s := shownLayer{Layer: l}
		switch {
		case strings.Contains(l.MediaType, "+encrypted"):
			s.About = "encrypted"
		case strings.Contains(l.MediaType, "nondistributable"), strings.Contains(l.MediaType, "foreign"):
			s.About, s.Listed = "may be kept elsewhere", true
		case strings.Contains(l.MediaType, "tar"), strings.Contains(l.MediaType, "tgz"):
			s.Listed = true
		}
		list = append(list, s)
	}
	return list
}

// A changedFile is a path that two images do not have alike.
type changedFile struct{ apitypes.FileChange }

// Shown is its path, with what would hide or turn it written out.
func (c changedFile) Shown() string { return plaintext.Line(c.Path) }

// State says by icon, word and colour what happened to it.
func (c changedFile) State() frame.State {
	switch {
	case c.From == nil:
		return frame.State{Icon: "+", Word: "added", Class: "ok"}
	case c.To == nil:
		return frame.State{Icon: "−", Word: "removed", Class: "bad"}
	}
	return frame.State{Icon: "±", Word: "changed", Class: "busy"}
}

// How says in what the two differ.
func (c changedFile) How() string {
	a, b := cmp.Or(c.From, c.To), cmp.Or(c.To, c.From)
	var how []string
	for _, d := range []struct{ name, from, to string }{{"", a.Type, b.Type}, {"mode ", a.Mode, b.Mode}, {"owner ", owner(*a), owner(*b)}, {"leads to ", a.Link, b.Link}} {
		if d.from != d.to && !(a.Implied || b.Implied) {
			how = append(how, d.name+plaintext.Line(cmp.Or(d.from, "nothing"))+" → "+plaintext.Line(cmp.Or(d.to, "nothing")))
		}
	}
	if a.SHA256 != b.SHA256 && a.Type == b.Type {
		how = append(how, "content")
	}
	if len(how) == 0 {
		return a.Type
	}
	return strings.Join(how, ", ")
}

func owner(f apitypes.LayerFile) string { return strconv.Itoa(f.UID) + ":" + strconv.Itoa(f.GID) }

// filesPart is what the page that compares two images says of their files.
type filesPart struct {
	apitypes.FileChanges
	List []changedFile
}

// compareFiles asks for the files that differ, if the visitor wants to know.
func (p *comparePage) compareFiles(v *frame.Visit) error {
	if v.Query("files") == "" {
		return nil
	}
	q := withLimit(v.Asked("cursor"))
	q.Set("since", p.A.Digest)
	found, err := frame.Get[apitypes.FileChanges](v, frame.Path("repositories", v.Repo(), "manifests", p.B.Digest, "file-changes"), q)
	if refused := frame.Refused(err); refused != "" {
		p.FilesWrong = refused
		return nil
	}
	if err != nil {
		return err
	}
	p.Files = &filesPart{FileChanges: found}
	for _, c := range found.Items {
		p.Files.List = append(p.Files.List, changedFile{c})
	}
	if found.State == "waiting" {
		v.RefreshAfter(refreshEvery)
	}
	return nil
}
