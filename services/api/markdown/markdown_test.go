package markdown_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hubledger/services/api/markdown"
)

func render(t testing.TB, source string) string {
	t.Helper()
	out, err := markdown.New().HTML(t.Context(), "", source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHTML(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"# App\n\nruns **well**", "<h1 id=\"user-content-app\">App</h1>\n<p>runs <strong>well</strong></p>\n"},
		{"|a|b|\n|-|:-:|\n|1|2|\n", `<td align="center">2</td>`},
		{"~~old~~ https://example.com/x", `<del>old</del> <a href="https://example.com/x" rel="nofollow noreferrer">https://example.com/x</a>`},
		{"[app](https://example.com)", `<a href="https://example.com" rel="nofollow noreferrer">app</a>`},
		{"![logo](https://example.com/l.png)", `<img src="https://example.com/l.png" alt="logo"`},
		{"```go\nx < y\n```", `<code class="language-go">x &lt; y`},
		{"- [x] done\n- [ ] not", `<input checked="" disabled="" type="checkbox"`},
		{"<details><summary>more</summary>text</details>", "<details><summary>more</summary>text</details>"},
	} {
		if got := render(t, c.source); !strings.Contains(got, c.want) {
			t.Errorf("%q\n became %q\n without %q", c.source, got, c.want)
		}
	}
}

// The ids are those that GitHub gives, so that a README works here as it does there.
func TestAnchors(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"[Usage](#usage)", `<a href="#user-content-usage" rel="nofollow noreferrer">Usage</a>`},
		{"## Usage", `<h2 id="user-content-usage">Usage</h2>`},
		{"## What's `--new` in [2.0](https://example.com)?", `<h2 id="user-content-whats---new-in-20">`},
		{"Setext *one*\n===", `<h1 id="user-content-setext-one">`},
		{"# Über uns\n[x](#über-uns)", `<h1 id="user-content-über-uns">`},
		{"# Über uns\n[x](#über-uns)", `<a href="#user-content-%C3%BCber-uns"`},
		{"# A\n# A\n# A-1\n# A", `<h1 id="user-content-a">A</h1>` + "\n" + `<h1 id="user-content-a-1">A</h1>` + "\n" + `<h1 id="user-content-a-1-1">A-1</h1>` + "\n" + `<h1 id="user-content-a-2">A</h1>`},
		{"# !?", `<h1>!?</h1>`},
		{`<a name="top"></a><p align="right"><a href="#top">up</a></p>`, `<a id="user-content-top"></a><p align="right"><a href="#user-content-top"`},
		{`<h2 id="user-content-setup">Setup</h2>`, `<h2 id="user-content-setup">`},
		{"a[^1]\n\n[^1]: note", `<sup id="user-content-fnref:1"><a href="#user-content-fn:1" rel="nofollow noreferrer">1</a></sup>`},
		{"a[^1]\n\n[^1]: note", `<li id="user-content-fn:1">`},
		{"a[^1]\n\n[^1]: note", `<a href="#user-content-fnref:1"`},
	} {
		if got := render(t, c.source); !strings.Contains(got, c.want) {
			t.Errorf("%q\n became %q\n without %q", c.source, got, c.want)
		}
	}
}

// hostile are texts of people who want more than to be read.
var hostile = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<img src="http://tracker.example/x.gif">`,
	`[x](javascript:alert(1))`, `[x](JaVaScRiPt:alert(1))`, `[x](data:text/html;base64,PHNjcmlwdD4=)`, `[x](vbscript:x)`,
	"[x](java\tscript:alert(1))", `<a href="&#106;avascript:alert(1)">x</a>`, `<a href="/api/v1/users" onclick=x>x</a>`,
	`<iframe src="https://example.com"></iframe>`, `<form action="https://example.com"><input name=p type=password><button>x</button></form>`,
	`<style>*{display:none}</style>`, `<p style="position:fixed">x</p>`, `<svg onload=alert(1)>`, `<math><mtext></mtext><script>alert(1)</script></math>`,
	`<base href="https://evil.example/">`, `<meta http-equiv=refresh content=0>`, `<link rel=stylesheet href=https://evil.example/x.css>`,
	`<p id="login">x</p><a name="csrf">x</a><a href="#user-content-x/../y" id=' x'>x</a>`, `[x](/logout#usage)`, `[x](?a#b)`, `[x](//evil.example/#x)`, `<a href="#">x</a>`, "# \"><script>", "[^\"><b>]\n\n[^\"><b>]: <script>x</script>",
	`![x](//tracker.example/x.gif)`, `<img srcset="http://a.example/1 1x">`, `<object data="x"></object>`, `<p id=login class=button>x</p>`,
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", `<div hidden="until-found">x</div>`, `<a href="https://example.com" target=_top>x</a>`,
}

// harmless says what is wrong with rendered HTML, "" for nothing.
func harmless(rendered string) string {
	may := map[string]string{"a": "href rel", "img": "src alt title width height align", "ol": "start", "code": "class",
		"th": "align", "td": "align", "p": "align", "div": "align", "input": "type checked disabled"}
	z := html.NewTokenizer(strings.NewReader(rendered))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.CommentToken, html.DoctypeToken:
			return "a comment"
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			switch tok.Data {
			case "script", "style", "iframe", "form", "button", "object", "embed", "svg", "math", "base", "meta", "link", "noscript", "template", "textarea", "select":
				return "<" + tok.Data + ">"
			}
			for _, a := range tok.Attr {
				v := strings.ToLower(strings.TrimSpace(a.Val))
				switch {
				case a.Key == "id" && strings.HasPrefix(a.Val, "user-content-") && !strings.ContainsAny(a.Val, " \"'<>/"):
				case !strings.Contains(" "+may[tok.Data]+" ", " "+a.Key+" "):
					return tok.Data + " has " + a.Key
				case a.Key == "src" && !strings.HasPrefix(v, "https://"):
					return "src " + a.Val
				case a.Key == "href" && !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "mailto:") && !strings.HasPrefix(v, "#user-content-"):
					return "href " + a.Val
				case a.Key == "type" && v != "checkbox":
					return "input " + a.Val
				}
			}
		}
	}
}

func TestHostile(t *testing.T) {
	for _, source := range hostile {
		if out := render(t, source); harmless(out) != "" {
			t.Errorf("%q became %q: %s", source, out, harmless(out))
		}
	}
	for _, bad := range []string{`<script>`, `<a href="javascript:x">`, `<img src="http://x">`, `<p onclick="x">`} {
		if harmless(bad) == "" {
			t.Errorf("the test takes %q for harmless", bad)
		}
	}
}

func TestTooLong(t *testing.T) {
	if _, err := markdown.New().HTML(t.Context(), "", strings.Repeat("x", markdown.MaxSource+1), nil); err == nil {
		t.Error("a text over the limit was rendered")
	}
}

func FuzzHTML(f *testing.F) {
	for _, source := range hostile {
		f.Add(source)
	}
	r := markdown.New()
	f.Fuzz(func(t *testing.T, source string) {
		out, err := r.HTML(t.Context(), "", source, nil)
		if err != nil {
			t.Skip()
		}
		if why := harmless(out); why != "" {
			t.Errorf("%q became %q: %s", source, out, why)
		}
	})
}
