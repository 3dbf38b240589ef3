package frame

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// pictureHost is a host, with a port or without, as --readme-image-hosts has them.
var pictureHost = regexp.MustCompile(`^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$`)

// CheckPictureHosts says whether all of these are hosts, such as img.shields.io, or *.example.com for
// those below one.
func CheckPictureHosts(hosts []string) error {
	for _, h := range hosts {
		if !pictureHost.MatchString(h) {
			return fmt.Errorf("%q is not a host such as img.shields.io, or *.example.com for those below one", h)
		}
	}
	return nil
}

// Prose is a README as pages show it, from the harmless HTML that the API makes of it. A picture
// is a link to it, since loading it would tell another host who reads the page, unless the
// operator allows its host. What scrolls can be reached by the keyboard.
func Prose(v *Visit, harmless string) template.HTML {
	var out bytes.Buffer
	linked := 0 // how many links the place is in
	for z := html.NewTokenizer(strings.NewReader(harmless)); ; {
		kind := z.Next()
		if kind == html.ErrorToken { // the end
			return template.HTML(out.String())
		}
		raw := bytes.Clone(z.Raw())
		t := z.Token()
		switch {
		case t.Data == "a" && kind == html.StartTagToken:
			linked++
		case t.Data == "a" && kind == html.EndTagToken:
			linked--
		case t.Data == "pre" && kind == html.StartTagToken:
			raw = []byte(`<pre tabindex="0">`)
		case t.Data == "img" && kind != html.EndTagToken && !v.site.shows(attribute(t, "src")):
			raw = []byte(picture(t, linked > 0))
		}
		out.Write(raw)
	}
}

// picture is what stands for a picture that is not shown.
func picture(t html.Token, linked bool) string {
	about := attribute(t, "alt")
	if about == "" {
		about = "picture"
	}
	if linked {
		return html.EscapeString(about)
	}
	return `<a href="` + html.EscapeString(attribute(t, "src")) + `" rel="nofollow noreferrer">` + html.EscapeString(about) + `</a>`
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// shows says whether the operator allows the host of a picture. The policy of the page says the same
// to the browser.
func (s *Site) shows(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return false
	}
	host := strings.ToLower(u.Host)
	return slices.ContainsFunc(s.PictureHosts, func(h string) bool {
		return h == host || strings.HasPrefix(h, "*.") && strings.HasSuffix(host, h[1:])
	})
}
