package frame

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"strings"
)

// A view is the two templates of one page. All templates of a site are in one set, which
// holds the parts once; only these two have names of their own for each page.
type view struct{ title, main *template.Template }

// read reads a view, which defines title and main, and may define parts of its own. It
// panics when the file cannot be read: the program then does not start.
func (s *Site) read(files fs.FS, name string) view {
	s.views++
	text := string(must(fs.ReadFile(files, name)))
	unique := func(generic string) string { return fmt.Sprintf("%s %d %s", name, s.views, generic) }
	for _, generic := range []string{"title", "main"} {
		define := `{{define "` + generic + `"}}`
		if strings.Count(text, define) != 1 {
			panic(fmt.Sprintf("the view %s does not define %s once", name, generic))
		}
		text = strings.Replace(text, define, fmt.Sprintf("{{define %q}}", unique(generic)), 1)
	}
	s.parse(name, text)
	return view{s.templates.Lookup(unique("title")), s.templates.Lookup(unique("main"))}
}

// parse adds the templates of a file to the set. It panics when one of them is there
// already: the page that has the other one would change.
func (s *Site) parse(name, text string) {
	file := must(template.New(name).Funcs(s.functions()).Parse(text))
	for _, t := range file.Templates() {
		if t.Name() == name {
			continue // what stands outside of all definitions
		}
		if s.templates.Lookup(t.Name()) != nil {
			panic(fmt.Sprintf("%s defines the template %q, which there is already", name, t.Name()))
		}
		must(s.templates.AddParseTree(t.Name(), t.Tree))
	}
}

// text executes a template into a text that is HTML already.
func text(t *template.Template, v *Visit) (template.HTML, error) {
	var b bytes.Buffer
	err := t.Execute(&b, v)
	return template.HTML(b.String()), err
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Errorf("the embedded pages: %w", err))
	}
	return v
}
