package markdown

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
)

// idPrefix is put before every id of a text, as GitHub does: so no id can be one
// of the page in which the text is shown.
const idPrefix = "user-content-"

// headingIDs gives headings the ids that GitHub gives them, without the prefix.
type headingIDs struct{}

// Transform is called by goldmark when a text has been parsed.
func (headingIDs) Transform(document *ast.Document, reader text.Reader, _ parser.Context) {
	seen := map[string]int{}
	ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Kind() != ast.KindHeading || !entering {
			return ast.WalkContinue, nil
		}
		if id := slug(textOf(n, reader.Source())); id != "" {
			n.SetAttributeString("id", []byte(unique(seen, id)))
		}
		return ast.WalkSkipChildren, nil
	})
}

// textOf is what people read of a heading.
func textOf(heading ast.Node, source []byte) string {
	var b strings.Builder
	ast.Walk(heading, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(source))
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// slug is the text of a heading as an id: letters in lower case, digits, '_' and
// '-', and '-' for spaces.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Pc):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// unique numbers an id that was given before. seen has, for each id that was
// given, the last number that was tried.
func unique(seen map[string]int, id string) string {
	given := id
	for {
		if _, ok := seen[given]; !ok {
			break
		}
		seen[id]++
		given = id + "-" + strconv.Itoa(seen[id])
	}
	seen[given] = 0
	return given
}

// rewrite puts idPrefix before the ids in HTML and before the links to them, and has relative
// links lead to where base says. It trusts and keeps what it does not change: the policy comes after it.
func rewrite(rendered []byte, base *Base) ([]byte, error) {
	var out bytes.Buffer
	for z := html.NewTokenizer(bytes.NewReader(rendered)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() == io.EOF {
				return out.Bytes(), nil
			}
			return nil, fmt.Errorf("read the rendered HTML: %w", z.Err())
		case html.StartTagToken, html.SelfClosingTagToken:
			raw := z.Raw()
			if !bytes.ContainsAny(raw, "=") {
				out.Write(raw)
				continue
			}
			raw = bytes.Clone(raw)
			if token := z.Token(); rewritten(&token, base) {
				raw = []byte(token.String())
			}
			out.Write(raw)
		default:
			out.Write(z.Raw())
		}
	}
}

// rewritten does that in one tag, and says whether there was anything to do. The name of an
// anchor, as it was written before there were ids, becomes its id.
func rewritten(tag *html.Token, base *Base) (changed bool) {
	for k := range tag.Attr {
		a := &tag.Attr[k]
		switch {
		case a.Key == "id" || a.Key == "name" && tag.Data == "a":
			a.Key, a.Val = "id", withPrefix(a.Val)
		case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
			a.Val = "#" + withPrefix(a.Val[1:])
		case a.Key == "href" && base != nil:
			a.Val = resolve(base.page, a.Val)
		case a.Key == "src" && base != nil:
			a.Val = resolve(base.raw, a.Val)
		default:
			continue
		}
		changed = true
	}
	return changed
}

// withPrefix leaves an id alone that somebody copied from a page, prefix and all.
func withPrefix(id string) string { return idPrefix + strings.TrimPrefix(id, idPrefix) }
