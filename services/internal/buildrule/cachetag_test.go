package buildrule_test

import (
	"strings"
	"testing"

	"hubledger/services/internal/buildrule"
)

// No rule gives the tag in which builds of the set keep their layers: neither by a template,
// nor by the name of a ref.
func TestCacheTagIsTaken(t *testing.T) {
	cached, plain := rule("branch", "main", "edge"), rule("branch", "main", "edge")
	cached.Name, cached.Cache, plain.Name, plain.Cache = "cached", true, "plain", false
	for _, c := range []struct {
		branch, template string
		cache            bool
		refused          string // when the rules are set
		verdict          string // on the branch buildcache
	}{
		{"main", "buildcache", true, `"buildcache" gives the tag buildcache`, ""},
		{"buildcache", "{sourceref}", true, `"{sourceref}" gives the tag buildcache`, "skip"},
		{"/^build/", "buildcache", true, `"buildcache" gives the tag buildcache`, "skip"},
		{"/.*/", "{sourceref}", true, "", "skip"},
		{"/^build(.*)$/", `build{\1}`, true, "", "skip"},
		{"buildcache", "x-{sourceref}", true, "", "build"},
		{"/.*/", "{sourceref}", false, "", "build"},
		{"buildcache", "buildcache", false, "", "build"},
	} {
		r := rule("branch", c.branch, c.template)
		r.Cache = false
		set := []buildrule.Rule{r, plain}
		if c.cache {
			set[1] = cached
		}
		errs := buildrule.Validate(set).Errors()
		if c.refused == "" && len(errs) > 0 || c.refused != "" && (len(errs) != 1 || !strings.Contains(errs[0].Error(), c.refused) || !strings.Contains(errs[0].Error(), "rule cached would overwrite it")) {
			t.Errorf("%s of %s: %v", c.template, c.branch, errs)
		}
		v := buildrule.Evaluate(set, buildrule.Ref{Kind: buildrule.Branch, Name: "buildcache"})[0]
		if c.verdict != "" && string(v.Outcome) != c.verdict || c.verdict == "skip" && !strings.Contains(v.Detail, "keep their layers") {
			t.Errorf("%s of %s builds the branch buildcache as %+v", c.template, c.branch, v)
		}
	}
}
