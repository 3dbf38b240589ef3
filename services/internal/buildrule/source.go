package buildrule

import "fmt"

// source checks the name or pattern of a rule and compiles it.
func (c *checker) source(source string, out *checked) {
	switch {
	case source == "":
		c.add("source", "it is empty", "a rule is for the branches or tags of some name", "write a name such as main, or a pattern such as /^v[0-9.]+$/")
	case isPattern(source):
		re, tree, size, bad := parsePattern(source)
		if out.pattern, out.tree, out.size = re, tree, size; bad != nil {
			c.at("source", source, bad)
		}
	case len(source) > MaxSource:
		c.add("source", "it is too long", fmt.Sprintf("a source has at most %d bytes", MaxSource), "use a pattern")
	default:
		if why := refName(source); why != "" {
			c.add("source", fmt.Sprintf("%q is no name of a branch or tag", shown(source)), why, "write a pattern between slashes, such as /^v.*$/, when it is meant as one")
		}
	}
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
		if literal := len(parts) == 1 && parts[0].literal != ""; literal || out.Source != "" && !isPattern(out.Source) {
			if _, why, detail := expand(parts, out.Source, nil); why != "" {
				c.add("tags", fmt.Sprintf("%q gives no tag", shown(t)), detail, "write another tag")
			}
			continue
		}
		for _, p := range parts {
			if out.pattern != nil && p.group > out.pattern.NumSubexp() {
				c.add("tags", fmt.Sprintf(`%q uses {\%d}`, shown(t), p.group), fmt.Sprintf("the pattern %s has %s", shown(out.Source), count(out.pattern.NumSubexp(), "group")),
					"put ( and ) around the part of the pattern that is meant")
				break
			}
		}
	}
}
