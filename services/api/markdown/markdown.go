// Package markdown renders a README, which is not trusted, as harmless HTML: no
// script, no style, no form, and links to the web only.
package markdown

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	text "html"
	"net/url"
	"regexp"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// MaxSource is the longest text that is rendered, in bytes. It is that of
// events.RepositoryDescribed.
const MaxSource = 100_000

// MaxHTML bounds what a text becomes, in bytes.
const MaxHTML = 1 << 20

// atOnce is how many texts are rendered at a time: the others wait.
const atOnce = 2

// A Renderer may be used by several goroutines.
type Renderer struct {
	markdown goldmark.Markdown
	policy   *bluemonday.Policy
	slots    chan struct{}
	cache    cache
}

// New makes a renderer of GitHub Flavored Markdown.
func New() *Renderer {
	return &Renderer{
		markdown: goldmark.New(
			goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(headingIDs{}, 500))),
			goldmark.WithExtensions(extension.Linkify, extension.Strikethrough, extension.TaskList, extension.Footnote,
				extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
			// Raw HTML passes, as people write it in a README: what may stay of
			// it is for the policy to say.
			goldmark.WithRendererOptions(html.WithUnsafe()),
		),
		policy: newPolicy(),
		slots:  make(chan struct{}, atOnce),
		cache:  cache{entries: map[[sha256.Size]byte]*list.Element{}},
	}
}

// newPolicy allows what text needs. Images come over https only; no address
// may be one of the hub, but for the ids of the text itself.
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

	// Of any length: each repetition that is counted has a copy of these classes in memory.
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^` + idPrefix + `[\p{L}\p{M}\p{N}\p{Pc}:.-]+$`)).Globally()
	p.AllowAttrs("href").Matching(regexp.MustCompile(`(?i)^\s*(https?:|mailto:|#` + idPrefix + `)`)).OnElements("a")
	for _, scheme := range []string{"http", "https"} {
		// Without a host browsers take it for an address of the page's own.
		p.AllowURLSchemeWithCustomPolicy(scheme, func(u *url.URL) bool { return u.Host != "" })
	}
	p.AllowURLSchemes("mailto")
	p.AllowRelativeURLs(true) // for #id: the patterns of href and src allow no other
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AllowAttrs("src").Matching(regexp.MustCompile(`(?i)^https://`)).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("img")
	p.RequireParseableURLs(true)
	return p
}

// HTML renders a text. What would take too long, or becomes longer than
// MaxHTML, is shown as it was written. owner is whose text it is, such as a
// repository's id: what was rendered for one says nothing of another's. base is where
// relative links lead; with nil they are texts. The error is that of ctx, when it ends before it is this text's turn.
func (r *Renderer) HTML(ctx context.Context, owner, source string, base *Base) (string, error) {
	if len(source) > MaxSource {
		return "", fmt.Errorf("the text has %d bytes, %d are allowed", len(source), MaxSource)
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", owner, base, source))
	if kept, ok := r.cache.get(key); ok {
		return kept, nil
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return "", fmt.Errorf("wait to render markdown: %w", ctx.Err())
	}
	if kept, ok := r.cache.get(key); ok { // somebody else had waited for it, too
		return kept, nil
	}
	out, err := r.render([]byte(source), base)
	if err != nil {
		out = plain(source)
	}
	r.cache.put(key, out)
	return out, nil
}

// render fails for what is better shown as it was written.
func (r *Renderer) render(source []byte, base *Base) (string, error) {
	if err := judge(source); err != nil {
		return "", err
	}
	var raw bounded
	if err := r.markdown.Convert(source, &raw); err != nil {
		return "", fmt.Errorf("render markdown: %w", err)
	}
	prefixed, err := rewrite(raw.buf.Bytes(), base)
	if err != nil {
		return "", err
	}
	out := r.policy.SanitizeBytes(prefixed)
	if len(out) > MaxHTML {
		return "", errTooLong
	}
	return string(out), nil
}

// plain shows a text as it was written.
func plain(source string) string {
	return "<p>This text is too intricate to be shown formatted.</p>\n<pre>" + text.EscapeString(source) + "</pre>\n"
}

var errTooLong = errors.New("the HTML is too long")

// bounded takes MaxHTML bytes and then fails.
type bounded struct{ buf bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > MaxHTML {
		return 0, errTooLong
	}
	return b.buf.Write(p)
}
