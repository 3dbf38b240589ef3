package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"hubledger/services/cmd/console"
	"hubledger/services/internal/apitypes"
	"hubledger/services/internal/durable"
	"hubledger/services/internal/eventquery"
	"hubledger/services/internal/plaintext"
)

type reportCmd struct {
	console.Target
	Since  string   `help:"From when on: a date such as 2026-11-01, a time, or so long ago, such as 30d." default:"30d" placeholder:"WHEN"`
	Before string   `help:"Until when, likewise; default: now." placeholder:"WHEN"`
	Only   []string `help:"Only these chapters, comma-separated: pushes, builds, deployments, access, deletions, refusals." enum:"pushes,builds,deployments,access,deletions,refusals" placeholder:"CHAPTERS"`
	Format string   `help:"${enum}." enum:"markdown,html" default:"markdown"`
	Output string   `short:"o" help:"File for the report; standard output when empty." type:"path" placeholder:"FILE"`
	Sign   bool     `help:"Put beside the report FILE.proofs, a directory with a proof of each event which hubledger verify-proof checks, and FILE.checkpoint, the last signed one."`
	Limit  int      `help:"How many of the latest events to report at most; the report says when there were more." default:"10000"`
}

func (c *reportCmd) Help() string {
	return `Who pushed, built, deployed, changed rights, deleted and was refused in a period, with the number of each event in the log, which
` + "`hubledger events show` and `hubledger prove event`" + ` take. It has what you may read; administrators read all. What has
changed in access since a date: ` + "`hubledger report --only access --since 2026-11-01`" + `.`
}

// A chapter of a report is the events of some types.
type chapter struct {
	Name  string           `json:"name"`
	Title string           `json:"title"`
	types []string         // as the filter has them
	Rows  []apitypes.Event `json:"events"`
	Who   []tally          `json:"who"` // who did how many, the most first
}

type tally struct {
	Actor string `json:"actor"`
	N     int    `json:"events"`
}

func chapters() []*chapter {
	return []*chapter{
		{Name: "pushes", Title: "Pushed", types: []string{"image.pushed", "image.tagged"}},
		{Name: "builds", Title: "Built", types: []string{"build.finished", "build.pushed", "build.lost"}},
		{Name: "deployments", Title: "Released and deployed", types: []string{"release.made", "deployment.*"}},
		{Name: "access", Title: "Access", types: []string{"grant.*", "membership.*", "team.*", "robot.*", "token.*", "user.*", "machine.*", "namespace.*", "repository.visibility_changed"}},
		{Name: "deletions", Title: "Deleted and restored", types: []string{"repository.deleted", "repository.restored", "tag.deleted", "tag.restored", "manifest.deleted", "manifest.restored",
			"blobs.swept", "source.unlinked", "application.deleted", "environment.deleted", "log.redacted"}},
		{Name: "refusals", Title: "Refused", types: []string{"refusals.counted", "logins.refused"}},
	}
}

// has says whether an event belongs to the chapter.
func (c *chapter) has(kind string) bool {
	return slices.ContainsFunc(c.types, func(t string) bool {
		prefix, all := strings.CutSuffix(t, "*")
		return all && strings.HasPrefix(kind, prefix) || strings.HasPrefix(kind, t+".v")
	})
}

func (c *chapter) count() {
	n := map[string]int{}
	for _, e := range c.Rows {
		n[e.Actor]++
	}
	for actor, k := range n {
		c.Who = append(c.Who, tally{actor, k})
	}
	slices.SortFunc(c.Who, func(a, b tally) int {
		if a.N != b.N {
			return b.N - a.N
		}
		return strings.Compare(a.Actor, b.Actor)
	})
}

// A report is what its formats are made of.
type report struct {
	Hub      string     `json:"hub"`
	Since    string     `json:"since"` // as it was asked for
	Before   string     `json:"before,omitempty"`
	Made     time.Time  `json:"made"`
	Chapters []*chapter `json:"chapters"`
	Events   int        `json:"events"`
	Cut      bool       `json:"cut,omitempty"` // there were more
}

