package buildrule

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"hubledger/services/internal/repository"
)

// maxTag is the longest tag (distribution-spec, "Pulling manifests").
const maxTag = 128

// What a part of a template stands for beside the groups 1 to 9 of the pattern.
const (
	wholeRef = 0  // {sourceref}: the ref's name
	slugged  = -1 // {slug}: the ref's name, made fit for a tag
)

// A part of a template is a literal, or a group when literal is empty.
type part struct {
	literal string
	group   int // wholeRef, slugged, or 1 to 9
}

const knownParts = `write {sourceref} for the ref's name, {slug} for the same with - for what a tag cannot have, or {\1} to {\9} for a group of the pattern`

// parseTemplate takes a tag template apart. The offset of an error is in bytes.
func parseTemplate(t string) ([]part, *patternError) {
	switch {
	case t == "":
		return nil, &patternError{0, "it is empty", "write a tag such as latest or {sourceref}"}
	case len(t) > MaxTemplate:
		return nil, &patternError{0, fmt.Sprintf("a template has at most %d bytes", MaxTemplate), "shorten it"}
	}
	var parts []part
	for at := 0; at < len(t); {
		rest := t[at:]
		if inner, ok := strings.CutPrefix(rest, "{"); ok {
			inner, _, closed := strings.Cut(inner, "}")
			switch {
			case !closed:
				return nil, &patternError{at, "this { is never closed", knownParts}
			case inner == "sourceref":
				parts = append(parts, part{group: wholeRef})
			case inner == "slug":
				parts = append(parts, part{group: slugged})
			case len(inner) == 2 && inner[0] == '\\' && inner[1] >= '1' && inner[1] <= '9':
				parts = append(parts, part{group: int(inner[1] - '0')})
			default:
				return nil, &patternError{at, fmt.Sprintf("%s stands for nothing", quoted("{"+inner+"}")), knownParts}
			}
			at += len(inner) + 2
			continue
		}
		end := strings.IndexByte(rest, '{')
		if end < 0 {
			end = len(rest)
		}
		for i, r := range rest[:end] {
			switch {
			case r == ',':
				return nil, &patternError{at + i, "a template is one tag", "make an entry of its own of each tag"}
			case !tagRune(r):
				return nil, &patternError{at + i, fmt.Sprintf("%q cannot be in a tag", r), "use letters, digits, _ . and -"}
			case at == 0 && i == 0 && (r == '.' || r == '-'):
				return nil, &patternError{0, "a tag does not begin with . or -", "put a letter, digit or _ in front"}
			}
		}
		parts = append(parts, part{literal: rest[:end]})
		at += end
	}
	return parts, nil
}

// slug is a name in which each run of characters that a tag cannot have is one -,
// without . and - where a tag must not begin with them, and without - at the end.
// Nothing is cut: names that differ only at their end would become one tag.
func slug(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case tagRune(r):
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(strings.TrimLeft(b.String(), ".-"), "-")
}

func tagRune(r rune) bool {
	return r < utf8.RuneSelf && (r == '_' || r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
}

// expand makes a tag for a ref. groups are the pattern's, of which those that took no
// part in the match are empty, as on Docker Hub. why is a Reason, "" for a tag.
func expand(parts []part, name string, groups []string) (tag string, why Reason, detail string) {
	var b strings.Builder
	for _, p := range parts {
		text := p.literal
		if text == "" {
			switch {
			case p.group == wholeRef:
				text = name
			case p.group == slugged:
				text = slug(name)
			case p.group >= len(groups):
				return "", TagGroup, fmt.Sprintf(`it uses {\%d}, and the pattern has %s`, p.group, count(max(0, len(groups)-1), "group"))
			default:
				text = groups[p.group]
			}
		}
		b.WriteString(text)
		if b.Len() > maxTag {
			return "", TagTooLong, fmt.Sprintf("the tag has more than %d characters", maxTag)
		}
	}
	tag = b.String()
	if tag == "" {
		return "", TagEmpty, "the tag is empty: what it is made of has no text that a tag can have"
	}
	if i := strings.IndexFunc(tag, func(r rune) bool { return !tagRune(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(tag[i:])
		detail = fmt.Sprintf("%s is no tag: %q cannot be in a tag", quoted(tag), r)
		if r == '/' {
			detail += "; {slug} writes - instead"
		}
		return "", TagInvalid, detail
	}
	if !repository.ValidTag(tag) {
		return "", TagInvalid, fmt.Sprintf("%s is no tag: a tag does not begin with . or -", quoted(tag))
	}
	if err := repository.CheckTag(tag); err != nil {
		return "", TagInvalid, fmt.Sprintf("%s cannot be pushed: %v", quoted(tag), err)
	}
	return tag, "", ""
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
