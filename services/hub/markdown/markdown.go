// Package markdown shows a README, which is somebody else's text, as HTML that
// does nothing: no script, no style, no form, no address but of the web.
package markdown

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

// MaxSource is the longest text that is rendered, in bytes. It is that of
// events.RepositoryDescribed.
const MaxSource = 100_000

// A Renderer may be used by several goroutines.
type Renderer struct {
	markdown goldmark.Markdown
	policy   *bluemonday.Policy
}

// New makes a renderer of GitHub Flavored Markdown.
func New() *Renderer {
	return &Renderer{
		markdown: goldmark.New(
			goldmark.WithExtensions(extension.Linkify, extension.Strikethrough, extension.TaskList,
				extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
			// Raw HTML passes, as people write it in a README: what may stay of
			// it is for the policy to say.
			goldmark.WithRendererOptions(html.WithUnsafe()),
		),
		policy: newPolicy(),
	}
}

// newPolicy allows what text needs. Images come over https only; no address
// may be relative, since it would be one of the hub.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "s", "del", "ins", "u", "sub", "sup",
		"kbd", "code", "pre", "samp", "var", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "details", "summary", "div", "span",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("th", "td", "p", "div", "img")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[A-Za-z0-9_+-]{1,40}$`)).OnElements("code")
	p.AllowAttrs("type").Matching(regexp.MustCompile(`^checkbox$`)).OnElements("input")
	p.AllowAttrs("checked", "disabled").Matching(regexp.MustCompile(`^(checked|disabled)?$`)).OnElements("input")

	p.AllowAttrs("href").OnElements("a")
	for _, scheme := range []string{"http", "https"} {
		// Without a host browsers take it for an address of the page's own.
		p.AllowURLSchemeWithCustomPolicy(scheme, func(u *url.URL) bool { return u.Host != "" })
	}
	p.AllowURLSchemes("mailto")
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AllowAttrs("src").Matching(regexp.MustCompile(`(?i)^https://`)).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("img")
	p.RequireParseableURLs(true)
	return p
}

// HTML renders a text.
func (r *Renderer) HTML(source string) (string, error) {
	if len(source) > MaxSource {
		return "", fmt.Errorf("the text has %d bytes, %d are allowed", len(source), MaxSource)
	}
	var raw bytes.Buffer
	if err := r.markdown.Convert([]byte(source), &raw); err != nil {
		return "", fmt.Errorf("render markdown: %w", err)
	}
	return string(r.policy.SanitizeBytes(raw.Bytes())), nil
}