func (c *reportCmd) Run(s *console.Session) error {
	if c.Limit < 1 {
		return fmt.Errorf("--limit must be at least 1")
	}
	if c.Sign && (c.Output == "" || s.JSON) {
		return fmt.Errorf("--sign puts proofs beside the report: name the file of the report with -o, and leave --json out")
	}
	r := report{Since: c.Since, Before: c.Before, Made: time.Now().UTC()}
	text := "since:" + c.Since
	if c.Before != "" {
		text += " before:" + c.Before
	}
	for _, ch := range chapters() {
		if len(c.Only) > 0 && !slices.Contains(c.Only, ch.Name) {
			continue
		}
		r.Chapters = append(r.Chapters, ch)
		for _, t := range ch.types {
			text += " type:" + t
		}
	}
	q, err := eventquery.Parse(text)
	if err != nil {
		return fmt.Errorf("the period: %w", err)
	}
	a, err := c.API(s)
	if err != nil {
		return err
	}
	r.Hub = a.Host()
	err = eachEvent(a, url.Values{"q": {q.String()}}, c.Limit+1, func(e apitypes.Event) error {
		if r.Events++; r.Events > c.Limit {
			r.Events, r.Cut = c.Limit, true
			return nil
		}
		for _, ch := range r.Chapters {
			if ch.has(e.Type) {
				ch.Rows = append(ch.Rows, e)
				break
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, ch := range r.Chapters {
		ch.count()
	}
	var out bytes.Buffer
	switch {
	case s.JSON:
		return s.Print(r)
	case c.Format == "html":
		err = reportPage.Execute(&out, r)
	default:
		err = r.markdown(&out)
	}
	if err != nil {
		return err
	}
	if c.Output == "" {
		_, err := s.Out.Write(out.Bytes())
		return err
	}
	if err := durable.ReplaceFile(c.Output, out.Bytes(), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "Wrote a report of %d events to %s.\n", r.Events, c.Output)
	if !c.Sign {
		return nil
	}
	return r.sign(a, c.Output)
}

// sign proves each event of a report, in a directory beside it.
func (r report) sign(a *console.API, file string) error {
	var seqs []uint64
	for _, ch := range r.Chapters {
		for _, e := range ch.Rows {
			seqs = append(seqs, e.Seq)
		}
	}
	if len(seqs) == 0 {
		return errors.New("the report has no events, so there is nothing to prove")
	}
	slices.Sort(seqs)
	dir := file + ".proofs"
	if err := writeProofs(a, dir, seqs); err != nil {
		return err
	}
	signed, err := console.Get[apitypes.Checkpoint](a, "/checkpoint")
	if err == nil {
		err = durable.ReplaceFile(file+".checkpoint", []byte(signed.Signed), 0o644)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Session.Out, "%s proves each of them. Check it with `hubledger verify-proof %s --key KEY`; `hubledger checkpoint --key` prints the key.\n", dir, dir)
	return err
}

// Period is the time that the report is about.
func (r report) Period() string {
	until := r.Before
	if until == "" {
		until = r.Made.Format(time.RFC3339)
	}
	return "From " + r.Since + " until " + until
}

func (r report) markdown(w io.Writer) error {
	fmt.Fprintf(w, "# Report of %s\n\n%s. Made at %s.\n", literal(r.Hub), literal(r.Period()), r.Made.Format(time.RFC3339))
	if r.Cut {
		fmt.Fprintf(w, "\n**There were more events than %d: this report has the latest.**\n", r.Events)
	}
	for _, ch := range r.Chapters {
		fmt.Fprintf(w, "\n## %s\n\n", ch.Title)
		if len(ch.Rows) == 0 {
			fmt.Fprintln(w, "Nothing.")
			continue
		}
		for _, t := range ch.Who {
			fmt.Fprintf(w, "- %s: %d\n", literal(t.Actor), t.N)
		}
		fmt.Fprint(w, "\n| event | time | who | what |\n|---|---|---|---|\n")
		for _, e := range ch.Rows {
			fmt.Fprintf(w, "| %d | %s | %s | %s |\n", e.Seq, e.Time.UTC().Format(time.RFC3339), literal(e.Actor), literal(e.Text))
		}
	}
	return nil
}

// literal is a text in which Markdown changes nothing.
func literal(text string) string {
	var b strings.Builder
	for _, r := range plaintext.Line(text) {
		if strings.ContainsRune("\\`*_{}[]<>()#+-.!|~&", r) && r != '.' && r != '-' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"time": func(t time.Time) string { return t.UTC().Format(time.RFC3339) }, "line": plaintext.Line,
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Report of {{line .Hub}}</title>
<style>body{font:16px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d0d7de;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}.n{font-variant-numeric:tabular-nums;text-align:right}</style></head>
<body><h1>Report of {{line .Hub}}</h1><p>{{line .Period}}. Made at {{time .Made}}.</p>
{{if .Cut}}<p><strong>There were more events than {{.Events}}: this report has the latest.</strong></p>{{end}}
{{range .Chapters}}<h2>{{.Title}}</h2>{{if .Rows}}<ul>{{range .Who}}<li>{{line .Actor}}: {{.N}}</li>{{end}}</ul>
<table><thead><tr><th class="n">Event</th><th>Time</th><th>Who</th><th>What</th></tr></thead><tbody>
{{range .Rows}}<tr><td class="n">{{.Seq}}</td><td>{{time .Time}}</td><td>{{line .Actor}}</td><td>{{line .Text}}</td></tr>
{{end}}</tbody></table>{{else}}<p>Nothing.</p>{{end}}
{{end}}</body></html>
`))
