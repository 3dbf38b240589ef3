package buildrule

import "fmt"

// source checks which refs a rule is for and compiles their name or pattern.
func (c *checker) source(r Rule, out *checked) {
	out.kind, out.source = sourceOf(r)
	switch {
	case r.Branch == "" && r.Tag == "":
		c.add("", "it is for no branch and no tag", "", "write branch: or tag: with a name such as main, or a pattern such as /^v[0-9.]+$/")
		return
	case r.Branch != "" && r.Tag != "":
		c.add("tag", "the rule is for a branch already", "a rule is for either branches or git tags", "make two rules; tags of the image are written as tags: [latest]")
		return
	}
	field, source := out.kind, out.source
	switch {
	case isPattern(source):
		re, tree, size, bad := parsePattern(source)
		if out.pattern, out.tree, out.size = re, tree, size; bad != nil {
			c.at(field, source, bad)
		}
	case len(source) > MaxSource:
		c.add(field, "it is too long", fmt.Sprintf("it has at most %d bytes", MaxSource), "use a pattern")
	default:
		if why := refName(source); why != "" {
			c.add(field, fmt.Sprintf("%s is no name of a %s", quoted(source), field), why, "write a pattern between slashes, such as /^v.*$/, when it is meant as one")
		}
	}
}

// ExactRef is the full name of the one branch or tag that a rule is for; false when it
// is for those of a pattern.
func ExactRef(r Rule) (name string, exact bool) {
	kind, source := sourceOf(r)
	prefix := "refs/heads/"
	if kind == Tag {
		prefix = "refs/tags/"
	}
	return prefix + source, source != "" && !isPattern(source)
}

// tags checks the templates of a rule and compiles them.
func (c *checker) tags(templates []string, out *checked) {
	if len(templates) == 0 {
		c.add("tags", "there is none", "an image that is pushed has at least one tag", "write one such as latest or {sourceref}")
		return
	}
	if !c.list("tags", templates, nil, "", "") {
		return
	}
	for _, t := range templates {
		parts, bad := parseTemplate(t)
		if bad != nil {
			c.at("tags", t, bad)
			continue
		}
		out.templates = append(out.templates, parts)
		literal := len(parts) == 1 && parts[0].literal != ""
		exact := out.source != "" && !isPattern(out.source)
		if literal || exact {
			if _, why, detail := expand(parts, out.source, nil); why != "" {
				c.add("tags", fmt.Sprintf("%s gives no tag", quoted(t)), detail, "write another tag")
			}
			continue
		}
		for _, p := range parts {
			if out.pattern != nil && p.group > out.pattern.NumSubexp() {
				c.add("tags", fmt.Sprintf(`%s uses {\%d}`, quoted(t), p.group), fmt.Sprintf("the pattern %s has %s", shown(out.source), count(out.pattern.NumSubexp(), "group")),
					"put ( and ) around the part of the pattern that is meant")
				break
			}
		}
	}
}
